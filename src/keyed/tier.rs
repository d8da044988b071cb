//! The quotas of a keyed limiter, which can change while others decide.

use super::owner::Id;
use super::pace::{Kind, Pace, Unfit};
use super::units::FIELDS;
use crate::sync::{AtomicU64, Ordering, fence, order, wait_a_little};
use crate::{Quota, Timestamp};
use core::time::Duration;

/// What the keys of a tier are allowed.
///
/// ```
/// use casgate::{Allowance, KeyedLimiter, Quota};
///
/// const FREE: u16 = 0;
/// const BANNED: u16 = 1;
/// const STAFF: u16 = 2;
/// let limiter = KeyedLimiter::token_bucket(Quota::per_minute(60), 10_000)
///     .with_tiers([Allowance::Blocked, Allowance::Unlimited]);
/// assert!(limiter.key("ada").tier(FREE).check().is_ok());
/// assert!(limiter.key("mallory").tier(BANNED).check().is_err());
/// assert!(limiter.key("root").tier(STAFF).check_n(1_000_000).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Allowance {
    /// As many permits as the quota allows.
    Quota(Quota),
    /// No permits. What a key has spent is kept, and is repaid as it was before.
    Blocked,
    /// Any number of permits, which are not counted.
    Unlimited,
}

impl From<Quota> for Allowance {
    fn from(quota: Quota) -> Self {
        Self::Quota(quota)
    }
}

/// What a tier that never had a quota is counted in: what a key is charged there stays for years.
const NO_QUOTA: Quota = Quota::literal(1 << 26, Duration::from_secs(365 * 86_400));

/// One tier. Its pace stands in the first of two places. While it changes, the new one stands in
/// the second, and the old one in the first until all keys are carried over: so neither is written
/// while it is read.
///
/// | version | in force | before it |
/// |---|---|---|
/// | even | first place | |
/// | odd: keys are being carried over | second place | first place |
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Tier {
    places: [PaceAndUnit; 2],
    /// Two for each change: see the type.
    version: AtomicU64,
    /// The timestamp of the last change.
    since: AtomicU64,
    /// Odd while a change is under way.
    changing: AtomicU64,
}

/// A pace, and how long its unit is: a cache line.
#[derive(Debug)]
#[repr(align(64))]
struct PaceAndUnit {
    pace: [AtomicU64; FIELDS],
    /// Which no hit reads.
    unit: AtomicU64,
}

impl PaceAndUnit {
    fn new(pace: Pace) -> Self {
        Self { pace: pace.to_fields().map(AtomicU64::new), unit: AtomicU64::new(pace.unit()) }
    }

    #[inline(always)]
    fn pace(&self) -> Pace {
        // Relaxed: a later pace, if one is read, is noticed by `is_still`.
        Pace::of_fields(self.pace.each_ref().map(|field| field.load(Ordering::Relaxed)))
    }

    fn put(&self, pace: Pace) {
        // Relaxed: released by what `Tier::put` does before and after.
        for (field, value) in self.pace.iter().zip(pace.to_fields()) {
            field.store(value, Ordering::Relaxed);
        }
        self.unit.store(pace.unit(), Ordering::Relaxed);
    }
}

impl Tier {
    pub(crate) fn new(kind: Kind, allowance: Allowance) -> Result<Self, Unfit> {
        let pace = pace_of(kind, allowance, Pace::new(kind, NO_QUOTA)?)?;
        Ok(Self {
            places: [pace, pace].map(PaceAndUnit::new),
            version: AtomicU64::new(0),
            since: AtomicU64::new(0),
            changing: AtomicU64::new(0),
        })
    }

    #[inline(always)]
    pub(crate) fn version(&self) -> u64 {
        // Acquire: synchronizes with `publish`, so the pace is no older.
        self.version.load(order::VERSION_LOAD)
    }

    /// The pace of that version, for a hit; `None` while keys are carried over. To be trusted once
    /// [`is_still`](Self::is_still) has said so.
    #[inline(always)]
    pub(crate) fn settled_pace(&self, version: u64) -> Option<Pace> {
        (version & 1 == 0).then(|| self.places[0].pace())
    }

    fn pace_in(&self, place: usize) -> (Pace, u64) {
        let place = &self.places[place];
        // Relaxed: as the pace.
        (place.pace(), place.unit.load(Ordering::Relaxed))
    }

    /// The pace of that version, and how long its unit is: see [`time`](super::units::time).
    pub(crate) fn pace(&self, version: u64) -> (Pace, u64) {
        self.pace_in((version & 1) as usize)
    }

    /// The pace that the states of an id are counted in, and how long its unit is. For an id that
    /// no slot has any more it is some pace: the caller must find out.
    pub(crate) fn pace_of(&self, id: Id) -> (Pace, u64) {
        loop {
            let version = self.version();
            let place = (version & 1) as usize;
            let in_force = Id::new(id.tier() as u16, version) == id;
            let read = self.pace_in(if in_force { place } else { 1 - place });
            if self.is_still(version) {
                return read;
            }
        }
    }

    /// Whether that is the version, after what was read of the pace and of a slot.
    #[inline(always)]
    pub(crate) fn is_still(&self, version: u64) -> bool {
        // Acquire, to the Release fence in `publish`: if a field of a later pace was read, the version is
        // read as no older than the one before that.
        fence(order::PACE_FENCE);
        // Relaxed: nothing is read after it that depends on it.
        self.version.load(Ordering::Relaxed) == version
    }

    pub(crate) fn since(&self) -> Timestamp {
        // Relaxed: stored before the version that was read.
        Timestamp::from_nanos(self.since.load(Ordering::Relaxed))
    }

    /// Waits for the change that is under way, and begins one: `end` must follow.
    pub(crate) fn begin(&self) {
        // Acquire: synchronizes with `end`. Relaxed if lost: tried again.
        while self.changing.compare_exchange(0, 1, order::CHANGE_BEGIN, Ordering::Relaxed).is_err()
        {
            wait_a_little();
        }
    }

    pub(crate) fn end(&self) {
        // Release: see `begin`.
        self.changing.store(0, order::CHANGE_END);
    }

    /// Puts the allowance in force, as of `now`. Returns the version before if keys must be carried
    /// over to the next; then `settle` must follow. Called between `begin` and `end`.
    pub(crate) fn publish(
        &self,
        kind: Kind,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<Option<u64>, Unfit> {
        // Only this thread changes it now.
        let version = self.version();
        let (before, _) = self.pace(version);
        let next = pace_of(kind, allowance, before)?;
        if next == before {
            return Ok(None);
        }
        self.since.store(now.as_nanos(), Ordering::Relaxed);
        self.put(1, next, version + 1);
        Ok(Some(version))
    }

    /// After all keys are carried over: moves the pace to the first place.
    pub(crate) fn settle(&self) {
        let version = self.version();
        let (pace, _) = self.pace(version);
        self.put(0, pace, version + 1);
    }

    fn put(&self, place: usize, pace: Pace, version: u64) {
        // Release, to the Acquire fence in `is_still`: the version before.
        fence(order::PUBLISH_FENCE);
        self.places[place].put(pace);
        // Release: a thread that reads the version reads its pace.
        self.version.store(version, order::VERSION_STORE);
    }
}

/// The pace of a tier that had another before.
fn pace_of(kind: Kind, allowance: Allowance, before: Pace) -> Result<Pace, Unfit> {
    Ok(match allowance {
        Allowance::Quota(quota) => Pace::new(kind, quota)?,
        Allowance::Blocked => before.without_quota(false),
        Allowance::Unlimited => before.without_quota(true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else two would write to one place.
    #[test]
    fn one_change_at_a_time() {
        let tier = Tier::new(Kind::TokenBucket, Quota::per_hour(5).into()).unwrap();
        for _ in 0..3 {
            assert_eq!(tier.changing.load(Ordering::Relaxed), 0);
            tier.begin();
            assert_eq!(tier.changing.load(Ordering::Relaxed), 1, "another would not wait");
            tier.end();
        }
    }
}
