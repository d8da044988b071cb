//! What the other parts of the crate need of it.

use super::TokenBucket;
use crate::algorithm::{Outstanding, Rule, RuleParts, Term, share};
use crate::timestamp::Timestamp;
use crate::word::Word;
use core::fmt::DebugStruct;
use core::time::Duration;

impl RuleParts for TokenBucket {
    /// More is outstanding than the burst, which no request by then could have left.
    #[inline]
    fn is_late(&self, word: Word, now: Timestamp) -> bool {
        // The sum cannot wrap: the horizon leaves room for the capacity.
        now.as_nanos() <= self.horizon && word.bits() > self.units(now.as_nanos()) + self.capacity
    }

    /// Converts the timestamp rather than the word: a multiplication, where the wait is a division.
    #[inline]
    fn is_due_within(&self, word: Word, n: u32, now: Timestamp, lag: Duration) -> bool {
        let latest = (now + lag).as_nanos().min(self.horizon);
        n <= self.burst && self.units(latest) >= self.due(word, n)
    }

    fn first_fit(&self, word: Word, ahead: u64, n: u32, now: Timestamp) -> Option<Timestamp> {
        if n > self.burst || now.as_nanos() > self.horizon {
            return None;
        }
        let base = word.bits().max(self.units(now.as_nanos()));
        let cost = (u128::from(ahead) + u128::from(n)) * u128::from(self.cost);
        let due = (u128::from(base) + cost).saturating_sub(u128::from(self.capacity));
        let due = self.instant(u64::try_from(due).ok()?)?;
        Some(now.max(Timestamp::from_nanos(due)))
    }

    /// Without a timestamp in between: each would be rounded, and the roundings of a row of places
    /// add up.
    fn with_first_fit(&self, word: Word, n: u32, now: Timestamp) -> Option<(Word, Timestamp)> {
        let taken = self.reserve(word, n, now, Timestamp::MAX)?;
        let (_, due) = self.place(taken, n);
        Some((taken, due.max(now)))
    }

    /// More than one permit is booked as many emission intervals later as there are permits, so
    /// that until then the bucket could not have been full without them: to spend one in that time
    /// moves the word as far as a check at that instant would.
    fn lease(&self, word: Word, most: u32, now: Timestamp) -> Option<Term> {
        let first = Rule::decide(self, word, 1, now)?;
        let units = self.units(now.as_nanos());
        let left = self.permits(units + self.capacity - first.bits()) + 1;
        let permits = share(left as u32, most);
        let cost = u64::from(permits) * self.cost;
        let ahead = if permits == 1 { 0 } else { cost };
        let base = word.bits().max(units + ahead);
        let last = self.instant(base + 1).map_or(self.horizon, |first_after| first_after - 1);
        let taken = Word::from_bits(base + cost);
        Some(Term { permits, from: now.as_nanos(), span: last - now.as_nanos(), taken })
    }

    /// As a cancelled reservation: only if nobody has built on it.
    fn end_lease(&self, word: Word, taken: Word, n: u32) -> Option<Word> {
        (word == taken).then(|| self.refund(word, n))
    }

    /// Two units more: the units of a time from one instant on and from another differ by one, and
    /// so do those of a time in two parts and in one.
    fn restore(&self, word: Word, part: Outstanding, now: Timestamp) -> Word {
        let base = word.bits().max(self.units(now.as_nanos().min(self.horizon)));
        let exact = self.fraction == 0;
        if part.full_after >= self.horizon {
            return Word::from_bits(u64::MAX);
        }
        let spent = self.units(part.full_after) + if exact { 0 } else { 2 };
        Word::from_bits(base.saturating_add(spent))
    }

    fn describe(&self, word: Word, out: &mut DebugStruct<'_, '_>) {
        out.field("burst", &self.burst).field("cost", &self.cost).field("full_at", &word.bits());
    }
}
