//! What holds whatever the order was.

use casgate::{Quota, Timestamp};

/// One call: it was made in this time, and not at an instant that is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) key: &'static str,
    pub(super) answer: Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// So many, and they were not given back.
    Admitted(u32),
    /// Spent without a question.
    Charged(u32),
    Denied,
    /// The store was of no use.
    Unavailable,
    /// A look at what is left.
    Left(u32),
}

/// All that is known of a run.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) calls: &'a [Call],
    pub(super) quota: Quota,
    /// What the store has granted to a key, in the end.
    pub(super) granted: u64,
    /// Whether the store was told to fail or to wait.
    pub(super) was_disturbed: bool,
    /// Whether nobody asked for more than there is.
    pub(super) is_ample: bool,
    /// Whether the quota is of each window, and not a rate.
    pub(super) is_window: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// So many permits in an interval, of so many.
    Bound { sum: u64, of: u64 },
    /// So many were spent, and so many granted.
    Minted { spent: u64, granted: u64 },
    /// A denial, and the store had permits.
    DeniedEarly,
    /// The store answered at once, and the limit was unavailable.
    Unavailable,
    /// A look at more than there was.
    Peeked(u32),
}

/// Judges what became of one key.
pub(super) fn judge(record: &Record<'_>) -> Result<(), Broken> {
    let &Record { calls, quota, granted, was_disturbed, is_ample, is_window } = record;
    let admitted: Vec<(&Call, u64)> = calls
        .iter()
        .filter_map(|call| match call.answer {
            Answer::Admitted(n) => Some((call, n.into())),
            _ => None,
        })
        .collect();
    // Calls that lie in an interval have spent in it. Those that reach out of it may have.
    for (first, _) in &admitted {
        for (last, _) in admitted.iter().filter(|(last, _)| last.to >= first.from) {
            let within = |call: &Call| call.from >= first.from && call.to <= last.to;
            let sum = admitted.iter().filter(|(call, _)| within(call)).map(|(_, n)| n).sum();
            let refilled = if is_window {
                // All that begin or end in it.
                let index = |at: Timestamp| at.as_nanos() / quota.period().as_nanos() as u64;
                u64::from(quota.permits()) * (index(last.to) - index(first.from))
            } else {
                let nanos = u128::from((last.to - first.from).as_nanos() as u64);
                (nanos * u128::from(quota.permits()) / quota.period().as_nanos()) as u64
            };
            let of = u64::from(quota.burst()) + refilled;
            if sum > of {
                return Err(Broken::Bound { sum, of });
            }
        }
    }
    let charged = calls.iter().map(|call| match call.answer {
        Answer::Charged(n) => n.into(),
        _ => 0,
    });
    // What was charged in a run without permits is still owed.
    let charged: u64 = if is_ample { charged.sum() } else { 0 };
    let spent = admitted.iter().map(|(_, n)| n).sum::<u64>() + charged;
    if spent > granted {
        return Err(Broken::Minted { spent, granted });
    }
    for call in calls {
        match call.answer {
            Answer::Denied if is_ample => return Err(Broken::DeniedEarly),
            Answer::Unavailable if is_ample && !was_disturbed => return Err(Broken::Unavailable),
            Answer::Left(n) if u64::from(n) > granted => return Err(Broken::Peeked(n)),
            _ => {}
        }
    }
    Ok(())
}
