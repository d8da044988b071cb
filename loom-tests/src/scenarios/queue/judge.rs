//! What must hold after every race.

use super::line::{Alone, Line};
use super::world::{End, Waiter};
use super::{Act, Learned, PAUSED, Play, STEPS, Scene, Seen};
use casgate::Timestamp;
use casgate::wait::AcquireError;

/// # Panics
///
/// If it does not.
pub(super) fn judge<L: Line>(scene: Scene, plays: &[Play], seen: &Seen, waiters: &[Waiter]) {
    let about = || format!("{scene:?}, {plays:?}: {seen:?}");
    let end = plays.iter().map(|play| play.now).max().expect("somebody plays");
    let is_closed = plays.iter().any(|play| play.act == Act::Close);
    let is_paused = plays.iter().any(|play| play.act == Act::Pause) && end < PAUSED;
    let line = 2 * plays.len();
    for (i, waiter) in waiters.iter().enumerate() {
        match waiter.end {
            End::Waits => unreachable!("all have settled"),
            End::Dropped => {}
            End::Ended(Ok(at)) => {
                assert!(at <= waiter.deadline, "waiter {i} was served late\n{}", about());
                let Some(ended) = waiter.ended else { continue };
                assert!(!is_closed, "waiter {i} was served after the close\n{}", about());
                let is_right = if is_paused { ended >= PAUSED } else { ended == at.max(end) };
                assert!(is_right, "waiter {i} was woken late, or in the pause\n{}", about());
            }
            End::Ended(Err(error)) => {
                let is_right = match error {
                    AcquireError::Closed => is_closed,
                    AcquireError::NeverFits => waiter.permits > scene.burst,
                    AcquireError::TooLate { ready_after } => {
                        waiter.ended.unwrap_or(end) + ready_after > waiter.deadline
                    }
                    AcquireError::TooManyWaiting => scene.room < plays.len() && i >= line,
                };
                assert!(is_right, "waiter {i}: {error}\n{}", about());
                let is_told = !is_closed || waiter.ended.is_none_or(|ended| ended == end);
                assert!(is_told, "waiter {i} was woken late\n{}", about());
            }
        }
    }
    order(plays, end, waiters, &about);
    permits::<L>((scene, plays, end), seen, waiters, &about);
}

/// Callers that came before the race are served in the order of arrival, and later ones after them.
/// There are two exceptions. If one that has a place is dropped when another behind it has gone on
/// already, the place goes to the next, and is earlier than that one's. And a new quota can come
/// last with an earlier timestamp: then it moves the waiters to there.
fn order(plays: &[Play], end: Timestamp, waiters: &[Waiter], about: &impl Fn() -> String) {
    let is_dropped = plays.iter().any(|play| play.act == Act::DropFront);
    let is_stale = |play: &Play| matches!(play.act, Act::Raise | Act::Cut) && play.now < end;
    if plays.iter().any(is_stale) {
        return;
    }
    let mut last = Timestamp::ZERO;
    for (i, waiter) in waiters.iter().enumerate() {
        let Some((at, _)) = waiter.served() else { continue };
        assert!(at >= last, "waiter {i} was served out of order\n{}", about());
        if i < 2 * plays.len() && (waiter.ended.is_some() || !is_dropped) {
            last = at;
        }
    }
}

/// Whether one that came in the race was admitted at once, next to two others. It has asked in two steps, whether anybody
/// is queued and then the limiter; in between one of the others can have left it what the other did not get.
pub(super) fn is_overtaken(plays: &[Play], waiters: &[Waiter]) -> bool {
    let came = &waiters[2 * plays.len()..];
    plays.len() > 2 && came.iter().any(|new| new.served().is_some() && new.ended.is_none())
}

/// Whether each permit must be used as early as it can be, and none may be lost.
fn is_exact<L: Line>(scene: Scene, plays: &[Play], waiters: &[Waiter]) -> bool {
    let is_new_quota = plays.iter().any(|play| matches!(play.act, Act::Raise | Act::Cut));
    // A limiter that does not book may lose what a waiter got and has not seen; one of a new quota, what was ready under
    // the old.
    let loses = |play: &Play| match play.act {
        Act::Close => !L::BOOKS || is_new_quota,
        Act::DropFront => !L::BOOKS,
        Act::Pause => true,
        _ => false,
    };
    // Nor can a place go back if one behind it has gone on before: that one has built on it.
    let is_gone = |waiter: &Waiter| waiter.ended.is_none() && waiter.served().is_some();
    let is_left = |waiter: &Waiter| {
        matches!(waiter.end, End::Dropped | End::Ended(Err(AcquireError::Closed)))
    };
    let last_gone = waiters.iter().rposition(is_gone).unwrap_or(0);
    let is_built_on = scene.burst > 1 && waiters[..last_gone].iter().any(is_left);
    !is_built_on && !plays.iter().any(loses)
}

#[derive(Clone, Copy)]
enum Event {
    Taken { n: u32, arrived: Timestamp },
    Set { tenths: u32 },
}

impl Event {
    fn of(act: Act) -> Option<Self> {
        match act {
            Act::Raise => Some(Self::Set { tenths: 5 }),
            Act::Cut => Some(Self::Set { tenths: 30 }),
            _ => None,
        }
    }
}

/// A waiter that could go on by `until` if nobody had come, gone or been late is served no later
/// than that.
fn never_later<L: Line>(
    scene: Scene,
    line: &[Waiter],
    until: Timestamp,
    about: &impl Fn() -> String,
) {
    let alone = L::Alone::new(scene.quota(10));
    (0..scene.burst).for_each(|_| alone.take(1, Timestamp::ZERO).expect("the burst"));
    let mut undisturbed = Timestamp::ZERO;
    for (i, waiter) in line.iter().enumerate() {
        while let Err(wait) = alone.take(1, undisturbed) {
            undisturbed += wait;
        }
        let is_kept = |(at, _)| at <= undisturbed || undisturbed > until;
        let is_kept = waiter.served().is_none_or(is_kept);
        assert!(is_kept, "waiter {i} lost its place at {undisturbed}\n{}", about());
    }
}

/// A limiter that is asked at the instants at which permits were ready admits all of them. If nobody from outside was
/// admitted, none of them could have been ready earlier, and what is left in the end is what that limiter has.
fn permits<L: Line>(
    (scene, plays, end): (Scene, &[Play], Timestamp),
    seen: &Seen,
    waiters: &[Waiter],
    about: &impl Fn() -> String,
) {
    let outside = seen.learned.iter().filter_map(|learned| match learned {
        Learned::Admitted(at) => at.map(|at| (at, Event::Taken { n: 1, arrived: at })),
        _ => None,
    });
    let mut events: Vec<_> = outside.collect();
    let is_outside = !events.is_empty() || is_overtaken(plays, waiters);
    events.extend(waiters.iter().filter_map(|waiter| {
        let (at, n) = waiter.served()?;
        Some((at, Event::Taken { n, arrived: waiter.arrived }))
    }));
    let changes = plays.iter().filter_map(|play| Some((play.now, Event::of(play.act)?)));
    let changes: Vec<_> = changes.collect();
    // The order of two changes, and that of a change and of what was taken from outside, is not known.
    let is_known = match changes.len() {
        0 => true,
        1 => !is_outside && plays.iter().all(|play| play.now == end),
        _ => false,
    };
    if !is_known {
        return;
    }
    let is_paused = plays.iter().any(|play| play.act == Act::Pause);
    if L::KEEPS_PACE && !is_outside && !is_paused {
        let until = if changes.is_empty() { Timestamp::MAX } else { end };
        never_later::<L>(scene, &waiters[..2 * plays.len()], until, about);
    }
    events.extend(changes);
    // Stable, so a change comes after what is ready at its instant.
    events.sort_by_key(|event| event.0);
    let is_exact = !is_outside && is_exact::<L>(scene, plays, waiters);
    let alone = L::Alone::new(scene.quota(10));
    (0..scene.burst).for_each(|_| alone.take(1, Timestamp::ZERO).expect("the burst"));
    let mut last = end;
    for (at, event) in events {
        let (n, arrived) = match event {
            Event::Taken { n, arrived } => (n, arrived),
            Event::Set { tenths } => {
                alone.set_quota(scene.quota(tenths), at);
                continue;
            }
        };
        let earliest = arrived.max(end);
        if is_exact && earliest < at {
            let first = alone.take(n, earliest).map_or_else(|wait| earliest + wait, |()| earliest);
            let about = || format!("free at {first}, used at {at}\n{}", about());
            assert!(first >= at, "a permit is lost: {}", about());
        }
        let taken = alone.take(n, at);
        assert!(taken.is_ok(), "more than the bound at {at}\n{}", about());
        last = last.max(at);
    }
    if is_exact {
        let left = STEPS.map(|step| alone.left(last + step));
        assert!(left[..] == seen.left, "a permit is lost: {left:?} should be left\n{}", about());
    }
}
