//! Every public operation of a sharded window next to every other.

use super::super::{WINDOW, at, quota};
use crate::explore::atomic::{AtomicUsize, Ordering};
use crate::explore::thread;
use casgate::algorithm::{FixedWindow, Sharded};
use casgate::{Admitted, Limiter, Timestamp};
use std::sync::Arc;

type Window = Limiter<Sharded<FixedWindow>>;

/// What an operation does.
#[derive(Clone, Copy, Debug)]
pub enum CellStep {
    /// Asks for one permit.
    Check,
    /// Asks for two, which only two cells have together.
    CheckN,
    /// Asks for one, and for no numbers.
    IsAllowed,
    /// Takes up to two.
    TakeUpTo,
    /// Gives back what was spent before the race.
    Refund,
    /// Gives all back.
    Reset,
    /// Looks.
    Peek,
}

impl CellStep {
    /// Whether it can begin a window.
    #[must_use]
    pub const fn asks(self) -> bool {
        matches!(self, Self::Check | Self::CheckN | Self::IsAllowed | Self::TakeUpTo)
    }
}

/// The public methods that an operation stands for.
pub const CELL_OPERATIONS: [(&[&str], CellStep); 7] = [
    (&["check", "check_at"], CellStep::Check),
    (&["check_n", "check_n_at"], CellStep::CheckN),
    (&["is_allowed", "is_allowed_at"], CellStep::IsAllowed),
    (&["take_up_to", "take_up_to_at"], CellStep::TakeUpTo),
    (&["refund"], CellStep::Refund),
    (&["reset"], CellStep::Reset),
    (&["peek", "peek_at"], CellStep::Peek),
];

/// Public methods that ask nothing of a limiter's state.
pub const NO_CELL_OPERATIONS: &[&str] =
    &["sharded_fixed_window", "sharded_token_bucket", "with_cells", "with_clock", "private"];

const LIMIT: u32 = 3;

/// The number that a caller learns.
fn step(limiter: &Window, step: CellStep, first: &Admitted, now: Timestamp) -> u32 {
    match step {
        CellStep::Check => limiter.check_at(now).is_ok().into(),
        CellStep::CheckN => limiter.check_n_at(2, now).is_ok().into(),
        CellStep::IsAllowed => limiter.is_allowed_at(now).into(),
        CellStep::TakeUpTo => limiter.take_up_to_at(2, now),
        CellStep::Refund => {
            limiter.refund(first);
            0
        }
        CellStep::Reset => {
            limiter.reset();
            0
        }
        CellStep::Peek => limiter.peek_at(now).remaining(),
    }
}

/// The plain window.
struct Plain {
    index: u64,
    left: u32,
}

impl Plain {
    /// Its window, if `now` is not late.
    fn at(&mut self, now: u64) -> bool {
        let index = now / WINDOW;
        if index > self.index {
            (self.index, self.left) = (index, LIMIT);
        }
        index == self.index
    }

    fn step(&mut self, step: CellStep, now: u64) -> u32 {
        let take = |plain: &mut Self, n: u32, or_less: bool| {
            let there = if plain.at(now) { plain.left.min(n) } else { 0 };
            let taken = if there < n && !or_less { 0 } else { there };
            plain.left -= taken;
            taken
        };
        match step {
            CellStep::Check | CellStep::IsAllowed => take(self, 1, false),
            CellStep::CheckN => take(self, 2, false) / 2,
            CellStep::TakeUpTo => take(self, 2, true),
            CellStep::Refund => {
                if self.index == 0 {
                    self.left = LIMIT.min(self.left + 1);
                }
                0
            }
            CellStep::Reset => {
                self.left = LIMIT;
                0
            }
            CellStep::Peek if now / WINDOW > self.index => LIMIT,
            CellStep::Peek => {
                if now / WINDOW == self.index {
                    self.left
                } else {
                    0
                }
            }
        }
    }
}

/// Both operations at once, the first in window 0 and the second, if it can begin a window, at `later`. Of a window of
/// three one permit was spent.
///
/// # Panics
///
/// If no order of the two in a plain window explains what the callers learn and what is left.
pub fn cell_pair(cells: usize, first: CellStep, second: CellStep, later: u64) {
    let later = if second.asks() { later } else { 0 };
    let limiter = Arc::new(Window::sharded_fixed_window(quota(LIMIT)).with_cells(cells));
    let before = limiter.check_at(at(0)).expect("the first");
    let begun = Arc::new(AtomicUsize::new(0));
    let run = move |limiter: &Window, begun: &AtomicUsize, what: CellStep, now: u64| {
        // As in the pairs of the other limiters.
        begun.fetch_add(1, Ordering::AcqRel);
        step(limiter, what, &before, at(now))
    };
    let [one, other] = [(first, 0), (second, later)]
        .map(|(what, now)| {
            let (limiter, begun) = (Arc::clone(&limiter), Arc::clone(&begun));
            thread::spawn(move || run(&limiter, &begun, what, now))
        })
        .map(|thread| thread.join().expect("no caller panics"));
    // A late peek sees what is left of its own window, or that it is over.
    let late = matches!(first, CellStep::Peek) && later >= WINDOW;
    let seen = (one, other, limiter.peek_at(at(later)).remaining());
    let explained = [true, false].into_iter().any(|in_order| {
        let mut plain = Plain { index: 0, left: LIMIT - 1 };
        let (one, other) = if in_order {
            let one = plain.step(first, 0);
            (one, plain.step(second, later))
        } else {
            let other = plain.step(second, later);
            (plain.step(first, 0), other)
        };
        let one = if late { seen.0 } else { one };
        (one, other, plain.step(CellStep::Peek, later)) == seen
    });
    let late = !late || seen.0 < LIMIT;
    assert!(
        explained && late,
        "no order explains {first:?} next to {second:?} at {later}: {seen:?}"
    );
}
