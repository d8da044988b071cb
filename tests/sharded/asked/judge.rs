//! What holds whatever the order was.

use super::{Act, Answer, BEFORE, Call};

/// What a limiter promises.
#[derive(Clone, Copy, Debug)]
pub(super) enum Promise {
    /// At most `burst` permits and one a `tick` in any interval. What was admitted and what is left is all there was.
    Bucket { burst: u32, tick: u64 },
    /// At most `limit` permits in a window, of which a thread may lose less than a `batch`.
    Private { limit: u32, period: u64, batch: u32 },
}

/// All calls, in no order but each caller's own; what was left at the newest timestamp, and could then be had.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) calls: &'a [Call],
    pub(super) newest: u64,
    pub(super) left: u32,
    pub(super) more: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// So many were admitted of so many.
    Bound { sum: u32, of: u32 },
    /// So many were admitted or left, and at least so many must be.
    Lost { sum: u32, of: u32 },
    /// A denial, and so many were left.
    DeniedEarly { left: u32 },
    /// A peek of more than there were, or of fewer than are left.
    Peeked(u32),
}

pub(super) fn judge(promise: Promise, record: &Record<'_>) -> Result<(), Broken> {
    let &Record { calls, newest, left, more } = record;
    let mut admitted: Vec<(u64, u32)> = Vec::new();
    admitted.extend(calls.iter().filter(|call| call.answer == Answer::Admitted).map(|c| (c.at, 1)));
    admitted.push((newest, more));
    // The times of a run are few.
    let mut instants: Vec<u64> = admitted.iter().map(|&(at, _)| at).collect();
    instants.sort_unstable();
    instants.dedup();
    let within = |from: u64, to: u64| -> u32 {
        admitted.iter().filter(|(at, _)| (from..=to).contains(at)).map(|(_, n)| n).sum()
    };
    let is_final = |call: &Call| call.answer == Answer::Denied && is_newest(call, promise, newest);
    if more > 0 && calls.iter().any(is_final) {
        return Err(Broken::DeniedEarly { left: more });
    }
    match promise {
        Promise::Bucket { burst, tick } => {
            for &from in &instants {
                for &to in instants.iter().filter(|to| **to >= from) {
                    let (sum, of) = (within(from, to), burst + ((to - from) / tick) as u32);
                    if sum > of {
                        return Err(Broken::Bound { sum, of });
                    }
                }
            }
            let (sum, of) = (within(0, newest), burst + (newest / tick) as u32);
            if sum < of {
                return Err(Broken::Lost { sum, of });
            }
        }
        Promise::Private { limit, period, batch } => {
            for &at in &instants {
                let start = at / period * period;
                let sum = within(start, start + period - 1);
                if sum > limit {
                    return Err(Broken::Bound { sum, of: limit });
                }
            }
            let start = newest / period * period;
            let sum = within(start, start + period - 1);
            let of = limit.saturating_sub(entries(calls, start..start + period) * (batch - 1));
            if sum < of {
                return Err(Broken::Lost { sum, of });
            }
        }
    }
    // Of the end: nobody else was there. A peek of cells counts what is in them.
    if left != more {
        return Err(Broken::Peeked(left));
    }
    peeks(promise, record)
}

/// Whether it came at the newest timestamp, or at any in the newest window: a denial means that nothing was left.
fn is_newest(call: &Call, promise: Promise, newest: u64) -> bool {
    match promise {
        Promise::Bucket { .. } => call.at == newest,
        Promise::Private { period, .. } => call.at / period == newest / period,
    }
}

/// How often a thread can have begun to keep permits of a window: each time that it came there from another one.
fn entries(calls: &[Call], window: std::ops::Range<u64>) -> u32 {
    let may_keep =
        |call: &&Call| !matches!(call.act, Act::Peek | Act::PeekAt | Act::Describe | Act::End);
    let of_callers = (0..3).map(|caller| {
        let own = calls.iter().filter(|call| call.caller == caller).filter(may_keep);
        let is_there: Vec<bool> = own.map(|call| window.contains(&call.at)).collect();
        let again = is_there.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        again + usize::from(is_there.first() == Some(&true))
    });
    let is_end = |call: &&Call| call.act == Act::End && window.contains(&call.at);
    (of_callers.sum::<usize>() + calls.iter().filter(is_end).count()) as u32
}

/// Each is of no more than there were before the race, and of no fewer than there are after it.
fn peeks(promise: Promise, record: &Record<'_>) -> Result<(), Broken> {
    let &Record { calls, newest, more, .. } = record;
    let is_spent = |call: &&Call| call.answer == Answer::Admitted;
    let before = calls.iter().filter(|call| call.caller == BEFORE).filter(is_spent);
    let is_spent_meanwhile = calls.iter().any(|call| call.caller != BEFORE && is_spent(&call));
    for call in calls {
        let Answer::Left(peeked) = call.answer else { continue };
        let (most, least) = match promise {
            Promise::Bucket { burst, tick } => {
                // What leases take to the cells meanwhile.
                let missed = if is_spent_meanwhile { burst / 8 } else { 0 };
                let spent = before.clone().count() as u32;
                (burst + (call.at / tick) as u32 - spent, more.saturating_sub(missed))
            }
            Promise::Private { limit, period, .. } => {
                let spent = before.clone().filter(|one| one.at / period == call.at / period);
                (limit - spent.count() as u32, more)
            }
        };
        if peeked > most || is_newest(call, promise, newest) && peeked < least {
            return Err(Broken::Peeked(peeked));
        }
    }
    Ok(())
}
