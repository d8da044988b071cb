use crate::run::Run;
use crate::wrong::Wrong;
use casgate_redis::protocol::StateLoss::{StartEmpty, StartFull};

/// The protocol as it is meant.
pub(crate) fn right() -> Vec<Run> {
    vec![
        Run::of("a permit a microsecond", 1),
        Run::of("a permit a microsecond", 2),
        Run::of("two permits in three microseconds", 2).rate(2, 3, 4, 2),
        Run::of("in quarters", 1).parts(4),
        Run::of("two permits a microsecond", 1).rate(2, 1, 6, 2),
        Run::of("the clock steps back", 1).clock_steps(-3),
        Run::of("the clock steps back", 2).rate(1, 1, 3, 2).clock_steps(-2),
        Run::of("the clock steps forward", 1).clock_steps(3),
        Run::of("the clock steps forward", 2).rate(1, 1, 3, 2).clock_steps(2),
        Run::of("a failover, without excess", 1).fails_over().without_crashes().without_excess(),
        Run::of("a failover", 1).fails_over(),
        Run::of("a failover", 2).rate(1, 1, 3, 2).fails_over(),
        Run::of("a loss, then full", 1).loses(StartFull),
        Run::of("a loss, then full", 2).rate(1, 1, 3, 2).loses(StartFull),
        Run::of("a loss, then empty", 2).loses(StartEmpty).without_excess(),
    ]
}

/// Each with a fault that must be found.
pub(crate) fn wrong() -> Vec<Run> {
    let plain = || Run::of("a permit a microsecond", 1);
    let failover = || Run::of("a failover, without excess", 1).fails_over().without_crashes();
    let bound = "a bound";
    vec![
        plain().with(Wrong::SpendsLate, bound),
        plain().with(Wrong::FromArrival, bound),
        plain().with(Wrong::Merges, bound),
        plain().with(Wrong::Returns, bound),
        plain().with(Wrong::WholeBurst, bound),
        plain().with(Wrong::Assumes, bound),
        plain().with(Wrong::NotRounded, bound),
        Run::of("in quarters", 2).parts(4).with(Wrong::BoundLessByOne, bound),
        failover().without_excess().with(Wrong::CarriesNothing, bound),
        Run::of("the clock steps back", 1).clock_steps(-3).with(Wrong::CarriesLargest, "c served"),
        Run::of("the clock steps forward", 1).clock_steps(3).with(Wrong::NoExcess, bound),
        Run::of("a failover", 2).fails_over().with(Wrong::NoExcess, bound),
        Run::of("a loss, then full", 1).loses(StartFull).with(Wrong::NoExcess, bound),
    ]
}

/// Those that take long.
pub(crate) fn long() -> Vec<Run> {
    vec![
        Run::of("the clock steps back", 2).clock_steps(-3),
        Run::of("the clock steps forward", 2).clock_steps(3),
        Run::of("a failover", 2).fails_over(),
        Run::of("a loss, then full", 2).loses(StartFull),
        Run::of("in quarters", 2).parts(4),
        Run::of("a permit a microsecond", 3).rate(1, 1, 3, 2),
        Run::of("the clock steps back twice", 1).clock_steps(-3).twice(),
        Run::of("two failovers", 1).fails_over().twice(),
        Run::of("two losses, then full", 1).loses(StartFull).twice(),
    ]
}
