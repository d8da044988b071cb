//! The one door to shared memory. Every other file imports its atomic types from here, never from `core`,
//! `portable-atomic` or a model checker. Only this module knows the model checker and the random scheduler.

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

pub(crate) use core::sync::atomic::Ordering;

// The cfgs are tested first, so that `--all-features` stays modelled.
#[cfg_attr(casgate_loom, path = "loom.rs")]
#[cfg_attr(casgate_shuttle, path = "shuttle.rs")]
#[cfg_attr(not(any(casgate_loom, casgate_shuttle)), path = "native.rs")]
mod backend;
pub(crate) use backend::{AtomicU64, is_word_lock_free, wait_a_little};
#[cfg(feature = "std")]
pub(crate) use backend::{NO_HOME, home, move_home, next_home};
use backend::{Wide, join, split};

#[cfg(not(casgate_loom))]
mod copies;
#[cfg(casgate_loom)]
pub(crate) use backend::Copies;
#[cfg(not(casgate_loom))]
pub(crate) use copies::Copies;

/// Every ordering of the crate that is not `Relaxed`, by the name of what it is for. The reasons stand
/// where they are used. One has no name, since `Relaxed` would do there: see
/// `Live::in_force`.
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
        ($($(#[$meta:meta])* $name:ident = $order:ident;)*) => {
            $($(#[$meta])* pub(crate) const $name: Ordering =
                unless_weakened(stringify!($name), Ordering::$order);)*
        };
    }

    orders! {
        PAIR_LOAD = Acquire;
        PAIR_WON = Release;
        PAIR_LOST = Acquire;
        COPY_LOAD = Acquire;
        COPY_STORE = Release;
        SLOT_LOAD = Acquire;
        SLOT_CLAIM = Release;
        LAP_LOAD = Acquire;
        LAP_END = Release;
        RULE_FENCE = Acquire;
        BEGUN_TAKE = Release;
        SET_FENCE = Release;
        #[cfg(feature = "std")]
        STOCK_LOAD = Acquire;
        #[cfg(feature = "std")]
        STOCK_WON = Release;
        #[cfg(feature = "std")]
        STOCK_DONE_LOAD = Acquire;
        #[cfg(feature = "std")]
        STOCK_DONE_STORE = Release;
        #[cfg(feature = "alloc")]
        OWNER_LOAD = Acquire;
        #[cfg(feature = "alloc")]
        OWNER_PASSED = Release;
        #[cfg(feature = "alloc")]
        WORD_LOAD = Acquire;
        #[cfg(feature = "alloc")]
        WORD_PASSED = Release;
        #[cfg(feature = "alloc")]
        WORD_SPENT = Release;
        #[cfg(feature = "alloc")]
        MARKS_LOAD = Acquire;
        #[cfg(feature = "alloc")]
        MARKS_WON = Release;
        #[cfg(feature = "alloc")]
        VERSION_LOAD = Acquire;
        #[cfg(feature = "alloc")]
        VERSION_STORE = Release;
        #[cfg(feature = "alloc")]
        PACE_FENCE = Acquire;
        #[cfg(feature = "alloc")]
        PUBLISH_FENCE = Release;
        #[cfg(feature = "alloc")]
        CHANGE_BEGIN = Acquire;
        #[cfg(feature = "alloc")]
        CHANGE_END = Release;
    }
}

/// A fence; a `Relaxed` one, which only a weakened build has, is none.
#[inline]
pub(crate) fn fence(order: Ordering) {
    if order != Ordering::Relaxed {
        backend::fence(order);
    }
}

/// Two words that change together: one atomic of 128 bits.
///
/// The model checker has none so wide. There the two are halves of one 64-bit atomic, so words above
/// 32 bits end a model with a panic: the same loop on a narrowed word.
#[derive(Debug)]
pub(crate) struct AtomicPair(Wide);

impl AtomicPair {
    const_unless_modelled! {
        pub(crate) fn new(words: [u64; 2]) -> Self {
            Self(Wide::new(join(words)))
        }
    }

    /// Whether this machine can do it without a lock.
    pub(crate) fn is_lock_free() -> bool {
        backend::is_wide_lock_free()
    }

    #[inline(always)]
    pub(crate) fn load(&self, order: Ordering) -> [u64; 2] {
        split(self.0.load(order))
    }

    #[inline(always)]
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

/// A value that one thread at a time works on. Who panics with it leaves it to the next as it is.
#[cfg(feature = "wait")]
#[derive(Debug)]
pub(crate) struct Lock<T>(backend::Mutex<T>);

#[cfg(feature = "wait")]
impl<T> Lock<T> {
    const_unless_modelled! {
        pub(crate) fn new(value: T) -> Self {
            Self(backend::Mutex::new(value))
        }
    }

    pub(crate) fn lock(&self) -> backend::MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The machine's own in every build, for bookkeeping that must add no interleaving: statistics, and the tools
/// of tests.
#[cfg(feature = "alloc")]
pub(crate) mod unmodelled {
    pub(crate) use portable_atomic::AtomicU64 as Counter;
    #[cfg(feature = "testing")]
    pub(crate) use std::sync::atomic::{AtomicUsize, Ordering};
}
