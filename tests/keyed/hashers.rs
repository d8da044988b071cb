//! Any 64-bit hash will do: sets and tags are well spread, whatever bits of it differ.

use crate::given::Kind;
use casgate::{KeyedLimiter, Quota, Timestamp};
use std::hash::{BuildHasher, Hasher};

/// A hash of a `u64` that is a function of it.
#[derive(Clone, Copy)]
struct Weak(Hash);

struct State(Hash, u64);

impl BuildHasher for Weak {
    type Hasher = State;

    fn build_hasher(&self) -> State {
        State(self.0, 0)
    }
}

impl Hasher for State {
    fn write(&mut self, _: &[u8]) {
        unreachable!("only numbers are hashed");
    }

    fn write_u64(&mut self, key: u64) {
        self.1 = (self.0)(key);
    }

    fn finish(&self) -> u64 {
        self.1
    }
}

type Hash = fn(u64) -> u64;

const WEAK: [(&str, Hash); 13] = [
    ("identity", |key| key),
    ("key << 8", |key| key << 8),
    ("key << 20", |key| key << 20),
    ("key << 32", |key| key << 32),
    ("key << 40", |key| key << 40),
    ("key << 48", |key| key << 48),
    ("steps of 4096", |key| 0x7f00_0000_0000 + key * 4_096),
    ("reversed bits", u64::reverse_bits),
    ("constant high bits", |key| 0xdead_beef << 32 | key),
    ("constant low bits", |key| key << 32 | 0xdead_beef),
    ("FxHash", |key| key.wrapping_mul(0x517c_c1b7_2722_0a95)),
    ("FNV's prime", |key| (0xcbf2_9ce4_8422_2325 ^ key).wrapping_mul(0x100_0000_01b3)),
    ("the golden ratio", |key| key.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
];

/// As many as the capacity, each with its own permits.
#[test]
fn as_many_keys_as_the_capacity_fit_with_any_hash() {
    let quota = Quota::per_hour(2);
    for (name, hash) in WEAK {
        for capacity in [1_000, 10_000, 65_000] {
            let keyed = Kind::Bucket.keyed(quota, capacity).with_hasher(Weak(hash));
            let keys = 0..capacity as u64;
            let passed = |_: u32| {
                keys.clone().filter(|key| keyed.is_allowed_at(key, Timestamp::ZERO)).count()
            };
            let counts = [0, 1, 2].map(passed);
            assert_eq!(counts, [capacity, capacity, 0], "{name}, {capacity} keys");
            assert_eq!(keyed.stats().evicted, 0, "{name}, {capacity} keys");
        }
    }
}

/// Keys of one set are told apart by 34 bits: of 160 in a full set, none is taken for another of a million.
#[test]
fn keys_of_one_set_are_not_confused() {
    let quota = Quota::per_hour(1);
    for (name, hash) in WEAK {
        let keyed = KeyedLimiter::token_bucket(quota, 1).with_hasher(Weak(hash));
        for key in 0..160u64 {
            assert!(keyed.is_allowed_at(&key, Timestamp::ZERO), "{name}: {key} is confused");
        }
        assert_eq!(keyed.stats().inserted, 160, "{name}");
        // A year later each takes an unspent slot, unless it is taken for a key that is there.
        for key in 160..60_000u64 {
            let now = Timestamp::from_secs(key * 4_000);
            assert!(keyed.is_allowed_at(&key, now), "{name}: {key} is confused");
        }
        assert_eq!(keyed.stats().inserted, 60_000, "{name}");
    }
}

/// A new key has the tag of one of 160 with a probability of 160·2⁻³⁴: 10⁻⁸.
#[test]
fn the_documented_odds_of_confusion_are_right() {
    let odds = 160.0 * f64::powi(2.0, -34);
    assert!((odds / 1e-8 - 1.0).abs() < 0.1, "{odds:e}");
}
