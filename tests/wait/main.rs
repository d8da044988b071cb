//! Waiting in line.
#![cfg(not(any(casgate_loom, casgate_shuttle)))]

mod attacks;
mod basics;
mod cases;
mod leaves;
mod outside;
mod pairs;
mod paused;
mod pauses;
mod sim;
mod simulation;
mod streams;
