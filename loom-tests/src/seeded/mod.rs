//! Wrong limiters, each with one bug on purpose. The model checker must reject them by the scenarios that
//! the limiter passes. Otherwise the scenarios prove nothing.

#[cfg(casgate_loom)]
mod fleet;
mod keyed;
mod keyed_rule;
mod queue;
mod ring;
mod sharded;
mod stock;
mod two;

#[cfg(casgate_loom)]
pub use fleet::*;
pub use keyed::*;
pub use queue::*;
pub use ring::*;
pub use sharded::*;
pub use stock::*;
pub use two::*;

pub(crate) use crate::explore::atomic::{AtomicU64, Ordering::Relaxed};
use crate::gate::{Gate, GiveBack};
use casgate::algorithm::{FixedWindow, Rule};
use casgate::word::Word;
use casgate::{Admitted, Denied, Quota, Snapshot, Timestamp, TokenBucket};

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
/// the parts and the request to the new word, or the word on which it was denied.
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
                    .map(|next| self.0.rule.admitted(next, n, now))
                    .map_err(|seen| self.0.rule.denied(seen, n, now))
            }

            fn peek_at(&self, now: Timestamp) -> Snapshot {
                self.0.rule.snapshot(self.0.load(), now)
            }
        }

        // In two steps, a load and a store: the bug of `TwoStepGiveBack`. No scenario asks it of the
        // others.
        impl GiveBack for $name {
            fn reset(&self) {
                self.0.word.store(0, Relaxed);
            }

            fn refund(&self, n: u32) {
                self.0.word.store(self.0.rule.refund(self.0.load(), n).bits(), Relaxed);
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
    /// is denied and still spends a permit of the newer window.
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
    /// Decides rightly, and gives back in two steps: a load and a store.
    TwoStepGiveBack, |parts, n, now| {
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

/// A token bucket that stores what it decided.
#[derive(Debug)]
pub struct StoreBucket(TokenBucket, AtomicU64);

impl Gate for StoreBucket {
    fn with_quota(quota: Quota) -> Self {
        Self(TokenBucket::new(quota), AtomicU64::new(0))
    }

    fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
        let seen = Word::from_bits(self.1.load(Relaxed));
        let next = self.0.decide(seen, n, now).ok_or_else(|| self.0.denied(seen, n, now))?;
        self.1.store(next.bits(), Relaxed);
        Ok(self.0.admitted(next, n, now))
    }

    fn peek_at(&self, now: Timestamp) -> Snapshot {
        self.0.snapshot(Word::from_bits(self.1.load(Relaxed)), now)
    }
}

/// A bucket of one that compares timestamps by a wrapping subtraction: a thread that comes late
/// with its timestamp sees a gap of centuries, and a full bucket.
#[derive(Debug)]
pub struct WrappingGap {
    rule: TokenBucket,
    period: u64,
    last: AtomicU64,
    tickets: AtomicU64,
}

impl Gate for WrappingGap {
    fn with_quota(quota: Quota) -> Self {
        let period = quota.period().as_nanos() as u64;
        let last = AtomicU64::new(0u64.wrapping_sub(period));
        Self { rule: TokenBucket::new(quota), period, last, tickets: AtomicU64::new(0) }
    }

    fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
        let last = self.last.load(Relaxed);
        let due = now.as_nanos().wrapping_sub(last) >= self.period;
        if due && self.last.compare_exchange(last, now.as_nanos(), Relaxed, Relaxed).is_ok() {
            let ticket = self.tickets.fetch_add(1, Relaxed) + 1;
            return Ok(self.rule.admitted(Word::from_bits(ticket), n, now));
        }
        Err(self.rule.denied(Word::default(), n, now))
    }

    fn peek_at(&self, now: Timestamp) -> Snapshot {
        self.rule.snapshot(Word::default(), now)
    }
}
