//! Several limits in one decision: all or none.

use casgate::{
    Admitted, All, Denied, DeniedBy, FixedWindow, KeyedLimiter, Limit, LimitN, Limiter, Quota,
    Snapshot, Timestamp, TokenBucket,
};
use proptest::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn quotas() -> impl Strategy<Value = Quota> {
    (1..9u32, 9..60u64).prop_map(|(l, w)| Quota::new(l, Duration::from_micros(w)).unwrap())
}

/// A bucket, a window, two quotas and a key.
struct Limits {
    bucket: Limiter,
    window: Limiter<FixedWindow>,
    both: Limiter<casgate::algorithm::Both<TokenBucket, FixedWindow>>,
    keyed: KeyedLimiter,
}

impl Limits {
    fn new([a, b, c, d]: [Quota; 4]) -> Self {
        Self {
            bucket: Limiter::token_bucket(a),
            window: Limiter::fixed_window(b),
            both: Limiter::both(TokenBucket::new(c), FixedWindow::new(a)),
            keyed: KeyedLimiter::token_bucket(d, 10),
        }
    }

    fn each(&self, mut visit: impl FnMut(usize, &dyn LimitN)) {
        let key = self.keyed.key("a");
        let all: [&dyn LimitN; 4] = [&self.bucket, &self.window, &self.both, &key];
        all.into_iter().enumerate().for_each(|(i, limit)| visit(i, limit));
    }

    fn left(&self, now: Timestamp) -> [Snapshot; 4] {
        let mut left = [self.bucket.peek_at(now); 4];
        self.each(|i, limit| left[i] = limit.peek_at(now));
        left
    }

    fn ask(&self, weights: [u32; 4], now: Timestamp) -> Result<[Admitted; 4], DeniedBy> {
        let key = self.keyed.key("a");
        let [a, b, c, d] = weights;
        All::new([(&self.bucket, a), (&self.window, b), (&self.both, c), (&key, d)]).check_at(now)
    }
}

proptest! {
    #[test]
    fn all_admit_or_nothing_is_spent(
        quotas in [quotas(), quotas(), quotas(), quotas()],
        trace in prop::collection::vec(([0..4u32, 0..4u32, 0..4u32, 0..10u32], 0..30_000u64), 1..40),
    ) {
        let (limits, singly) = (Limits::new(quotas), Limits::new(quotas));
        let mut now = 0;
        for (weights, step) in trace {
            now += step;
            let before = limits.left(at(now));
            let answer = limits.ask(weights, at(now));
            let fits = (0..4).all(|i| weights[i] <= before[i].remaining());
            prop_assert_eq!(answer.is_ok(), fits);
            match answer {
                Ok(admitted) => {
                    let mut same = true;
                    singly.each(|i, limit| {
                        same &= limit.check_n_at(weights[i], at(now)) == Ok(admitted[i]);
                    });
                    prop_assert!(same, "as each by itself");
                }
                Err(by) => {
                    prop_assert!(weights[by.index()] > before[by.index()].remaining());
                    prop_assert_eq!(limits.left(at(now)), before);
                    // It denies for as long as any of them.
                    let wait = |denied: Denied| denied.retry_after().unwrap_or(Duration::MAX);
                    let mut longest = Duration::ZERO;
                    singly.each(|i, limit| {
                        if weights[i] > before[i].remaining() {
                            longest = longest.max(wait(limit.check_n_at(weights[i], at(now)).unwrap_err()));
                        }
                    });
                    prop_assert_eq!(wait(by.denied()), longest);
                }
            }
            prop_assert_eq!(limits.left(at(now)), singly.left(at(now)));
        }
    }

    #[test]
    fn a_refund_gives_all_back(quotas in [quotas(), quotas(), quotas(), quotas()]) {
        let limits = Limits::new(quotas);
        let before = limits.left(at(0)).map(|left| left.remaining());
        let key = limits.keyed.key("a");
        let all = All::new([(&limits.bucket, 1), (&limits.window, 1), (&limits.both, 1), (&key, 1)]);
        let admitted = all.check_at(at(0)).unwrap();
        prop_assert!(limits.left(at(0)).iter().zip(before).all(|(left, had)| left.remaining() == had - 1));
        all.refund(&admitted);
        prop_assert_eq!(limits.left(at(0)).map(|left| left.remaining()), before);
    }
}

/// A limit that admits when it is asked alone and denies the second time: as one whose last permit another caller took.
struct TakenMeanwhile(AtomicU32);

impl Limit for TakenMeanwhile {
    fn check(&self) -> Result<Admitted, Denied> {
        self.check_n(1)
    }

    fn check_at(&self, now: Timestamp) -> Result<Admitted, Denied> {
        self.check_n_at(1, now)
    }

    fn peek(&self) -> Snapshot {
        self.peek_at(at(0))
    }

    fn peek_at(&self, now: Timestamp) -> Snapshot {
        Limiter::token_bucket(Quota::per_second(9)).peek_at(now)
    }
}

impl LimitN for TakenMeanwhile {
    fn check_n(&self, n: u32) -> Result<Admitted, Denied> {
        self.check_n_at(n, at(0))
    }

    fn check_n_at(&self, _: u32, now: Timestamp) -> Result<Admitted, Denied> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Limiter::token_bucket(Quota::per_second(1)).check_n_at(2, now)
    }

    fn refund(&self, _: &Admitted) {}

    fn charge(&self, n: u32) -> Result<Admitted, Denied> {
        self.check_n(n)
    }
}

#[test]
fn a_denial_that_comes_late_gives_the_others_back() {
    let (first, second) =
        (Limiter::token_bucket(Quota::per_second(5)), Limiter::fixed_window(Quota::per_second(5)));
    let last = TakenMeanwhile(AtomicU32::new(0));
    let denied = All::new([(&first, 2), (&second, 3), (&last, 1)]).check_at(at(0)).unwrap_err();
    assert_eq!((denied.index(), last.0.load(Ordering::Relaxed)), (2, 1));
    assert_eq!(first.peek_at(at(0)).remaining(), 5);
    assert_eq!(second.peek_at(at(0)).remaining(), 5);
}

#[test]
fn threads_never_get_more_than_the_bound_of_each() {
    let (few, many) =
        (Limiter::token_bucket(Quota::per_hour(50)), Limiter::fixed_window(Quota::per_hour(400)));
    let (passed, lost) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    match All::new([(&few, 1), (&many, 3)]).check_at(at(7)) {
                        Ok(_) => passed.fetch_add(1, Ordering::Relaxed),
                        Err(_) => lost.fetch_add(1, Ordering::Relaxed),
                    };
                }
            });
        }
    });
    let passed = passed.into_inner();
    assert!(passed <= 50, "{passed} of 50");
    assert_eq!(few.peek_at(at(7)).remaining(), 50 - passed);
    assert_eq!(many.peek_at(at(7)).remaining(), 400 - 3 * passed);
    assert_eq!(passed + lost.into_inner(), 800);
}
