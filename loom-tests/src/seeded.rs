//! Wrong limiters, each with one bug that has been seen in the wild. The model checker must refute
//! them with the scenarios that the limiter passes; otherwise the scenarios prove nothing.

use crate::gate::Gate;
use casgate::algorithm::{FixedWindow, Rule};
use casgate::word::Word;
use casgate::{Admitted, Denied, Quota, Snapshot, Timestamp};
#[cfg(casgate_loom)]
use loom::sync::atomic::{AtomicU64, Ordering::Relaxed};
#[cfg(not(casgate_loom))]
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The right rule around a word that the wrong shells move.
#[derive(Debug)]
pub struct Parts {
    rule: FixedWindow,
    word: AtomicU64,
}

impl Parts {
    fn new(quota: Quota) -> Self {
        Self { rule: FixedWindow::new(quota), word: AtomicU64::new(0) }
    }

    fn load(&self) -> Word {
        Word::from_bits(self.word.load(Relaxed))
    }

    fn exchange(&self, seen: Word, next: Word) -> Result<Word, Word> {
        self.word
            .compare_exchange(seen.bits(), next.bits(), Relaxed, Relaxed)
            .map(|_| next)
            .map_err(Word::from_bits)
    }
}

/// Implements [`Gate`] for a wrapper of [`Parts`] whose one wrong step is the given closure: from
/// the parts and the request to the new word, or the word on which it was refused.
macro_rules! wrong_shell {
    ($(#[$doc:meta])* $name:ident, $step:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(Parts);

        impl Gate for $name {
            fn with_quota(quota: Quota) -> Self {
                Self(Parts::new(quota))
            }

            fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
                let step: fn(&Parts, u32, Timestamp) -> Result<Word, Word> = $step;
                step(&self.0, n, now)
                    .map(|next| self.0.rule.admitted(next, now))
                    .map_err(|seen| self.0.rule.denied(seen, n, now))
            }

            fn peek_at(&self, now: Timestamp) -> Snapshot {
                self.0.rule.snapshot(self.0.load(), now)
            }

            fn reset(&self) {
                // The bug of `TwoStepReset`; no scenario resets the others.
                let reset = self.0.rule.reset(self.0.load());
                self.0.word.store(reset.bits(), Relaxed);
            }
        }
    };
}

wrong_shell! {
    /// Decides on what it loaded and stores the result: check, then act.
    StoreInsteadOfCas, |parts, n, now| {
        let seen = parts.load();
        let next = parts.rule.decide(seen, n, now).ok_or(seen)?;
        parts.word.store(next.bits(), Relaxed);
        Ok(next)
    }
}

wrong_shell! {
    /// Exchanges within a window, but begins a new one with a store: a count that others put there
    /// since is dropped.
    RollDropsCount, |parts, n, now| {
        let mut seen = parts.load();
        loop {
            let next = parts.rule.decide(seen, n, now).ok_or(seen)?;
            if parts.rule.split().index(next) > parts.rule.split().index(seen) {
                parts.word.store(next.bits(), Relaxed);
                return Ok(next);
            }
            match parts.exchange(seen, next) {
                Ok(next) => return Ok(next),
                Err(newer) => seen = newer,
            }
        }
    }
}

wrong_shell! {
    /// After a lost exchange it decides as if no window had begun meanwhile, on a fresh word: a late
    /// caller writes its older window back.
    LateCallerRollsBack, |parts, n, now| {
        let mut seen = parts.load();
        let mut basis = seen;
        loop {
            let next = parts.rule.decide(basis, n, now).ok_or(seen)?;
            match parts.exchange(seen, next) {
                Ok(next) => return Ok(next),
                Err(newer) => {
                    seen = newer;
                    let split = parts.rule.split();
                    let rolled = split.index(newer) > split.index(basis);
                    basis = if rolled { Word::default() } else { newer };
                }
            }
        }
    }
}

wrong_shell! {
    /// Looks for room, then adds without asking again. Without a spare bit the count runs into the
    /// index, and the sum counts for a window that nobody is in.
    AddWithoutHeadroom, |parts, n, now| {
        let seen = parts.load();
        let next = parts.rule.decide(seen, n, now).ok_or(seen)?;
        if parts.rule.split().index(next) > parts.rule.split().index(seen) {
            return parts.exchange(seen, next);
        }
        let before = parts.word.fetch_add(u64::from(n), Relaxed);
        Ok(Word::from_bits(before + u64::from(n)))
    }
}

wrong_shell! {
    /// Looks for room, adds, and then judges by what it added to: the road that one might take for a
    /// faster one. It never admits too much, yet an addition that comes after the window has rolled
    /// is refused and still spends a permit of the newer window.
    AddThenJudge, |parts, n, now| {
        let mut seen = parts.load();
        loop {
            let next = parts.rule.decide(seen, n, now).ok_or(seen)?;
            if parts.rule.split().index(next) > parts.rule.split().index(seen) {
                match parts.exchange(seen, next) {
                    Ok(next) => return Ok(next),
                    Err(newer) => seen = newer,
                }
                continue;
            }
            let before = Word::from_bits(parts.word.fetch_add(u64::from(n), Relaxed));
            return parts.rule.decide(before, n, now).ok_or(before);
        }
    }
}

wrong_shell! {
    /// Decides rightly, and resets in two steps: a load and a store.
    TwoStepReset, |parts, n, now| {
        let mut seen = parts.load();
        loop {
            let next = parts.rule.decide(seen, n, now).ok_or(seen)?;
            match parts.exchange(seen, next) {
                Ok(next) => return Ok(next),
                Err(newer) => seen = newer,
            }
        }
    }
}
