//! Leases that race checks and each other.

use super::{WINDOW, at, join};
use crate::explore::thread;
use crate::seeded::{AtomicU64, Relaxed};
use crate::turn::Turn;
use casgate::algorithm::Rule;
use casgate::{FixedWindow, Limiter, Quota, Timestamp, TokenBucket};
use std::sync::Arc;
use std::time::Duration;

/// A limiter that leases.
pub trait Lessor: Send + Sync + 'static {
    /// One that nobody has asked yet.
    fn with_quota(quota: Quota) -> Self;

    /// Spends one permit at each of `readings` from one lease of up to two; which were admitted?
    fn spend_leased(&self, readings: &[u64]) -> Vec<u64>;

    /// Whether `n` permits are admitted at `now`.
    fn allows(&self, n: u32, now: Timestamp) -> bool;

    /// The permits left at `now`.
    fn left(&self, now: Timestamp) -> u32;
}

/// Spends from a lease of up to two.
fn spend_leased<R: Rule>(limiter: &Limiter<R>, readings: &[u64]) -> Vec<u64> {
    let lease = limiter.lease(2);
    readings.iter().copied().filter(|&now| lease.is_allowed_at(at(now))).collect()
}

macro_rules! lessor {
    ($rule:ty, $new:path) => {
        impl Lessor for Limiter<$rule> {
            fn with_quota(quota: Quota) -> Self {
                $new(quota)
            }

            fn spend_leased(&self, readings: &[u64]) -> Vec<u64> {
                spend_leased(self, readings)
            }

            fn allows(&self, n: u32, now: Timestamp) -> bool {
                self.check_n_at(n, now).is_ok()
            }

            fn left(&self, now: Timestamp) -> u32 {
                self.peek_at(now).remaining()
            }
        }
    };
}

lessor!(FixedWindow, Limiter::fixed_window);
lessor!(TokenBucket, Limiter::token_bucket);

/// Gives back to whichever window there is by then: a wrong lessor.
#[derive(Debug)]
pub struct GivesBackAnyway(Limiter<FixedWindow>);

impl Lessor for GivesBackAnyway {
    fn with_quota(quota: Quota) -> Self {
        Self(Limiter::fixed_window(quota))
    }

    fn spend_leased(&self, readings: &[u64]) -> Vec<u64> {
        let Some(&first) = readings.first() else { return Vec::new() };
        if self.0.check_n_at(2, at(first)).is_err() {
            return Vec::new();
        }
        let window = |now: u64| now / WINDOW;
        let spent: Vec<u64> =
            readings.iter().copied().take(2).filter(|&now| window(now) == window(first)).collect();
        self.0.refund_n(2 - spent.len() as u32);
        spent
    }

    fn allows(&self, n: u32, now: Timestamp) -> bool {
        self.0.check_n_at(n, now).is_ok()
    }

    fn left(&self, now: Timestamp) -> u32 {
        self.0.peek_at(now).remaining()
    }
}

/// Looks at what is left and takes it in a second step, whatever has happened between them: another.
#[derive(Debug)]
pub struct TwoStepLease(AtomicU64, u32);

impl Lessor for TwoStepLease {
    fn with_quota(quota: Quota) -> Self {
        Self(AtomicU64::new(0), quota.permits())
    }

    fn spend_leased(&self, readings: &[u64]) -> Vec<u64> {
        let left = self.left(at(0));
        let taken = 2.min(left);
        self.0.fetch_add(taken.into(), Relaxed);
        let spent: Vec<u64> = readings.iter().copied().take(taken as usize).collect();
        self.0.fetch_sub(u64::from(taken) - spent.len() as u64, Relaxed);
        spent
    }

    fn allows(&self, n: u32, _: Timestamp) -> bool {
        let step =
            |spent| (spent + u64::from(n) <= u64::from(self.1)).then_some(spent + u64::from(n));
        self.0.fetch_update(Relaxed, Relaxed, step).is_ok()
    }

    fn left(&self, _: Timestamp) -> u32 {
        self.1.saturating_sub(self.0.load(Relaxed) as u32)
    }
}

/// Sixteen permits, of which two leases take two at a time and a check takes thirteen or fourteen: never
/// more than sixteen, and afterwards a window has what was not spent.
///
/// # Panics
///
/// If not.
pub fn leases_race<L: Lessor>(check: u32, exact: bool) {
    const LIMIT: u32 = 16;
    let quota = Quota::new(LIMIT, Duration::from_nanos(16 * WINDOW)).expect("slow enough");
    let lessor = Arc::new(L::with_quota(quota));
    let turn = Turn::default();
    let callers = [
        turn.spawn(&lessor, |lessor| lessor.spend_leased(&[0, 0, 0]).len() as u32),
        turn.spawn(&lessor, |lessor| lessor.spend_leased(&[0]).len() as u32),
        turn.spawn(&lessor, move |lessor| if lessor.allows(check, at(0)) { check } else { 0 }),
    ];
    let spent: u32 = join(callers).iter().sum();
    let left = lessor.left(at(0));
    assert!(spent <= LIMIT, "{spent} spent of {LIMIT}");
    assert!(spent + left <= LIMIT, "{spent} spent and {left} left of {LIMIT}");
    assert!(!exact || spent + left == LIMIT, "{spent} spent and {left} left of {LIMIT}");
}

/// Holders spend three from each of two leases of two, one after the other, while a check takes five: never
/// more than sixteen are had, and afterwards a window has what was not spent.
///
/// # Panics
///
/// If not.
pub fn leases_crowd<L: Lessor>(holders: usize, exact: bool) {
    const LIMIT: u32 = 16;
    let quota = Quota::new(LIMIT, Duration::from_nanos(16 * WINDOW)).expect("slow enough");
    let lessor = Arc::new(L::with_quota(quota));
    let turn = Turn::default();
    let hold = |_| {
        let (turn, lessor) = (turn.clone(), Arc::clone(&lessor));
        let spend = move || {
            turn.take();
            lessor.spend_leased(&[0; 3]).len() as u32
        };
        thread::spawn(move || spend() + spend())
    };
    let mut callers: Vec<_> = (0..holders).map(hold).collect();
    callers.push(turn.spawn(&lessor, |lessor| if lessor.allows(5, at(0)) { 5 } else { 0 }));
    let spent: u32 = join(callers).iter().sum();
    let left = lessor.left(at(0));
    assert!(spent + left <= LIMIT, "{spent} spent and {left} left of {LIMIT}");
    assert!(!exact || spent + left == LIMIT, "{spent} spent and {left} left of {LIMIT}");
}

/// A lease taken in one window, not all spent, ends while the next window is used: that one gets
/// nothing of it.
///
/// # Panics
///
/// If it does.
pub fn a_lease_ends_with_its_window<L: Lessor>() {
    const LIMIT: u32 = 16;
    let quota = Quota::new(LIMIT, Duration::from_nanos(2 * WINDOW)).expect("slow enough");
    let lessor = Arc::new(L::with_quota(quota));
    let next = at(2 * WINDOW);
    let turn = Turn::default();
    let holder = turn.spawn(&lessor, |lessor| drop(lessor.spend_leased(&[0])));
    let caller = turn.spawn(&lessor, move |lessor| if lessor.allows(15, next) { 15 } else { 0 });
    join([holder]);
    let spent = caller.join().expect("no caller panics");
    let left = lessor.left(next);
    assert!(spent + left == LIMIT, "{spent} spent and {left} left of {LIMIT} in the next window");
}
