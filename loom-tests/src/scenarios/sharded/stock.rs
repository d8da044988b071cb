//! A token bucket with permits in cells.

use super::super::at;
use crate::explore::thread;
use crate::turn::Turn;
use casgate::algorithm::Sharded;
use casgate::{Limiter, Quota, Timestamp, TokenBucket};
use std::sync::Arc;
use std::time::Duration;

/// One permit, in nanoseconds.
pub const TICK: u64 = 10;

/// A bucket in cells that refills by one permit a [`TICK`], right or wrong.
pub trait Stocked: Send + Sync + 'static {
    /// A full one.
    fn stocked(burst: u32, cells: usize) -> Self;

    /// Asks for a permit.
    fn is_allowed(&self, now: Timestamp) -> bool;

    /// What is left.
    fn left(&self, now: Timestamp) -> u32;
}

impl Stocked for Limiter<Sharded<TokenBucket>> {
    fn stocked(burst: u32, cells: usize) -> Self {
        let quota = Quota::new(1, Duration::from_nanos(TICK)).expect("one a tick");
        Self::sharded_token_bucket(quota.with_burst(burst)).with_cells(cells)
    }

    fn is_allowed(&self, now: Timestamp) -> bool {
        self.check_at(now).is_ok()
    }

    fn left(&self, now: Timestamp) -> u32 {
        self.peek_at(now).remaining()
    }
}

/// Each script is one caller's timestamps. `spent` permits were spent before at 0: so many that no refill flows over,
/// but for `lost` permits. The bound holds over all timestamps; a caller that is denied at the newest finds nothing later;
/// and what was admitted and what is left make all there was.
///
/// # Panics
///
/// If not.
pub fn stocks_race<L: Stocked>(
    burst: u32,
    cells: usize,
    spent: u32,
    lost: u32,
    scripts: &[&[u64]],
) {
    let limiter = spent_at_first::<L>(burst, cells, spent);
    let turn = Turn::default();
    let ask = |script: &[u64]| {
        let (limiter, turn, script) = (Arc::clone(&limiter), turn.clone(), script.to_vec());
        move || {
            let calls = script.iter().inspect(|_| turn.take());
            calls.map(|&now| (now, limiter.is_allowed(at(now)))).collect::<Vec<_>>()
        }
    };
    let mut answers = Vec::new();
    let threads: Vec<_> = scripts.iter().map(|script| thread::spawn(ask(script))).collect();
    for thread in threads {
        answers.extend(thread.join().expect("no caller panics"));
    }
    let newest = scripts.concat().into_iter().max().expect("a call");
    let more = drain(&*limiter, newest);
    let is_denied = answers.contains(&(newest, false));
    assert!(!is_denied || more == 0, "{more} left after a denial at {newest}: {answers:?}");
    judge_stock(burst, spent, (newest, more), &answers, lost);
}

/// What was admitted, with the `spent` before and the `more` after the race, keeps the bound and makes all there was but
/// what may be lost.
pub(super) fn judge_stock(
    burst: u32,
    spent: u32,
    (newest, more): (u64, u32),
    answers: &[(u64, bool)],
    lost: u32,
) {
    let mut admitted = vec![(0, spent), (newest, more)];
    admitted.extend(answers.iter().map(|&(now, ok)| (now, u32::from(ok))));
    for &(from, _) in &admitted {
        for &(to, _) in admitted.iter().filter(|&&(to, _)| to >= from) {
            let within = admitted.iter().filter(|(now, _)| (from..=to).contains(now));
            let (sum, bound) = (within.map(|(_, n)| n).sum::<u32>(), there(burst, to - from));
            assert!(sum <= bound, "{sum} admitted of {bound} in [{from}, {to}]: {answers:?}");
        }
    }
    let (sum, there) = (admitted.iter().map(|(_, n)| n).sum::<u32>(), there(burst, newest));
    let is_all = sum <= there && sum + lost >= there;
    assert!(is_all, "{sum} admitted in all, {there} were there: {answers:?}");
}

/// A peek at `now` next to a caller: it reports no more than there was, and no less than is left and is in no cell.
///
/// # Panics
///
/// If not.
pub fn stocks_peek<L: Stocked>(burst: u32, cells: usize, spent: u32, script: &[u64], now: u64) {
    let limiter = spent_at_first::<L>(burst, cells, spent);
    let turn = Turn::default();
    let other = {
        let (limiter, turn, script) = (Arc::clone(&limiter), turn.clone(), script.to_vec());
        thread::spawn(move || {
            let asks = script.iter().inspect(|_| turn.take());
            asks.filter(|&&now| limiter.is_allowed(at(now))).count()
        })
    };
    let peek = turn.spawn(&limiter, move |limiter| limiter.left(at(now)));
    let peeked = peek.join().expect("no caller panics");
    let admitted = other.join().expect("no caller panics");
    let (before, more) = (there(burst, now) - spent, drain(&*limiter, now));
    assert!(peeked <= before, "{peeked} left by a peek, {before} before, {admitted} admitted");
    let held = burst / 8;
    assert!(peeked + held >= more, "{peeked} left by a peek, {more} to be had");
}

/// All that a bucket has had by `now`, if nothing flowed over.
pub(super) const fn there(burst: u32, now: u64) -> u32 {
    burst + (now / TICK) as u32
}

pub(super) fn spent_at_first<L: Stocked>(burst: u32, cells: usize, spent: u32) -> Arc<L> {
    let limiter = L::stocked(burst, cells);
    for _ in 0..spent {
        assert!(limiter.is_allowed(at(0)), "before the race");
    }
    Arc::new(limiter)
}

/// How many are admitted before the next is denied.
pub(super) fn drain<L: Stocked>(limiter: &L, now: u64) -> u32 {
    (0..).take_while(|_| limiter.is_allowed(at(now))).count() as u32
}
