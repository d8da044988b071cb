//! Recorded histories of real threads, and whether some order of the calls explains them.

use super::in_step::{Dice, in_step};
use super::{PERIOD, at, quota};
use casgate::algorithm::Sharded;
use casgate::testing::{Sequential, Trace};
use casgate::{Admitted, FixedWindow, Limiter, Snapshot};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// What is asked of a limiter in one window.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Check(u32),
    TakeUpTo(u32),
    Refund(u32),
    Reset,
    /// When nobody else asks.
    Left,
}

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// And how many are left, at least.
    Admitted(u32),
    Denied,
    Number(u32),
    Done,
}

/// Of an answer that the specification gives, on the left, and one that was given.
impl PartialEq for Told {
    fn eq(&self, told: &Self) -> bool {
        match (self, told) {
            (Self::Admitted(left), Self::Admitted(told)) => told <= left,
            (Self::Number(one), Self::Number(other)) => one == other,
            (Self::Denied, Self::Denied) | (Self::Done, Self::Done) => true,
            _ => false,
        }
    }
}

/// One window of so many permits.
pub(crate) struct OneWindow(pub(crate) u32);

impl Sequential for OneWindow {
    /// What is left.
    type State = u32;
    type Op = Op;
    type Outcome = Told;

    fn initial(&self) -> u32 {
        self.0
    }

    fn apply(&self, left: &mut u32, op: &Op) -> Told {
        match *op {
            Op::Check(n) if n <= *left => {
                *left -= n;
                Told::Admitted(*left)
            }
            Op::Check(_) => Told::Denied,
            Op::TakeUpTo(n) => {
                let taken = n.min(*left);
                *left -= taken;
                Told::Number(taken)
            }
            Op::Refund(n) => {
                *left = (*left + n).min(self.0);
                Told::Done
            }
            Op::Reset => {
                *left = self.0;
                Told::Done
            }
            Op::Left => Told::Number(*left),
        }
    }
}

/// A limiter that is asked in one window.
pub(crate) trait Does: Send + Sync + 'static {
    fn does(&self, caller: usize, op: Op) -> Told;
}

/// An admission of `n` permits in the window of [`NOW`].
pub(crate) fn admission(n: u32) -> Admitted {
    Admitted::new(n, at(NOW), 0, Snapshot::new(1, 0, Duration::ZERO))
}

pub(crate) const NOW: u64 = 3 * PERIOD + 5;

impl Does for Limiter<Sharded<FixedWindow>> {
    fn does(&self, caller: usize, op: Op) -> Told {
        let now = at(NOW + caller as u64);
        match op {
            Op::Check(1) if caller % 2 == 0 => match self.is_allowed_at(now) {
                true => Told::Admitted(0),
                false => Told::Denied,
            },
            Op::Check(n) => match self.check_n_at(n, now) {
                Ok(admitted) => Told::Admitted(admitted.remaining()),
                Err(_) => Told::Denied,
            },
            Op::TakeUpTo(n) => Told::Number(self.take_up_to_at(n, now)),
            Op::Refund(n) => {
                self.refund(&admission(n));
                Told::Done
            }
            Op::Reset => {
                self.reset();
                Told::Done
            }
            Op::Left => Told::Number(self.peek_at(now).remaining()),
        }
    }
}

pub(crate) const CALLERS: usize = 3;

/// What the callers do, one list each.
pub(crate) type Plan = [Vec<Op>; CALLERS];

/// What one race begins with, and what was recorded.
struct Round<L> {
    limiter: L,
    trace: Trace<Op, Told>,
    plan: Plan,
}

/// Records a race for each: after the first list of calls, by one caller, the callers make theirs at once; then one asks
/// what is left. Judges each.
#[track_caller]
pub(crate) fn judge<L: Does>(limit: u32, rounds: Vec<(L, Vec<Op>, Plan)>) {
    let begin = |(limiter, before, plan): (L, Vec<Op>, Plan)| {
        let trace = Trace::default();
        for op in before {
            trace.record(CALLERS, op, |op| limiter.does(0, op));
        }
        Round { limiter, trace, plan }
    };
    let rounds: Arc<Vec<_>> = Arc::new(rounds.into_iter().map(begin).collect());
    let shared = Arc::clone(&rounds);
    in_step(CALLERS, rounds.len(), move |caller, round| {
        let Round { limiter, trace, plan } = &shared[round];
        for &op in &plan[caller] {
            trace.record(caller, op, |op| limiter.does(caller, op));
        }
    });
    for Round { limiter, trace, .. } in &*rounds {
        trace.record(CALLERS, Op::Left, |op| limiter.does(0, op));
        trace.assert_linearizable(&OneWindow(limit));
    }
}

fn any_op(dice: &mut Dice, limit: u32) -> Op {
    match dice.below(16) {
        0..8 => Op::Check(1),
        8..11 => Op::Check(1 + dice.below(limit + 1)),
        11 | 12 => Op::TakeUpTo(1 + dice.below(limit)),
        13 | 14 => Op::Refund(1 + dice.below(3)),
        _ => Op::Reset,
    }
}

const ROUNDS: usize = if cfg!(debug_assertions) { 1_500 } else { 50_000 };

#[test]
fn one_window_is_linearizable() {
    for (limit, cells) in [(1, 2), (3, 2), (6, 2), (5, 4), (9, 4)] {
        let mut dice = Dice::new(limit as usize);
        let rounds = (0..ROUNDS / 5).map(|_| {
            let limiter = Limiter::sharded_fixed_window(quota(limit)).with_cells(cells);
            let mut ops = |most| (0..dice.below(most)).map(|_| any_op(&mut dice, limit)).collect();
            (limiter, ops(4), [ops(5), ops(5), ops(5)])
        });
        judge(limit, rounds.collect());
    }
}

/// A request of one or several permits in a window. If it is denied after a later window may have begun, it was late,
/// and says so: such a denial is as if it had never been asked.
#[derive(Clone, Debug)]
struct Request {
    n: u32,
    window: usize,
    is_late: Arc<AtomicBool>,
}

/// Windows of so many permits, each for itself.
struct EachWindow(u32);

const WINDOWS: usize = 4;

impl Sequential for EachWindow {
    type State = [u32; WINDOWS];
    type Op = Request;
    type Outcome = bool;

    fn initial(&self) -> [u32; WINDOWS] {
        [self.0; WINDOWS]
    }

    fn apply(&self, left: &mut [u32; WINDOWS], request: &Request) -> bool {
        let left = &mut left[request.window];
        let is_admitted = !request.is_late.load(SeqCst) && request.n <= *left;
        if is_admitted {
            *left -= request.n;
        }
        is_admitted
    }
}

/// Windows that begin while others still ask in the one before. A denial is right if the permits were not left, or if
/// it is late.
#[test]
fn windows_that_follow_each_other_are_linearizable() {
    for (limit, cells) in [(1, 2), (3, 2), (5, 4)] {
        type Recorded = (Limiter<Sharded<FixedWindow>>, Trace<Request, bool>, AtomicUsize);
        let round = |_| -> Recorded {
            let limiter = Limiter::sharded_fixed_window(quota(limit)).with_cells(cells);
            (limiter, Trace::default(), AtomicUsize::new(0))
        };
        let rounds: Arc<Vec<Recorded>> = Arc::new((0..ROUNDS / 5).map(round).collect());
        let shared = Arc::clone(&rounds);
        in_step(CALLERS, rounds.len(), move |caller, round| {
            let (limiter, trace, newest) = &shared[round];
            let mut dice = Dice::new(round * CALLERS + caller);
            let mut window = 0;
            for _ in 0..5 {
                window = (window + dice.below(3) as usize / 2).min(WINDOWS - 1);
                let n = if dice.below(3) == 0 { 1 + dice.below(limit) } else { 1 };
                let request = Request { n, window, is_late: Arc::default() };
                trace.record(caller, request, |Request { n, window, is_late }| {
                    newest.fetch_max(window, SeqCst);
                    let now = at(window as u64 * PERIOD + caller as u64);
                    let is_admitted = limiter.check_n_at(n, now).is_ok();
                    is_late.store(!is_admitted && newest.load(SeqCst) > window, SeqCst);
                    is_admitted
                });
            }
        });
        for (_, trace, _) in &*rounds {
            trace.assert_linearizable(&EachWindow(limit));
        }
    }
}
