//! Limits for each key: beside single limiters and an exact reference while the keys fit, and against each
//! key's own bound when they do not.

mod answers;
mod attacks;
mod beside;
mod differential;
mod exact;
mod full;
mod given;
mod hashers;
mod interval;
mod late;
mod odds;
mod operations;
mod ops;
mod reservations;
mod room;
mod rows;
mod sizes;
mod storm;
mod tiers;
mod years;

use casgate::KeyedLimiter;
use casgate::clock::SystemClock;
use nohash_hasher::BuildNoHashHasher;

/// Slots of a set.
const WAYS: u64 = 160;

/// The key is its own hash.
type Unhashed = BuildNoHashHasher<u64>;

fn unhashed(keyed: KeyedLimiter) -> KeyedLimiter<SystemClock, Unhashed> {
    keyed.with_hasher(Unhashed::default())
}
