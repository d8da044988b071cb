//! A set-associative table of tagged states. The protocol is told in [`KeyedLimiter`](super::KeyedLimiter#inside).

use super::WhenFull;
use super::slot::{Class, STATE_BITS, TAG_BITS, Way, tag_of};
use crate::Timestamp;
use crate::algorithm::Rule;
use crate::cell::{Attempt, Cell};
use crate::quota::Quota;
use crate::sync::unmodelled::Counter;
use crate::sync::{AtomicU64, Ordering, order};
use crate::word::Word;
use crossbeam_utils::CachePadded;

/// The ways of a set: all that one key can be in; and how many of them are compared at once. Few under the model
/// checker and the random scheduler, so that they are soon full.
pub(crate) const WAYS: usize = if cfg!(casgate_loom) {
    2
} else if cfg!(casgate_shuttle) {
    4
} else {
    64
};
const BLOCK: usize = if WAYS < 64 { WAYS / 2 } else { 4 };

/// Aligned to cache lines, so that a key's first two blocks share one.
#[derive(Debug)]
#[repr(align(64))]
struct Set([[Cell<Way>; BLOCK]; WAYS / BLOCK]);

impl Set {
    fn ways(&self) -> &[Cell<Way>] {
        self.0.as_flattened()
    }
}

/// Where a key is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    set: u32,
    /// Not zero. Its upper bits are the class, its lower ones the way at which the search begins: keys with
    /// one tag are looked for in the same order, and are one key to the table.
    tag: u32,
}

impl Place {
    const fn set(self) -> usize {
        self.set as usize
    }

    const fn tag(self) -> u64 {
        self.tag as u64
    }

    /// In an order that goes through blocks and cache lines one after the other, wherever it begins.
    fn ways(self) -> impl Iterator<Item = usize> {
        (0..WAYS).map(move |i| (self.tag as usize ^ i) % WAYS)
    }
}

/// The last insertion into a set, from the highest bit: how many there were, the way and the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Turn(u64);

impl Turn {
    const WAY_BITS: u32 = 6;

    const fn next(self, tag: u64, way: usize) -> Self {
        let count = self.count() + 1;
        Self(count << (Self::WAY_BITS + TAG_BITS) | (way as u64) << TAG_BITS | tag)
    }

    const fn count(self) -> u64 {
        self.0 >> (Self::WAY_BITS + TAG_BITS)
    }

    const fn way(self) -> usize {
        (self.0 >> TAG_BITS) as usize % WAYS
    }

    const fn tag(self) -> u64 {
        self.0 & ((1 << TAG_BITS) - 1)
    }
}

/// What became of a request. One enum, and not a `Result` of one, so that it is returned in registers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Decided {
    /// The key's word is now this.
    Admitted(Word),
    /// The quota refuses it, the key's word being this.
    Denied(Word),
    /// There is no slot for it until that time.
    Full(Timestamp),
}

impl Decided {
    #[inline(always)]
    pub(crate) const fn is_admitted(self) -> bool {
        matches!(self, Self::Admitted(_))
    }
}

#[derive(Debug)]
pub(crate) struct Table<R> {
    sets: Box<[Set]>,
    turns: Box<[AtomicU64]>,
    /// For each set and class: no key of the class that is not in the set has a word as large as this, unless
    /// both are zero.
    floors: Box<[AtomicU64]>,
    classes: Box<[Class<R>]>,
    class_bits: u32,
    /// Only numbers, so every access is `Relaxed`. Apart from what every decision reads.
    evicted: CachePadded<Counter>,
    refused: CachePadded<Counter>,
}

impl<R: Rule> Table<R> {
    pub(crate) fn new(quotas: impl IntoIterator<Item = Quota>, sets: usize) -> Self {
        let classes: Box<[_]> = quotas.into_iter().map(Class::new).collect();
        let zeros = |n: usize| (0..n).map(|_| AtomicU64::new(0)).collect();
        let unused = |_| core::array::from_fn(|_| Cell::of(Way::unused()));
        Self {
            sets: (0..sets).map(|_| Set(core::array::from_fn(unused))).collect(),
            turns: zeros(sets),
            floors: zeros(sets * classes.len()),
            class_bits: usize::BITS - (classes.len() - 1).leading_zeros(),
            classes,
            evicted: CachePadded::new(Counter::new(0)),
            refused: CachePadded::new(Counter::new(0)),
        }
    }

    /// Set and tag come from different bits of the hash.
    #[inline]
    pub(crate) fn place(&self, hash: u64, class: usize) -> Place {
        let set = ((hash & 0xffff_ffff) * self.sets.len() as u64) >> 32;
        let class = class.min(self.classes.len() - 1);
        let of_hash = hash >> (STATE_BITS + self.class_bits);
        let tag = (class as u64) << (TAG_BITS - self.class_bits) | of_hash;
        Place { set: set as u32, tag: tag.max(1) as u32 }
    }

    pub(crate) fn rule(&self, at: Place) -> &R {
        &self.class(at.tag()).rule
    }

    #[inline(always)]
    fn class_of(&self, tag: u64) -> usize {
        (tag >> (TAG_BITS - self.class_bits)) as usize
    }

    #[inline(always)]
    fn class(&self, tag: u64) -> &Class<R> {
        &self.classes[self.class_of(tag)]
    }

    fn floor(&self, set: usize, tag: u64) -> &AtomicU64 {
        &self.floors[set * self.classes.len() + self.class_of(tag)]
    }

    /// The word of a key that is not in the set.
    fn newcomer(&self, set: usize, tag: u64) -> Word {
        // Relaxed: an eviction of the key happened before the insertions that have been seen.
        let floor = self.floor(set, tag).load(Ordering::Relaxed);
        self.class(tag).rule.word_from(floor)
    }

    /// The way that has the key, and what it was then. Which way that is cannot be predicted, so a block
    /// is compared without a branch for each. Before it none is unused: a key takes the first that is,
    /// and a used way stays used.
    #[inline]
    fn find(&self, at: Place) -> Option<(&Cell<Way>, u64)> {
        for way in at.ways().step_by(BLOCK) {
            let block = &self.sets[at.set()].0[way / BLOCK];
            let (mut found, mut seen) = (0, 0);
            for (i, way) in block.iter().enumerate() {
                let bits = way.load();
                if tag_of(bits) == at.tag() {
                    (found, seen) = (i, bits);
                }
            }
            if seen != 0 {
                return Some((&block[found], seen));
            }
            if block.iter().any(|way| way.load() == 0) {
                return None;
            }
        }
        None
    }

    #[inline(always)]
    pub(crate) fn check(&self, at: Place, n: u32, now: Timestamp, full: WhenFull) -> Decided {
        if n == 0 {
            return Decided::Admitted(self.look(at));
        }
        let decided = self.find(at).and_then(|found| self.decide(found, at, n, now));
        decided.unwrap_or_else(|| self.check_newcomer(at, n, now, full))
    }

    /// As in a limiter of one key; `None` if the way is another key's.
    #[inline(always)]
    fn decide(
        &self,
        (way, seen): (&Cell<Way>, u64),
        at: Place,
        n: u32,
        now: Timestamp,
    ) -> Option<Decided> {
        let class = self.class(at.tag());
        match way.attempt_on(seen, |bits| class.decide(at.tag(), bits, n, now)) {
            Attempt::Won(next) => Some(Decided::Admitted(class.word(next))),
            Attempt::Declined(seen) => Self::declined(class, at.tag(), seen),
            Attempt::Lost(newer) => self.decide_after(way, newer, at.tag, n, now),
        }
    }

    #[cold]
    #[inline(never)]
    fn decide_after(
        &self,
        way: &Cell<Way>,
        newer: u64,
        tag: u32,
        n: u32,
        now: Timestamp,
    ) -> Option<Decided> {
        let tag = u64::from(tag);
        let class = self.class(tag);
        match way.update_after(newer, |bits| class.decide(tag, bits, n, now)) {
            Ok(next) => Some(Decided::Admitted(class.word(next))),
            Err(seen) => Self::declined(class, tag, seen),
        }
    }

    #[inline(always)]
    fn declined(class: &Class<R>, tag: u64, seen: u64) -> Option<Decided> {
        (tag_of(seen) == tag).then(|| Decided::Denied(class.word(seen)))
    }

    #[cold]
    #[inline(never)]
    fn check_newcomer(&self, at: Place, n: u32, now: Timestamp, full: WhenFull) -> Decided {
        loop {
            if let Some(refused) = self.seat(at, n, now, full) {
                return refused;
            }
            if let Some(decided) = self.find(at).and_then(|found| self.decide(found, at, n, now)) {
                return decided;
            }
        }
    }

    /// Gives the key a way, unless it is refused anyhow.
    fn seat(&self, at: Place, n: u32, now: Timestamp, full: WhenFull) -> Option<Decided> {
        let turn = &self.turns[at.set()];
        // Acquire: the scan sees every insertion up to this one.
        let last = Turn(turn.load(order::TURN_LOAD));
        self.complete(at.set(), last);

        // The way that owes least, which is the one idle for longest if any is: what it owes, its bits
        // and where it is.
        let mut seat: Option<(i128, u64, usize)> = None;
        for way in at.ways() {
            let bits = self.sets[at.set()].ways()[way].load();
            if tag_of(bits) == at.tag() {
                return None;
            }
            let owed = if bits == 0 {
                i128::MIN
            } else {
                let class = self.class(tag_of(bits));
                let fresh = class.rule.fresh(now);
                i128::from(class.given_away(bits).bits()) - i128::from(fresh.bits())
            };
            if seat.is_none_or(|(least, ..)| owed < least) {
                seat = Some((owed, bits, way));
            }
            if bits == 0 {
                break;
            }
        }
        let (owed, bits, way) = seat?;
        let victim = tag_of(bits);

        let own = self.class(at.tag());
        let mut word = self.newcomer(at.set(), at.tag());
        if bits != 0 && self.class_of(victim) == self.class_of(at.tag()) {
            word = word.max(own.given_away(bits));
        }
        let refused = if owed > 0 && full == WhenFull::RefuseNewcomers {
            let class = self.class(victim);
            let free = class.rule.snapshot(class.given_away(bits), now).reset_after();
            Some(Decided::Full(now + free))
        } else if own.rule.decide(word, n, now).is_none() {
            Some(Decided::Denied(word))
        } else {
            None
        };
        if refused.is_some() {
            // Judged as absent, which it was only if nobody has been inserted since.
            let refused = refused.filter(|_| turn.load(order::TURN_LOAD) == last.0);
            if let Some(Decided::Full(_)) = refused {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
            return refused;
        }

        let next = last.next(at.tag(), way);
        // Release: who sees this insertion sees those before it.
        let won = turn.compare_exchange(last.0, next.0, order::TURN_WON, Ordering::Relaxed);
        if won.is_ok() {
            if owed > 0 {
                self.evicted.fetch_add(1, Ordering::Relaxed);
            }
            self.complete(at.set(), next);
        }
        None
    }

    /// Does what is left to do of an insertion: anybody may. The key is charged with the most that any key
    /// not in the set can owe, for it may be one of them.
    fn complete(&self, set: usize, turn: Turn) {
        if turn.count() == 0 {
            return;
        }
        let _ = self.sets[set].ways()[turn.way()].update(|bits| {
            // Once the way has been given the tag it is only given another by a later turn. So if it has
            // not, and the turn is still the last, it has not had it yet; and these very bits never
            // come back, for whoever is inserted afterwards owes more.
            // Relaxed: had a later turn changed the way, the load of `bits` would have acquired that turn.
            let over =
                tag_of(bits) == turn.tag() || self.turns[set].load(Ordering::Relaxed) != turn.0;
            if over {
                return None;
            }
            if bits != 0 {
                let floor = self.class(tag_of(bits)).given_away(bits);
                // Before the way changes hands, whose exchange releases it: Relaxed.
                self.floor(set, tag_of(bits)).fetch_max(floor.bits(), Ordering::Relaxed);
            }
            Some(self.class(turn.tag()).bits(turn.tag(), self.newcomer(set, turn.tag())))
        });
    }

    /// The key's word, or that of a newcomer in a set with room.
    pub(crate) fn look(&self, at: Place) -> Word {
        let class = self.class(at.tag());
        self.find(at)
            .map_or_else(|| self.newcomer(at.set(), at.tag()), |(_, bits)| class.word(bits))
    }

    /// Forgives the key what it owes, down to what a newcomer would.
    pub(crate) fn reset(&self, at: Place) {
        let Some((way, _)) = self.find(at) else { return };
        let class = self.class(at.tag());
        let _ = way.update(|bits| {
            (tag_of(bits) == at.tag()).then(|| {
                let full = class.rule.reset(class.word(bits));
                class.bits(at.tag(), full.max(self.newcomer(at.set(), at.tag())))
            })
        });
    }

    /// How many keys owe something at `now`.
    pub(crate) fn owing(&self, now: Timestamp) -> usize {
        let used = self.sets.iter().flat_map(Set::ways).map(Cell::load).filter(|&bits| bits != 0);
        used.filter(|&bits| {
            let class = self.class(tag_of(bits));
            class.word(bits) > class.rule.fresh(now)
        })
        .count()
    }

    pub(crate) fn inserted(&self) -> u64 {
        self.turns.iter().map(|turn| Turn(turn.load(Ordering::Relaxed)).count()).sum()
    }

    /// The quota of the first class.
    pub(crate) fn quota(&self) -> Quota {
        self.classes[0].quota
    }

    pub(crate) fn sets(&self) -> usize {
        self.sets.len()
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    pub(crate) fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }
}
