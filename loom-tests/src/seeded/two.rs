//! Two quotas charged one after the other, a quota changed apart from the word, and a copy that is
//! believed.

use super::{AtomicU64, Relaxed, Word};
use crate::gate::{Gate, GiveBack, SetQuota, TwoQuotas};
use casgate::algorithm::{FixedWindow, Rule};
use casgate::{Admitted, Denied, Limiter, Quota, Snapshot, Timestamp, TokenBucket};
use std::num::NonZeroU32;
use std::time::Duration;

/// Charges the first quota, then the second, and gives the first back if the second denies: in
/// between, others are denied for the sake of a request that does not pass.
#[derive(Debug)]
pub struct OneAfterTheOther {
    first: Limiter<TokenBucket>,
    second: Limiter<FixedWindow>,
}

impl TwoQuotas for OneAfterTheOther {
    fn with_quotas(first: Quota, second: Quota) -> Self {
        Self { first: Limiter::token_bucket(first), second: Limiter::fixed_window(second) }
    }

    fn is_allowed(&self, n: u32, now: Timestamp) -> bool {
        if self.first.check_n_at(n, now).is_err() {
            return false;
        }
        let is_allowed = self.second.check_n_at(n, now).is_ok();
        if !is_allowed {
            self.first.refund_n(n);
        }
        is_allowed
    }
}

/// A quota in two words of its own next to the state, each changed by a store, and read by every
/// check: torn, and unknown to the exchange that decides.
#[derive(Debug)]
pub struct QuotaApart {
    permits: AtomicU64,
    period: AtomicU64,
    count: AtomicU64,
}

impl QuotaApart {
    fn rule(&self) -> FixedWindow {
        let permits = self.permits.load(Relaxed) as u32;
        let period = Duration::from_nanos(self.period.load(Relaxed));
        let permits = NonZeroU32::new(permits).expect("a quota's").get();
        FixedWindow::new(Quota::new(permits, period).expect("slow enough"))
    }

    /// In the form of a rule's word: the window is always the first.
    fn word(rule: FixedWindow, count: u64) -> Word {
        rule.split().pack(0, count as u32)
    }
}

impl Gate for QuotaApart {
    fn with_quota(quota: Quota) -> Self {
        Self {
            permits: AtomicU64::new(quota.permits().into()),
            period: AtomicU64::new(quota.period().as_nanos() as u64),
            count: AtomicU64::new(0),
        }
    }

    fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
        let rule = self.rule();
        let mut seen = self.count.load(Relaxed);
        loop {
            let next = seen + u64::from(n);
            if next > u64::from(rule.denied(Word::default(), 1, now).limit()) {
                return Err(rule.denied(Word::default(), n, now));
            }
            match self.count.compare_exchange(seen, next, Relaxed, Relaxed) {
                Ok(_) => return Ok(rule.admitted(Self::word(rule, next), n, now)),
                Err(newer) => seen = newer,
            }
        }
    }

    fn peek_at(&self, now: Timestamp) -> Snapshot {
        let rule = self.rule();
        rule.snapshot(Self::word(rule, self.count.load(Relaxed)), now)
    }
}

impl SetQuota for QuotaApart {
    fn set_quota(&self, quota: Quota) {
        self.permits.store(quota.permits().into(), Relaxed);
        self.period.store(quota.period().as_nanos() as u64, Relaxed);
    }
}

/// Begins from a copy of the word, as two words in one atomic do, and denies by the copy alone: it
/// may be older than the word.
#[derive(Debug)]
pub struct DeniesByACopy {
    rule: FixedWindow,
    word: AtomicU64,
    copy: AtomicU64,
}

impl DeniesByACopy {
    fn exchange(&self, seen: Word, next: Word) -> Result<Word, Word> {
        match self.word.compare_exchange(seen.bits(), next.bits(), Relaxed, Relaxed) {
            Ok(_) => {
                self.copy.store(next.bits(), Relaxed);
                Ok(next)
            }
            Err(newer) => Err(Word::from_bits(newer)),
        }
    }

    fn change(&self, change: impl Fn(Word) -> Word) {
        let mut seen = Word::from_bits(self.copy.load(Relaxed));
        while let Err(newer) = self.exchange(seen, change(seen)) {
            seen = newer;
        }
    }
}

impl Gate for DeniesByACopy {
    fn with_quota(quota: Quota) -> Self {
        let rule = FixedWindow::new(quota);
        Self { rule, word: AtomicU64::new(0), copy: AtomicU64::new(0) }
    }

    fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
        let mut seen = Word::from_bits(self.copy.load(Relaxed));
        loop {
            let Some(next) = self.rule.decide(seen, n, now) else {
                return Err(self.rule.denied(seen, n, now));
            };
            match self.exchange(seen, next) {
                Ok(next) => return Ok(self.rule.admitted(next, n, now)),
                Err(newer) => seen = newer,
            }
        }
    }

    fn peek_at(&self, now: Timestamp) -> Snapshot {
        self.rule.snapshot(Word::from_bits(self.word.load(Relaxed)), now)
    }
}

impl GiveBack for DeniesByACopy {
    fn reset(&self) {
        self.change(|_| Word::default());
    }

    fn refund(&self, n: u32) {
        self.change(|word| self.rule.refund(word, n));
    }
}
