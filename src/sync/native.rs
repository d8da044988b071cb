//! The machine's own.

#[cfg(target_has_atomic = "64")]
pub(crate) use core::sync::atomic::AtomicU64;
#[cfg(not(target_has_atomic = "64"))]
pub(crate) use portable_atomic::AtomicU64;

pub(super) use core::sync::atomic::fence;
pub(super) use portable_atomic::AtomicU128 as Wide;
#[cfg(feature = "wait")]
pub(super) use std::sync::{Mutex, MutexGuard};

/// Whether this machine changes a word without a lock.
pub(crate) fn is_word_lock_free() -> bool {
    #[cfg(target_has_atomic = "64")]
    return true;
    #[cfg(not(target_has_atomic = "64"))]
    AtomicU64::is_lock_free()
}

/// Whether this machine changes two words without a lock.
pub(super) fn is_wide_lock_free() -> bool {
    Wide::is_lock_free()
}

/// Lets other threads run. Of no use in a check.
pub(crate) fn wait_a_little() {
    #[cfg(feature = "std")]
    std::thread::yield_now();
    #[cfg(not(feature = "std"))]
    core::hint::spin_loop();
}

#[inline(always)]
pub(super) const fn join([first, second]: [u64; 2]) -> u128 {
    (first as u128) << 64 | second as u128
}

#[inline(always)]
pub(super) const fn split(bits: u128) -> [u64; 2] {
    [(bits >> 64) as u64, bits as u64]
}

/// Of a thread that has no cell yet.
#[cfg(feature = "std")]
pub(crate) const NO_HOME: usize = usize::MAX;

#[cfg(feature = "std")]
std::thread_local! {
    static HOME: core::cell::Cell<usize> = const { core::cell::Cell::new(NO_HOME) };
}

/// A number for a thread that has none.
#[cfg(feature = "std")]
pub(crate) fn next_home() -> usize {
    static NEXT: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(0);
    // Relaxed: the number is all there is.
    NEXT.fetch_add(1, core::sync::atomic::Ordering::Relaxed) & (NO_HOME >> 1)
}

/// The number of the cell that the thread asks first, of a limiter that has many.
#[cfg(feature = "std")]
#[inline(always)]
pub(crate) fn home() -> usize {
    HOME.get()
}

#[cfg(feature = "std")]
#[inline]
pub(crate) fn move_home(to: usize) {
    HOME.set(to);
}
