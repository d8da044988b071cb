//! A fixed window whose permits lie in cells.

mod pairs;
mod stock;
mod stock_pairs;

pub use pairs::*;
pub use stock::*;
pub use stock_pairs::*;

use super::{Request, WINDOW, at, quota};
use crate::explore::thread;
use crate::turn::Turn;
use casgate::algorithm::{FixedWindow, Rule, Sharded};
use casgate::word::Word;
use casgate::{Limiter, Timestamp};
use std::sync::Arc;

/// A window in cells, right or wrong.
pub trait Cells: Send + Sync + 'static {
    /// One that nobody has asked yet.
    fn dealt(limit: u32, cells: usize) -> Self;

    /// Asks for `n` permits.
    fn is_allowed(&self, n: u32, now: Timestamp) -> bool;

    /// Takes up to `n` permits.
    fn take_up_to(&self, n: u32, now: Timestamp) -> u32;

    /// Gives `n` permits back that were admitted at `now`.
    fn refund(&self, n: u32, now: Timestamp);

    /// Gives all back.
    fn reset(&self);

    /// What is left.
    fn left(&self, now: Timestamp) -> u32;
}

impl Cells for Limiter<Sharded<FixedWindow>> {
    fn dealt(limit: u32, cells: usize) -> Self {
        Self::sharded_fixed_window(quota(limit)).with_cells(cells)
    }

    fn is_allowed(&self, n: u32, now: Timestamp) -> bool {
        self.check_n_at(n, now).is_ok()
    }

    fn take_up_to(&self, n: u32, now: Timestamp) -> u32 {
        self.take_up_to_at(n, now)
    }

    fn refund(&self, n: u32, now: Timestamp) {
        // An admission's numbers are not looked at.
        Self::refund(self, &FixedWindow::new(quota(n)).admitted(Word::default(), n, now));
    }

    fn reset(&self) {
        Self::reset(self);
    }

    fn left(&self, now: Timestamp) -> u32 {
        self.peek_at(now).remaining()
    }
}

/// What the callers of each script were answered.
type Answers = Vec<Vec<bool>>;

/// Each script is one caller's requests. `meanwhile` runs next to them.
fn race<L: Cells>(limiter: &Arc<L>, scripts: &[&[Request]], meanwhile: Option<fn(&L)>) -> Answers {
    let turn = Turn::default();
    let ask = |script: &[Request]| {
        let (limiter, turn, script) = (Arc::clone(limiter), turn.clone(), script.to_vec());
        move || {
            let calls = script.iter().inspect(|_| turn.take());
            calls.map(|&(n, now)| limiter.is_allowed(n, at(now))).collect::<Vec<_>>()
        }
    };
    let threads: Vec<_> = scripts.iter().map(|script| thread::spawn(ask(script))).collect();
    let other = meanwhile.map(|run| turn.spawn(limiter, run));
    let answers =
        threads.into_iter().map(|thread| thread.join().expect("no caller panics")).collect();
    if let Some(other) = other {
        other.join().expect("no caller panics");
    }
    answers
}

/// The requests and their answers.
fn answered<'a>(
    scripts: &'a [&[Request]],
    answers: &'a Answers,
) -> impl Iterator<Item = (Request, bool)> + 'a {
    let pairs = scripts.iter().zip(answers);
    pairs.flat_map(|(script, answers)| script.iter().copied().zip(answers.iter().copied()))
}

/// The permits admitted in window `index`.
fn admitted(index: u64, scripts: &[&[Request]], answers: &Answers) -> u32 {
    let in_window = |&((_, now), ok): &(Request, bool)| ok && now / WINDOW == index;
    answered(scripts, answers).filter(in_window).map(|((n, _), _)| n).sum()
}

/// Callers in one window: what was admitted and what is left make the limit, and what was denied does not fit even now.
///
/// # Panics
///
/// If not.
pub fn dealt_out<L: Cells>(limit: u32, cells: usize, scripts: &[&[Request]]) {
    let limiter = Arc::new(L::dealt(limit, cells));
    let answers = race(&limiter, scripts, None);
    let (admitted, left) = (admitted(0, scripts, &answers), limiter.left(at(0)));
    assert!(admitted + left == limit, "{admitted} admitted, {left} left of {limit}: {answers:?}");
    for ((n, _), ok) in answered(scripts, &answers) {
        assert!(ok || n > left, "{n} denied, and {left} were left: {answers:?}");
        // What is left can be had.
        assert!(
            ok || !limiter.is_allowed(n, at(0)),
            "{n} denied, then had, with {left} left: {answers:?}"
        );
    }
    assert!(left == 0 || limiter.is_allowed(left, at(0)), "{left} left, and not to be had");
}

/// Callers around the end of a window, in which `spent` permits were spent before: each window keeps its limit, and the
/// newer one has exactly what it did not admit.
///
/// # Panics
///
/// If not.
pub fn cells_roll<L: Cells>(limit: u32, cells: usize, spent: u32, scripts: &[&[Request]]) {
    let limiter = Arc::new(L::dealt(limit, cells));
    for _ in 0..spent {
        assert!(limiter.is_allowed(1, at(0)), "before the race");
    }
    let answers = race(&limiter, scripts, None);
    let [older, newer] = [0, 1].map(|index| admitted(index, scripts, &answers));
    assert!(spent + older <= limit, "{older} admitted after {spent} of {limit}: {answers:?}");
    let left = limiter.left(at(WINDOW));
    assert!(newer + left == limit, "{newer} admitted, {left} left of {limit}: {answers:?}");
    for ((n, now), ok) in answered(scripts, &answers) {
        assert!(ok || now < WINDOW || n > left, "{n} denied, and {left} were left: {answers:?}");
    }
    // Whatever is left can be had one by one, and no more.
    let more = (0..=left).filter(|_| limiter.is_allowed(1, at(WINDOW))).count();
    assert!(more == left as usize, "{more} admitted after the race, {left} were left");
}

/// A window of which `spent` permits were spent, one by one, and of these one is given back next to callers: what they
/// are admitted and what is left agree.
///
/// # Panics
///
/// If not.
pub fn cells_refund<L: Cells>(limit: u32, cells: usize, spent: u32, scripts: &[&[Request]]) {
    let limiter = Arc::new(L::dealt(limit, cells));
    for _ in 0..spent {
        assert!(limiter.is_allowed(1, at(0)), "before the race");
    }
    let answers = race(&limiter, scripts, Some(|limiter: &L| limiter.refund(1, at(0))));
    let (admitted, left) = (admitted(0, scripts, &answers), limiter.left(at(0)));
    let there = limit - spent + 1;
    assert!(
        admitted + left == there,
        "1 given back, {admitted} admitted, {left} left: {answers:?}"
    );
    let more = (0..=left).filter(|_| limiter.is_allowed(1, at(0))).count();
    assert!(more == left as usize, "{more} admitted after the race, {left} were left");
}

/// A reset next to callers of a window of which all is spent: what they are admitted and what is left agree.
///
/// # Panics
///
/// If not.
pub fn cells_reset<L: Cells>(limit: u32, cells: usize, scripts: &[&[Request]]) {
    let limiter = Arc::new(L::dealt(limit, cells));
    for _ in 0..limit {
        assert!(limiter.is_allowed(1, at(0)), "before the race");
    }
    let answers = race(&limiter, scripts, Some(L::reset));
    let (admitted, left) = (admitted(0, scripts, &answers), limiter.left(at(0)));
    assert!(admitted + left == limit, "reset, {admitted} admitted, {left} left: {answers:?}");
    let more = (0..=left).filter(|_| limiter.is_allowed(1, at(0))).count();
    assert!(more == left as usize, "{more} admitted after the race, {left} were left");
}
