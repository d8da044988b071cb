//! Every public operation of a queue and of its waits, and all pairs of them.

use super::line::Line;
use super::{Act, Play, micros};
use casgate::Timestamp;

/// One operation: the methods that it stands for, and what a caller does.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The public methods.
    pub methods: &'static [&'static str],
    /// What it does.
    pub act: Act,
}

const fn operation(methods: &'static [&'static str], act: Act) -> Operation {
    Operation { methods, act }
}

/// All operations. A test compares the methods with those of the source.
pub const OPERATIONS: [Operation; 15] = [
    operation(&["acquire", "acquire_owned"], Act::Arrive),
    operation(&["permits"], Act::ArriveForTwo),
    operation(&["within"], Act::ArriveInAHurry),
    operation(&["by", "block"], Act::BlockTooLate),
    operation(&[], Act::PollFront),
    operation(&[], Act::PollBack),
    operation(&[], Act::DropFront),
    operation(&[], Act::DropBack),
    operation(&["close"], Act::Close),
    operation(&["set_quota"], Act::Raise),
    operation(&[], Act::Cut),
    operation(&["pause_until"], Act::Pause),
    operation(&["waiting"], Act::Count),
    operation(&["limiter"], Act::Check),
    operation(&[], Act::Peek),
];

/// Public methods that make a queue.
pub const NO_OPERATIONS: &[&str] = &["new", "with_timer", "most_waiting"];

impl Act {
    fn is_for<L: Line>(self) -> bool {
        match self {
            Self::ArriveForTwo => L::IS_WEIGHTED,
            Self::Raise | Self::Cut => L::IS_ADJUSTABLE,
            Self::Pause => L::CAN_PAUSE,
            _ => true,
        }
    }
}

/// What the queue's callers can do.
pub fn acts<L: Line>() -> impl Iterator<Item = Act> {
    OPERATIONS.into_iter().map(|operation| operation.act).filter(|act| act.is_for::<L>())
}

/// When two callers act: before the first permits are ready, when they are, when all that are taken ahead are, and
/// one later than the other.
pub const TIMES: [[Timestamp; 2]; 5] = [
    [micros(500), micros(500)],
    [micros(1_000), micros(1_000)],
    [micros(3_000), micros(3_000)],
    [micros(1_000), micros(3_000)],
    [micros(3_000), micros(1_000)],
];

/// All pairs of acts. The first is of the callers who came first.
pub fn pairs<L: Line>(run: impl Fn(String, [Play; 2])) {
    for first in acts::<L>() {
        for second in acts::<L>() {
            for [one, other] in TIMES {
                let plays = [Play { act: first, now: one }, Play { act: second, now: other }];
                run(format!("{first:?} at {one} beside {second:?} at {other}"), plays);
            }
        }
    }
}
