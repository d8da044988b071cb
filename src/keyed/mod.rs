//! A limit for each key.

mod build;
mod prefix;
mod slot;
mod stats;
mod table;
mod when_full;

pub use prefix::Ipv6Prefix;
pub use stats::Stats;
pub use when_full::WhenFull;

use crate::algorithm::{Rule, TokenBucket};
use crate::clock::{Clock, SystemClock};
use crate::decision::{Admitted, Denied, Snapshot};
use crate::timestamp::Timestamp;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use core::num::NonZeroU64;
use stats::Tally;
use std::hash::RandomState;
use table::{Decided, Place, Table, WAYS};

/// A limit for each key, lock-free, in memory that is fixed when it is made.
///
/// Keys are borrowed and only hashed: neither stored nor cloned. Any type that is [`Hash`] will do, and
/// the [`BuildHasher`] is by default the standard library's, whose random seed no caller can know.
///
/// ```
/// use casgate::{KeyedLimiter, Quota, Timestamp};
///
/// let logins = KeyedLimiter::<str>::token_bucket(Quota::per_minute(5), 100_000);
/// let now = Timestamp::ZERO;
/// for _ in 0..5 {
///     assert!(logins.check_at("ada", now).is_ok());
/// }
/// let denied = logins.check_at("ada", now).unwrap_err();
/// assert_eq!(denied.retry_after().unwrap().as_secs(), 12);
/// assert!(logins.check_at("grace", now).is_ok());
/// ```
///
/// One for the whole program, made at its first use:
///
/// ```
/// use casgate::{Ipv6Prefix, KeyedLimiter, Quota};
/// use std::net::IpAddr;
/// use std::sync::LazyLock;
///
/// static CLIENTS: LazyLock<KeyedLimiter<IpAddr>> =
///     LazyLock::new(|| KeyedLimiter::token_bucket(Quota::per_second(20).with_burst(50), 100_000));
///
/// let peer = IpAddr::from([0x2001, 0xdb8, 7, 1, 0, 0, 0, 1]);
/// assert!(CLIENTS.is_allowed(&Ipv6Prefix::default().of(peer)));
/// ```
///
/// # Guarantees
///
/// - **Sound, whatever comes.** No key is admitted more than its quota allows: not by several threads that
///   bring it for the first time at once, not after its slot has been given to another and it returns,
///   not in a flood of more keys than there is memory for.
/// - **Maximal while there is room.** While the keys that owe something fit, each is decided on as by a limiter of its
///   own. They fit as long as no *set* of 64 slots has more than 64 of them. Keys are spread evenly, so with
///   `capacity` keys that owe something at once, one set in about 1,500 is too small, and at 80 % of it
///   one in a million; in a set that is too small [`WhenFull`] decides.
/// - **Two keys are confused**, and share one limit, if they have the same set and the same 24 bits
///   of tag: two given keys with probability 2⁻²⁴ divided by the number of sets, a newcomer with one
///   of the 64 in a full set with 64·2⁻²⁴, 4 in a million.
/// - **Bounded.** A slot is 8 bytes; there are one and a half for each key of the capacity, and 1/32 more
///   for the sets: 12.4 bytes a key, 15.5 at 80 % of the capacity. Nothing is
///   allocated after the constructor, nothing needs to be swept, and no thread runs in the background.
/// - **Lock-free.** A thread that stops, wherever, stops nobody.
///
/// # Quotas
///
/// With [`fixed_window`](Self::fixed_window) a key is decided on exactly as by [`Limiter::fixed_window`]. A
/// slot has 40 bits for the state, so a [`token_bucket`](Self::token_bucket) counts in units of 1/u permit, where
/// u is the largest power of two up to 1024 with u·b ≤ 2²⁰ and at most 4 units to a nanosecond. An instant may
/// be early by less than a unit, that is N\[s, e\] ≤ b + ⌊(e − s)·L/W + 1/u⌋. A quota has at most 2²⁰ permits.
///
/// # Times
///
/// Of the state only the low 40 bits are kept. A key that has not been seen for more than 2³⁹ units of a bucket, which is
/// 2²⁹ emission intervals W/L where u is 1024, or 2³⁸/L windows, may then be taken for one that owes something,
/// and be refused for about the time that a burst takes to come back, or to the end of the window: with a probability below
/// 2⁻¹⁸ if that is more than a millisecond.
/// It is never taken for one that owes less than it does. A reading that is far ahead of all others moves that
/// horizon for all keys, so don't mix clocks.
///
/// # Inside
///
/// A *set* is 64 slots, each one atomic word: the tag of a key beside the state of its rule. To decide is to find the tag and move
/// the state in one exchange, as in a limiter of one key; the exchange fails if the slot has been given
/// to another key. The methods that decide are always inlined: what a caller does not read of the answer is then
/// not computed.
///
/// Keys are inserted one after the other in each set. A set's *turn* is a word that names the last
/// insertion: its number, slot and tag. Who brings a new key completes that insertion, scans the set for the
/// slot that owes least (an unused one, else the one idle for longest), and exchanges the turn for its own: that
/// succeeds only if nobody has inserted a key since the scan, so no key is ever in two slots. Then anybody can do
/// what is left, which is to give the slot to the tag.
///
/// Before a slot is given away, the set's *floor* is raised to what its key owes: the most that any key not
/// in the set can owe. A newcomer starts there. In a set with room the floor lies in the past and the newcomer is full;
/// in a full one it has the least debt there was. So no debt is forgotten, and no reading that comes
/// late finds a fresh limiter. (Cuckoo or linear-probing tables with tentative insertions, as of
/// Purcell and Harris, *Non-blocking hashtables with open addressing*, 2005, would use the memory a
/// little better; but there keys have different neighbours, and no floor to share.)
///
/// [`Limiter::fixed_window`]: crate::Limiter::fixed_window
pub struct KeyedLimiter<K: ?Sized, R = TokenBucket, C = SystemClock, S = RandomState> {
    table: Table<R>,
    clock: C,
    hasher: S,
    full: WhenFull,
    class_of: Option<fn(&K) -> usize>,
    tally: Option<Box<Tally>>,
}

impl<K: ?Sized, R: Rule, C, S> KeyedLimiter<K, R, C, S> {
    /// What has happened so far. Sums over the table, without stopping anybody.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_second(1), 100);
    /// assert!(limiter.check("a").is_ok());
    /// assert_eq!((limiter.stats().inserted, limiter.stats().admitted), (1, None));
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (admitted, denied) = self.tally.as_deref().map(Tally::read).unzip();
        Stats {
            admitted,
            denied,
            inserted: self.table.inserted(),
            evicted: self.table.evicted(),
            refused: self.table.refused(),
        }
    }

    /// How many keys owe something at `now`: an estimate, since others go on meanwhile. Looks at every slot.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::<u64>::token_bucket(Quota::per_second(1), 100);
    /// assert!((0..50).all(|key| limiter.is_allowed_at(&key, Timestamp::ZERO)));
    /// assert_eq!(limiter.len_at(Timestamp::ZERO), 50);
    /// assert_eq!(limiter.len_at(Timestamp::from_secs(1)), 0);
    /// ```
    #[must_use]
    pub fn len_at(&self, now: Timestamp) -> usize {
        self.table.owing(now)
    }
}

impl<K: Hash + ?Sized, R: Rule, C, S: BuildHasher> KeyedLimiter<K, R, C, S> {
    #[inline(always)]
    fn place(&self, key: &K) -> Place {
        let class = self.class_of.map_or(0, |class_of| class_of(key));
        self.table.place(self.hasher.hash_one(key), class)
    }

    #[inline(always)]
    fn decide(&self, at: Place, n: u32, now: Timestamp) -> Decided {
        self.table.check(at, n, now, self.full)
    }

    #[inline(always)]
    fn count(&self, decided: Decided) -> Decided {
        if let Some(tally) = &self.tally {
            tally.count(decided.is_admitted());
        }
        decided
    }

    /// The numbers of a decision, apart from it and always inlined: what the caller does not read
    /// is then not computed.
    #[inline(always)]
    fn answer(
        &self,
        at: Place,
        decided: Decided,
        n: u32,
        now: Timestamp,
    ) -> Result<Admitted, Denied> {
        match decided {
            Decided::Admitted(word) => Ok(self.table.rule(at).admitted(word, now)),
            Decided::Denied(word) => Err(self.table.rule(at).denied(word, n, now)),
            Decided::Full(until) => Err(self.refused(at, n, until, now)),
        }
    }

    #[cold]
    fn refused(&self, at: Place, n: u32, until: Timestamp, now: Timestamp) -> Denied {
        let rule = self.table.rule(at);
        let Snapshot { limit, .. } = rule.snapshot(rule.fresh(now), now);
        let wait = NonZeroU64::new(until.as_nanos().saturating_sub(now.as_nanos()));
        let reset_after = wait.map_or(0, NonZeroU64::get);
        let wait = wait.filter(|_| n <= limit);
        Denied { wait, now: Snapshot { limit, remaining: 0, reset_after }, by: 1 }
    }

    /// Asks for one of the key's permits at `now`. Reads no clock.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_second(2), 100);
    /// assert_eq!(limiter.check_at("a", Timestamp::ZERO)?.remaining(), 1);
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the permit does not fit, or the set is full; nothing is spent.
    #[inline(always)]
    pub fn check_at(&self, key: &K, now: Timestamp) -> Result<Admitted, Denied> {
        self.check_n_at(key, 1, now)
    }

    /// Asks for `n` of the key's permits at `now`: all or none. Zero are always admitted.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_second(5), 100);
    /// assert!(limiter.check_n_at("a", 4, Timestamp::ZERO).is_ok());
    /// assert!(limiter.check_n_at("a", 2, Timestamp::ZERO).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`check_at`](Self::check_at).
    #[inline(always)]
    pub fn check_n_at(&self, key: &K, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
        let at = self.place(key);
        let decided = self.count(self.decide(at, n, now));
        self.answer(at, decided, n, now)
    }

    /// [`check_at`](Self::check_at) for callers that only branch.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_second(1), 100);
    /// assert!(limiter.is_allowed_at("a", Timestamp::ZERO));
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_allowed_at(&self, key: &K, now: Timestamp) -> bool {
        self.count(self.decide(self.place(key), 1, now)).is_admitted()
    }

    /// What the key has left at `now`; spends and inserts nothing.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_second(2), 100);
    /// assert_eq!(limiter.peek_at("a", Timestamp::ZERO).remaining(), 2);
    /// ```
    #[must_use]
    pub fn peek_at(&self, key: &K, now: Timestamp) -> Snapshot {
        let at = self.place(key);
        self.table.rule(at).snapshot(self.table.look(at), now)
    }

    /// Forgives the key what it owes. It is then full, unless its set has been flooded: it has then what a
    /// newcomer has. There is no other removal, since a slot that owes nothing is free.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_hour(1), 100);
    /// assert!(limiter.is_allowed_at("a", Timestamp::ZERO));
    /// limiter.reset("a");
    /// assert!(limiter.is_allowed_at("a", Timestamp::ZERO));
    /// ```
    #[doc(alias = "remove")]
    pub fn reset(&self, key: &K) {
        self.table.reset(self.place(key));
    }
}

impl<K: Hash + ?Sized, R: Rule, C: Clock, S: BuildHasher> KeyedLimiter<K, R, C, S> {
    /// Asks for one of the key's permits now. Reads the clock as [`Limiter::check`] does.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_hour(1), 100);
    /// assert!(limiter.check("a").is_ok() && limiter.check("a").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`check_at`](Self::check_at).
    ///
    /// [`Limiter::check`]: crate::Limiter::check
    #[inline(always)]
    pub fn check(&self, key: &K) -> Result<Admitted, Denied> {
        self.check_n(key, 1)
    }

    /// Asks for `n` of the key's permits now: all or none.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_hour(5), 100);
    /// assert!(limiter.check_n("a", 4).is_ok() && limiter.check_n("a", 2).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`check_at`](Self::check_at).
    #[inline(always)]
    pub fn check_n(&self, key: &K, n: u32) -> Result<Admitted, Denied> {
        let at = self.place(key);
        let (decided, now) = self.decide_now(at, n);
        self.answer(at, decided, n, now)
    }

    #[inline(always)]
    fn decide_now(&self, at: Place, n: u32) -> (Decided, Timestamp) {
        let mut now = self.clock.recent();
        let mut decided = self.decide(at, n, now);
        if self.is_near(at, decided, n, now) {
            now = self.clock.now();
            decided = self.decide_again(at, n, now);
        }
        (self.count(decided), now)
    }

    /// Whether the precise reading could say otherwise.
    #[inline(always)]
    fn is_near(&self, at: Place, decided: Decided, n: u32, now: Timestamp) -> bool {
        !C::MAX_LAG.is_zero()
            && match decided {
                Decided::Admitted(_) => false,
                Decided::Denied(word) => {
                    self.table.rule(at).is_due_within(word, n, now, C::MAX_LAG)
                }
                Decided::Full(until) => until <= now + C::MAX_LAG,
            }
    }

    #[cold]
    #[inline(never)]
    fn decide_again(&self, at: Place, n: u32, now: Timestamp) -> Decided {
        self.decide(at, n, now)
    }

    /// [`check`](Self::check) for callers that only branch.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_hour(1), 100);
    /// assert!(limiter.is_allowed("a"));
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn is_allowed(&self, key: &K) -> bool {
        self.decide_now(self.place(key), 1).0.is_admitted()
    }

    /// [`len_at`](Self::len_at) the time it is now.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_hour(2), 100);
    /// assert!(limiter.is_empty() && limiter.is_allowed("a") && limiter.len() == 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.len_at(self.clock.now())
    }

    /// Whether no key owes anything now.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// assert!(KeyedLimiter::<str>::token_bucket(Quota::per_hour(2), 100).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the key has left now; spends and inserts nothing.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::<str>::token_bucket(Quota::per_hour(2), 100);
    /// assert_eq!(limiter.peek("a").remaining(), 2);
    /// ```
    #[must_use]
    pub fn peek(&self, key: &K) -> Snapshot {
        self.peek_at(key, self.clock.now())
    }
}

impl<K: ?Sized, R: Rule, C, S> fmt::Debug for KeyedLimiter<K, R, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedLimiter")
            .field("slots", &(self.table.sets() * WAYS))
            .field("when_full", &self.full)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
