//! Concurrent scenarios, written once. Under `--cfg casgate_loom` the model checker runs each over
//! every interleaving; under `--cfg casgate_shuttle` a scheduler runs it in random ones, of more callers; otherwise
//! real threads run it many times.
//!
//! A scenario is generic over the [`Gate`](gate::Gate) it attacks, so the same code that the limiter must pass
//! must reject the [`seeded`] wrong ones.

pub mod explore;
pub mod gate;
pub mod scenarios;
pub mod seeded;
#[cfg(casgate_loom)]
pub mod thread;
pub mod turn;
