//! A limit for each key.

mod ask;
mod build;
mod charge;
mod configure;
mod error;
mod give_back;
mod hand_on;
pub mod inside;
mod key;
mod many;
mod owner;
mod pace;
mod peek;
mod place;
mod prefix;
mod record;
mod reservation;
mod search;
mod seat;
mod slot;
mod stats;
mod sweep;
mod table;
mod tier;
mod tiers;
mod units;
mod when_full;
mod whole;

pub use error::KeyedError;
pub use key::Key;
pub use place::Place;
pub use prefix::Ipv6Prefix;
pub use reservation::KeyedReservation;
pub use stats::Stats;
pub use tier::Allowance;
pub use when_full::WhenFull;

use crate::clock::SystemClock;
use alloc::boxed::Box;
use core::fmt;
use core::hash::{BuildHasher, Hash};
use stats::Tally;

/// What hashes keys unless [`with_hasher`](KeyedLimiter::with_hasher) says otherwise. Without `std`
/// there is none.
#[cfg(feature = "std")]
pub(crate) type Hasher = std::hash::RandomState;
#[cfg(not(feature = "std"))]
pub(crate) type Hasher = core::convert::Infallible;
use table::Table;

/// A limit for each key, lock-free, in memory that is fixed at construction.
///
/// ```
/// use casgate::{KeyedLimiter, Quota};
/// use std::sync::LazyLock;
///
/// static API: LazyLock<KeyedLimiter> =
///     LazyLock::new(|| KeyedLimiter::token_bucket(Quota::per_second(20).with_burst(50), 100_000));
///
/// let client = std::net::IpAddr::from([192, 0, 2, 7]);
/// assert!(API.check(&(client, "/login")).is_ok());
/// ```
///
/// Keys are borrowed and hashed, never stored, so any [`Hash`] type will do, and one limiter can be
/// asked with several. Equal hashes are one key: `"a"` and `String::from("a")` are, `1u32` and
/// `1u64` are not. For addresses use an [`Ipv6Prefix`].
///
/// # Guarantees
///
/// - **Never more than the quota of a key, and never early.** Each key is decided on as by a token
///   bucket or a fixed window of its own, with the same numbers. That holds when several threads
///   bring a key at once, after an eviction, and with late timestamps. A change of a key's tier
///   counts what is outstanding as of the timestamp of the change.
/// - **Less than 1 µs late.** A key may be admitted later than by a limiter of its own, since a
///   slot counts in units of 499 to 1,000 ns. On a clock that stands still between two units, the
///   last permit of a burst that is spent in parts is denied.
/// - **Rarely two keys in one.** Two keys share a limit if their hashes agree in a set and in 34
///   bits more. A new key does so with one of the 160 of a full set with a probability of 10⁻⁸.
/// - **Fixed memory.** A slot has 16 bytes, and there are one and a half for each key of the
///   capacity: with all that belongs to them 26 bytes a key. Nothing is allocated later, nothing is
///   swept, and no thread runs.
/// - **Lock-free.** A thread that stops anywhere stops no other. The exception is
///   [`set_quota`](Self::set_quota), where it stops other calls of it for that tier.
/// - **A wrong timestamp harms one key.** A timestamp from the far future spends the future of the
///   key that it came with, and [`reset`](Self::reset) undoes that. If that key is evicted, new
///   keys of its set wait as long, until [`clear`](Self::clear).
///
/// # Capacity
///
/// A key needs a slot while it has permits outstanding. Each key has a *set* of 160 slots, and
/// there are sets for one and a half times the capacity. If no more keys than the capacity have
/// permits outstanding, they all fit in 99.9 % of tables up to 100,000. In a full set [`WhenFull`]
/// decides what happens to a new key.
///
/// | capacity | memory | a key that fits has no slot, in one table of |
/// |---------:|-------:|---------------------------------------------:|
/// |    1,000 |  27 kB | 7·10⁷ |
/// |   10,000 | 260 kB | 25,000 |
/// |  100,000 | 2.6 MB | 2,000 |
/// | 1,000,000 | 26 MB | 180 |
///
/// **In a flood** of new keys none of this changes. New keys in a full set evict the keys whose
/// debt is repaid first, which are other new keys, and start with that debt. A key's debt survives
/// its eviction: until the *watermark* of its set has passed, each new key of the set starts with
/// as much. The instant at which the debt is repaid survives. So a key that returns in another
/// [tier](Key::tier) waits for as long, which may be for another number of permits.
///
/// # Examples
///
/// A limit on failed logins charges first, so that guesses that arrive together are counted, and
/// gives back on success:
///
/// ```
/// # use casgate::{Denied, KeyedLimiter, Quota};
/// # fn password_is_right() -> bool { true }
/// fn login(failures: &KeyedLimiter, user: &str) -> Result<bool, Denied> {
///     failures.check(user)?;
///     let right = password_is_right();
///     if right {
///         failures.reset(user);
///     }
///     Ok(right)
/// }
/// # let failures = KeyedLimiter::token_bucket(Quota::per_hour(5), 10_000);
/// # assert_eq!(login(&failures, "ada"), Ok(true));
/// ```
///
/// Several plans, one of which changes while the program runs:
///
/// ```
/// use casgate::{Allowance, KeyedLimiter, Quota, Timestamp};
///
/// #[derive(Clone, Copy)]
/// enum Plan { Free, Paid, Banned }
///
/// let limiter = KeyedLimiter::token_bucket(Quota::per_minute(60), 10_000)
///     .with_tiers([Allowance::from(Quota::per_minute(6_000)), Allowance::Blocked]);
/// let now = Timestamp::ZERO; // in service: `check`, `set_quota`, and no time
/// let ask = |user: &str, plan: Plan| limiter.key(user).tier(plan as u16).check_at(now);
///
/// assert!(ask("ada", Plan::Free).is_ok());
/// assert_eq!(ask("ada", Plan::Paid)?.remaining(), 5_998); // has upgraded, and keeps what it has spent
/// assert!(ask("mallory", Plan::Banned).is_err());
/// limiter.set_quota_at(Plan::Paid as u16, Quota::per_minute(10_000), now)?;
/// assert_eq!(ask("ada", Plan::Paid)?.remaining(), 9_997);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Range and ordering
///
/// Timestamps are distinguished for at least 67 years, counted from
/// [`Timestamp::ZERO`](crate::Timestamp::ZERO). Later ones count as the last. On a
/// [`UtcClock`](crate::clock::UtcClock#range) that can be in 2037.
///
/// Memory ordering: a decision synchronizes with nothing but the insertion of its key.
/// [`inside`](crate::inside) explains how it works.
pub struct KeyedLimiter<C = SystemClock, S = Hasher> {
    table: Table,
    clock: C,
    hasher: S,
    tally: Option<Box<Tally>>,
}

impl<C, S: BuildHasher> KeyedLimiter<C, S> {
    /// Returns what can be asked of one key, in tier 0.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(1), 100)
    ///     .with_tiers([Quota::per_second(100)]);
    /// assert_eq!(limiter.key("a").tier(1).peek().limit(), 100);
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn key<Q: Hash + ?Sized>(&self, key: &Q) -> Key<'_, C, S> {
        Key::new(self, self.locate(key))
    }

    /// Finds the key's place, which a caller can keep and ask at: that saves the hash, which is
    /// most of what a known key costs. A place is no reservation. The key may be evicted and
    /// return; its place stays.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_second(5), 100);
    /// let place = limiter.locate("connection 7"); // once
    /// assert!(limiter.at(place).check().is_ok()); // for each message
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn locate<Q: Hash + ?Sized>(&self, key: &Q) -> Place {
        self.table.place(self.hasher.hash_one(key))
    }
}

impl<C, S> KeyedLimiter<C, S> {
    /// Returns what can be asked of the key at a place, in tier 0. With a place of another limiter
    /// it is some key's.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// # let limiter = KeyedLimiter::token_bucket(Quota::per_second(5), 100);
    /// let place = limiter.locate("a");
    /// assert!(limiter.at(place).check_n(5).is_ok());
    /// assert!(limiter.check("a").is_err());
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn at(&self, place: Place) -> Key<'_, C, S> {
        Key::new(self, self.table.own(place))
    }
}

impl<C, S> fmt::Debug for KeyedLimiter<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedLimiter")
            .field("slots", &self.table.slots())
            .field("tiers", &self.table.tiers.len())
            .field("when_full", &self.table.full)
            .finish_non_exhaustive()
    }
}
