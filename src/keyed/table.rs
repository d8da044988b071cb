//! A set-associative table of tagged states. The protocol is told in [`KeyedLimiter`](super::KeyedLimiter#inside).

use super::WhenFull;
use crate::Timestamp;
use crate::algorithm::Rule;
use crate::cell::{Atom, Cell};
use crate::quota::Quota;
use crate::sync::unmodelled::Counter;
use crate::sync::{AtomicU64, Ordering, order};
use crate::word::Word;

/// The slots of a set: all that one key can be in. Few under the model checker and the random scheduler, so that
/// they are soon full.
pub(crate) const WAYS: usize = if cfg!(any(casgate_loom, casgate_shuttle)) { 2 } else { 64 };

/// A slot, from the highest bit: the tag of its key, and the low bits of the rule's word. Zero if it has
/// never been used.
const STATE_BITS: u32 = 40;
const STATE: u64 = (1 << STATE_BITS) - 1;
const TAG_BITS: u32 = 64 - STATE_BITS;

/// A slot. Whoever finds a state also finds the `top` and the floors that were raised for it.
#[derive(Debug)]
struct Way(AtomicU64);

impl Atom for Way {
    type Bits = u64;

    #[inline]
    fn load(&self) -> u64 {
        // Acquire: see the type.
        self.0.load(order::WAY_LOAD)
    }

    #[inline]
    fn exchange(&self, seen: u64, next: u64) -> Result<(), u64> {
        // Release if won, Acquire if lost: see the type.
        self.0.compare_exchange_weak(seen, next, order::WAY_WON, order::WAY_LOST).map(drop)
    }
}

const fn tag_of(bits: u64) -> u64 {
    bits >> STATE_BITS
}

/// Where a key is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    set: usize,
    /// Not zero. Its upper bits are the class, its lower ones the way at which the search begins: keys with
    /// one tag are looked for in the same order, and are one key to the table.
    tag: u64,
    class: usize,
}

impl Place {
    fn ways(self) -> impl Iterator<Item = usize> {
        (0..WAYS).map(move |i| (self.tag as usize + i) % WAYS)
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

/// One quota and what its keys' states have in common.
#[derive(Debug)]
struct Class<R> {
    rule: R,
    /// No state of the class is a larger word than this.
    top: AtomicU64,
    /// How far `top` is raised beyond what needs it, so that it seldom is.
    headroom: u64,
}

impl<R: Rule> Class<R> {
    fn new(quota: Quota) -> Self {
        let rule = R::in_few_bits(quota);
        let headroom = rule.fresh(Timestamp::from_millis(1)).bits().max(rule.most_owed());
        Self { rule, top: AtomicU64::new(headroom), headroom }
    }

    /// The word of which `bits` keeps the low ones: the largest up to `top`.
    #[inline]
    fn word(&self, bits: u64) -> Word {
        // Relaxed: what is needed for `bits` came with them.
        let top = self.top.load(Ordering::Relaxed);
        Word::from_bits(top.saturating_sub(top.wrapping_sub(bits) & STATE))
    }

    /// The floor that must be if this slot is given away: above its word, so that no slot is ever again what it was
    /// before an insertion.
    #[inline]
    fn given_away(&self, bits: u64) -> Word {
        self.rule.word_from(self.word(bits).bits().saturating_add(1))
    }

    /// The slot that keeps `word` for `tag`.
    #[inline]
    fn bits(&self, tag: u64, word: Word) -> u64 {
        let mut top = self.top.load(Ordering::Relaxed);
        if word.bits() > top {
            top = word.bits().saturating_add(self.headroom);
            // Relaxed: the exchange that makes the word visible releases it.
            self.top.fetch_max(top, Ordering::Relaxed);
        }
        // A word so old that it could be taken for a newer one owes nothing, whichever it is.
        let word = self.rule.word_from(word.bits().max(top.saturating_sub(STATE / 2)));
        tag << STATE_BITS | word.bits() & STATE
    }
}

/// What became of a request.
pub(crate) type Decided = Result<Word, Refused>;

/// Why a request was refused.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refused {
    /// By its quota, the key's state being this word.
    Limit(Word),
    /// There is no slot for it until that time.
    Full(Timestamp),
}

#[derive(Debug)]
pub(crate) struct Table<R> {
    sets: Box<[[Cell<Way>; WAYS]]>,
    turns: Box<[AtomicU64]>,
    /// For each set and class: no key of the class that is not in the set has a word as large as this, unless
    /// both are zero.
    floors: Box<[AtomicU64]>,
    classes: Box<[Class<R>]>,
    class_bits: u32,
    /// Only numbers, so every access is `Relaxed`.
    evicted: Counter,
    refused: Counter,
}

impl<R: Rule> Table<R> {
    pub(crate) fn new(quotas: impl IntoIterator<Item = Quota>, sets: usize) -> Self {
        let classes: Box<[_]> = quotas.into_iter().map(Class::new).collect();
        let zeros = |n: usize| (0..n).map(|_| AtomicU64::new(0)).collect();
        let empty = |_| Cell::of(Way(AtomicU64::new(0)));
        Self {
            sets: (0..sets).map(|_| core::array::from_fn(empty)).collect(),
            turns: zeros(sets),
            floors: zeros(sets * classes.len()),
            class_bits: usize::BITS - (classes.len() - 1).leading_zeros(),
            classes,
            evicted: Counter::new(0),
            refused: Counter::new(0),
        }
    }

    /// Set and tag come from different bits of the hash.
    #[inline]
    pub(crate) fn place(&self, hash: u64, class: usize) -> Place {
        let set = ((hash & 0xffff_ffff) * self.sets.len() as u64) >> 32;
        let class = class.min(self.classes.len() - 1);
        let of_hash = hash >> (STATE_BITS + self.class_bits);
        let tag = (class as u64) << (TAG_BITS - self.class_bits) | of_hash;
        Place { set: set as usize, tag: tag.max(1), class }
    }

    pub(crate) fn rule(&self, at: Place) -> &R {
        &self.classes[at.class].rule
    }

    fn class_of(&self, tag: u64) -> usize {
        (tag >> (TAG_BITS - self.class_bits)) as usize
    }

    fn floor(&self, set: usize, class: usize) -> &AtomicU64 {
        &self.floors[set * self.classes.len() + class]
    }

    /// The word of a key that is not in the set.
    fn newcomer(&self, set: usize, class: usize) -> Word {
        // Relaxed: an eviction of the key happened before the insertions that have been seen.
        let floor = self.floor(set, class).load(Ordering::Relaxed);
        self.classes[class].rule.word_from(floor)
    }

    /// The way that has the key. None is free before it: a key takes the first that is, and a way is
    /// never free again.
    #[inline]
    fn find(&self, at: Place) -> Option<&Cell<Way>> {
        let set = &self.sets[at.set];
        for way in at.ways() {
            let bits = set[way].load();
            if tag_of(bits) == at.tag {
                return Some(&set[way]);
            }
            if bits == 0 {
                return None;
            }
        }
        None
    }

    #[inline]
    pub(crate) fn check(&self, at: Place, n: u32, now: Timestamp, full: WhenFull) -> Decided {
        if n == 0 {
            let word = self.look(at);
            return Ok(self.rule(at).decide(word, 0, now).unwrap_or(word));
        }
        if let Some(decided) = self.find(at).and_then(|way| self.decide(way, at, n, now)) {
            return decided;
        }
        self.check_newcomer(at, n, now, full)
    }

    /// As in a limiter of one key; `None` if the way is another key's.
    #[inline]
    fn decide(&self, way: &Cell<Way>, at: Place, n: u32, now: Timestamp) -> Option<Decided> {
        let class = &self.classes[at.class];
        let word = core::cell::Cell::new(None);
        let outcome = way.update(|bits| {
            word.set((tag_of(bits) == at.tag).then(|| class.word(bits)));
            let next = class.rule.decide(word.get()?, n, now)?;
            word.set(Some(next));
            Some(class.bits(at.tag, next))
        });
        let word = word.get()?;
        Some(outcome.map(|_| word).map_err(|_| Refused::Limit(word)))
    }

    #[cold]
    #[inline(never)]
    fn check_newcomer(&self, at: Place, n: u32, now: Timestamp, full: WhenFull) -> Decided {
        loop {
            if let Some(refused) = self.seat(at, n, now, full) {
                return Err(refused);
            }
            if let Some(decided) = self.find(at).and_then(|way| self.decide(way, at, n, now)) {
                return decided;
            }
        }
    }

    /// Gives the key a way, unless it is refused anyhow.
    fn seat(&self, at: Place, n: u32, now: Timestamp, full: WhenFull) -> Option<Refused> {
        let turn = &self.turns[at.set];
        // Acquire: the scan sees every insertion up to this one.
        let last = Turn(turn.load(order::TURN_LOAD));
        self.complete(at.set, last);

        let own = &self.classes[at.class];
        let own_fresh = own.rule.fresh(now);
        // The first way that owes nothing, else the one that owes least: what it owes, whose it is,
        // and the way.
        let mut seat: Option<(u64, u64, usize)> = None;
        for way in at.ways() {
            let bits = self.sets[at.set][way].load();
            if tag_of(bits) == at.tag {
                return None;
            }
            let owed = if bits == 0 {
                0
            } else {
                let class = self.class_of(tag_of(bits));
                let of = &self.classes[class];
                let fresh = if class == at.class { own_fresh } else { of.rule.fresh(now) };
                of.given_away(bits).bits().saturating_sub(fresh.bits())
            };
            if seat.is_none_or(|(least, ..)| owed < least) {
                seat = Some((owed, bits, way));
            }
            if bits == 0 {
                break;
            }
        }
        let (owed, bits, way) = seat?;
        let victim = (bits != 0).then(|| self.class_of(tag_of(bits)));

        let mut word = self.newcomer(at.set, at.class);
        if victim == Some(at.class) {
            word = word.max(own.given_away(bits));
        }
        let refused = if owed > 0 && full == WhenFull::RefuseNewcomers {
            let rule = &self.classes[victim.unwrap_or(at.class)].rule;
            let least = Word::from_bits(rule.fresh(now).bits() + owed);
            Some(Refused::Full(now + rule.snapshot(least, now).reset_after()))
        } else if own.rule.decide(word, n, now).is_none() {
            Some(Refused::Limit(word))
        } else {
            None
        };
        if refused.is_some() {
            // Judged as absent, which it was only if nobody has been inserted since.
            let refused = refused.filter(|_| turn.load(order::TURN_LOAD) == last.0);
            if let Some(Refused::Full(_)) = refused {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
            return refused;
        }

        let next = last.next(at.tag, way);
        // Release: who sees this insertion sees those before it.
        let won = turn.compare_exchange(last.0, next.0, order::TURN_WON, Ordering::Relaxed);
        if won.is_ok() {
            if owed > 0 {
                self.evicted.fetch_add(1, Ordering::Relaxed);
            }
            self.complete(at.set, next);
        }
        None
    }

    /// Does what is left to do of an insertion: anybody may. The key is charged with the most that any key
    /// not in the set can owe, for it may be one of them.
    fn complete(&self, set: usize, turn: Turn) {
        if turn.count() == 0 {
            return;
        }
        let _ = self.sets[set][turn.way()].update(|bits| {
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
                let class = self.class_of(tag_of(bits));
                let floor = self.classes[class].given_away(bits);
                // Before the way changes hands, whose exchange releases it: Relaxed.
                self.floor(set, class).fetch_max(floor.bits(), Ordering::Relaxed);
            }
            let class = self.class_of(turn.tag());
            Some(self.classes[class].bits(turn.tag(), self.newcomer(set, class)))
        });
    }

    /// The key's word, or that of a newcomer in a set with room.
    pub(crate) fn look(&self, at: Place) -> Word {
        let class = &self.classes[at.class];
        let seen = self.find(at).map(|way| way.load()).filter(|&bits| tag_of(bits) == at.tag);
        seen.map_or_else(|| self.newcomer(at.set, at.class), |bits| class.word(bits))
    }

    /// Forgives the key what it owes, down to what a newcomer would.
    pub(crate) fn reset(&self, at: Place) {
        let Some(way) = self.find(at) else { return };
        let class = &self.classes[at.class];
        let _ = way.update(|bits| {
            (tag_of(bits) == at.tag).then(|| {
                let full = class.rule.reset(class.word(bits));
                class.bits(at.tag, full.max(self.newcomer(at.set, at.class)))
            })
        });
    }

    /// How many keys owe something at `now`.
    pub(crate) fn owing(&self, now: Timestamp) -> usize {
        let used = self.sets.iter().flatten().map(Cell::load).filter(|&bits| bits != 0);
        used.filter(|&bits| {
            let class = &self.classes[self.class_of(tag_of(bits))];
            class.word(bits) > class.rule.fresh(now)
        })
        .count()
    }

    pub(crate) fn inserted(&self) -> u64 {
        self.turns.iter().map(|turn| Turn(turn.load(Ordering::Relaxed)).count()).sum()
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
