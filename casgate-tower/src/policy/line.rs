//! Waiting in line instead of a denial.

use crate::outcome::Outcome;
use casgate::{Admitted, Snapshot};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A queue behind one face.
pub(crate) trait Line: Send + Sync {
    fn enter(&self, cost: u32, patience: Duration) -> Entered;

    /// Serves nobody for so long.
    #[cfg(feature = "client")]
    fn pause(&self, pause: Duration);
}

pub(crate) enum Entered {
    Now(Result<Admitted, Late>),
    Waits(Wait),
}

/// A request's place in a line.
pub(crate) type Wait = Pin<Box<dyn Future<Output = Result<Admitted, Late>> + Send>>;

/// A wait that failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Late {
    pub(crate) outcome: Outcome,
    /// After how long another one could succeed, if that is known.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) now: Snapshot,
}
