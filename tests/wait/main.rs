//! Waiting in line.
#![cfg(not(any(casgate_loom, casgate_shuttle)))]

mod basics;
mod outside;
mod sim;
mod streams;
