//! The one door to shared memory. No other file of the crate names an atomic type, and only this
//! one knows the model checker.

// Tested first, so that `--all-features` stays modelled.
#[cfg(casgate_loom)]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(not(casgate_loom), target_has_atomic = "64"))]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(not(casgate_loom), not(target_has_atomic = "64")))]
pub(crate) use portable_atomic::{AtomicU64, Ordering};

/// The standard library's own, for test tools whose bookkeeping must add no interleaving.
#[cfg(feature = "testing")]
pub(crate) mod unmodelled {
    pub(crate) use std::sync::atomic::{AtomicUsize, Ordering};
}

/// Declares a constructor `const`, except under the model checker, whose atomics have no `const`
/// constructor.
macro_rules! const_unless_modelled {
    ($(#[$meta:meta])* $vis:vis fn $($rest:tt)*) => {
        #[cfg(not(casgate_loom))]
        $(#[$meta])*
        $vis const fn $($rest)*

        #[cfg(casgate_loom)]
        $(#[$meta])*
        $vis fn $($rest)*
    };
}
pub(crate) use const_unless_modelled;
