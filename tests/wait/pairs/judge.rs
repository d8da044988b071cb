//! What holds whatever the order was.

use super::{End, STEP, ms};
use casgate::Timestamp;

/// What became of all waiters, of a limiter of one permit a [`STEP`] and a burst of `burst`.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) ends: Vec<End>,
    /// Who was admitted without a wait, when.
    pub(super) outside: Vec<Timestamp>,
    pub(super) burst: u64,
    /// When the race was.
    pub(super) raced: Timestamp,
    /// Permits that may be lost, as it is documented; or given back, so that they are admitted again.
    pub(super) lost: u64,
    pub(super) given_back: u64,
    /// Whether all have been sent away.
    pub(super) is_closed: bool,
    pub(super) has_settled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// So many in an interval that has so many.
    Bound { sum: u64, of: u64 },
    /// So many by the end, while somebody waited for one of so many.
    Lost { sum: u64, of: u64 },
    /// Somebody waits, and nobody wakes it.
    Forgotten,
    /// Somebody was sent away, and the queue is open.
    Failed,
}

pub(super) fn judge(record: &Record) -> Result<(), Broken> {
    let &Record { burst, raced, lost, given_back, is_closed, has_settled, .. } = record;
    if !has_settled {
        return Err(Broken::Forgotten);
    }
    if !is_closed && record.ends.contains(&End::Failed) {
        return Err(Broken::Failed);
    }
    // With whether the instant is known.
    let mut served: Vec<(Timestamp, bool)> = record.outside.iter().map(|&at| (at, true)).collect();
    served.extend(record.ends.iter().filter_map(|end| match *end {
        End::Served { at, is_exact } => Some((at, is_exact)),
        _ => None,
    }));
    let refilled = |from: Timestamp, to: Timestamp| ((to - from).as_millis() as u64) / STEP;
    // From the beginning until any instant: those of whom it is not known when they were served had it by then.
    // Between two known instants: those alone whose instants are known.
    let froms = served.iter().filter(|(_, is_exact)| *is_exact).map(|&(at, _)| at);
    for from in froms.chain([Timestamp::ZERO]) {
        for &(to, _) in served.iter().filter(|&&(to, _)| to >= from) {
            let is_within = |&&(at, is_exact): &&(Timestamp, bool)| {
                (from..=to).contains(&at) && (is_exact || from == Timestamp::ZERO)
            };
            let sum = served.iter().filter(is_within).count() as u64;
            let of = burst + refilled(from, to) + given_back;
            if sum > of {
                return Err(Broken::Bound { sum, of });
            }
        }
    }
    // As long as somebody waits, each permit is spent at its instant.
    let last = served.iter().map(|&(at, _)| at).max().unwrap_or(Timestamp::ZERO);
    if last > raced && !is_closed {
        let (sum, of) = (served.len() as u64, burst + refilled(Timestamp::ZERO, last));
        if sum + lost < of {
            return Err(Broken::Lost { sum, of });
        }
    }
    Ok(())
}

fn served(at: u64) -> End {
    End::Served { at: ms(at), is_exact: true }
}

/// A record without a fault, and each fault in it.
#[test]
fn faults_are_found() {
    let right = Record {
        ends: vec![served(10), End::Dropped, served(20), served(30)],
        outside: vec![Timestamp::ZERO],
        burst: 1,
        raced: Timestamp::ZERO,
        lost: 0,
        given_back: 0,
        is_closed: false,
        has_settled: true,
    };
    assert_eq!(judge(&right), Ok(()));
    let with = |ends: &[End]| judge(&Record { ends: ends.to_vec(), ..right.clone() });
    // One that was served twice, or early, or next to another.
    let twice = with(&[served(10), served(10), served(20), served(30)]);
    assert_eq!(twice, Err(Broken::Bound { sum: 3, of: 2 }));
    assert_eq!(with(&[served(9)]), Err(Broken::Bound { sum: 2, of: 1 }));
    assert_eq!(with(&[served(20), served(29)]), Err(Broken::Bound { sum: 2, of: 1 }));
    // A place that nobody had.
    assert_eq!(with(&[served(10), End::Dropped, served(30)]), Err(Broken::Lost { sum: 3, of: 4 }));
    assert_eq!(with(&[served(10), End::Failed]), Err(Broken::Failed));
    assert_eq!(judge(&Record { has_settled: false, ..right }), Err(Broken::Forgotten));
}
