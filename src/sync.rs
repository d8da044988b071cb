//! The one door to shared memory. No other file of the crate names an atomic type, and only this
//! one knows the model checker.

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

// Tested first, so that `--all-features` stays modelled.
#[cfg(casgate_loom)]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(not(casgate_loom), target_has_atomic = "64"))]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(not(casgate_loom), not(target_has_atomic = "64")))]
pub(crate) use portable_atomic::{AtomicU64, Ordering};

#[cfg(casgate_loom)]
use loom::sync::atomic::fence as raw_fence;

#[cfg(not(casgate_loom))]
use core::sync::atomic::fence as raw_fence;

/// Whether this machine changes a word without a lock.
pub(crate) fn is_word_lock_free() -> bool {
    #[cfg(any(casgate_loom, target_has_atomic = "64"))]
    return true;
    #[cfg(not(any(casgate_loom, target_has_atomic = "64")))]
    AtomicU64::is_lock_free()
}

/// Every ordering of the crate that is not `Relaxed`, by the name of what it is for. The reasons stand
/// where they are used.
///
/// In a build for the model checker, the environment variable `CASGATE_WEAKEN` makes the one of that name
/// `Relaxed`: `.ci/orderings` shows that the scenarios then fail.
pub(crate) mod order {
    use super::Ordering;

    const fn unless_weakened(name: &str, order: Ordering) -> Ordering {
        #[cfg(casgate_loom)]
        if let Some(weakened) = option_env!("CASGATE_WEAKEN") {
            let (name, weakened) = (name.as_bytes(), weakened.as_bytes());
            let mut same = name.len() == weakened.len();
            let mut i = 0;
            while same && i < name.len() {
                same = name[i] == weakened[i];
                i += 1;
            }
            if same {
                return Ordering::Relaxed;
            }
        }
        let _ = name;
        order
    }

    macro_rules! orders {
        ($($name:ident = $order:ident;)*) => {
            $(pub(crate) const $name: Ordering =
                unless_weakened(stringify!($name), Ordering::$order);)*
        };
    }

    orders! {
        PAIR_LOAD = Acquire;
        PAIR_WON = Release;
        PAIR_LOST = Acquire;
        SLOT_LOAD = Acquire;
        SLOT_CLAIM = Release;
        HEAD_LOAD = Acquire;
        HEAD_MOVE = Release;
        RULE_FENCE = Acquire;
        BEGUN_TAKE = Release;
        SET_FENCE = Release;
    }
}

/// A fence; a `Relaxed` one, which only a weakened build has, is none.
#[inline]
pub(crate) fn fence(order: Ordering) {
    if order != Ordering::Relaxed {
        raw_fence(order);
    }
}

/// Lets other threads run. Of no use in a check.
pub(crate) fn wait_a_little() {
    #[cfg(casgate_loom)]
    loom::thread::yield_now();
    #[cfg(all(not(casgate_loom), feature = "std"))]
    std::thread::yield_now();
    #[cfg(all(not(casgate_loom), not(feature = "std")))]
    core::hint::spin_loop();
}

/// Two words that change together: one atomic of 128 bits.
///
/// The model checker has none so wide. There the two are halves of one 64-bit atomic, so words above
/// 32 bits end a model with a panic: the same loop on a narrowed word.
#[derive(Debug)]
pub struct AtomicPair(Wide);

#[cfg(not(casgate_loom))]
mod wide {
    pub(super) use portable_atomic::AtomicU128 as Wide;

    pub(super) const fn join([first, second]: [u64; 2]) -> u128 {
        (first as u128) << 64 | second as u128
    }

    pub(super) const fn split(bits: u128) -> [u64; 2] {
        [(bits >> 64) as u64, bits as u64]
    }
}

#[cfg(casgate_loom)]
mod wide {
    pub(super) use loom::sync::atomic::AtomicU64 as Wide;

    pub(super) fn join([first, second]: [u64; 2]) -> u64 {
        let narrow =
            |word| u64::from(u32::try_from(word).expect("a word of the model fits 32 bits"));
        narrow(first) << 32 | narrow(second)
    }

    pub(super) fn split(bits: u64) -> [u64; 2] {
        [bits >> 32, bits & u64::from(u32::MAX)]
    }
}
use wide::{Wide, join, split};

impl AtomicPair {
    const_unless_modelled! {
        pub(crate) fn new(words: [u64; 2]) -> Self {
            Self(Wide::new(join(words)))
        }
    }

    /// Whether this machine can do it without a lock.
    pub(crate) fn is_lock_free() -> bool {
        #[cfg(casgate_loom)]
        return true;
        #[cfg(not(casgate_loom))]
        Wide::is_lock_free()
    }

    pub(crate) fn load(&self, order: Ordering) -> [u64; 2] {
        split(self.0.load(order))
    }

    pub(crate) fn compare_exchange_weak(
        &self,
        seen: [u64; 2],
        next: [u64; 2],
        won: Ordering,
        lost: Ordering,
    ) -> Result<[u64; 2], [u64; 2]> {
        self.0.compare_exchange_weak(join(seen), join(next), won, lost).map(split).map_err(split)
    }
}

/// The standard library's own, for test tools whose bookkeeping must add no interleaving.
#[cfg(feature = "testing")]
pub(crate) mod unmodelled {
    pub(crate) use std::sync::atomic::{AtomicUsize, Ordering};
}
