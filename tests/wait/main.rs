//! Waiting in line.
#![cfg(not(any(casgate_loom, casgate_shuttle)))]

mod basics;
mod found;
mod sim;
