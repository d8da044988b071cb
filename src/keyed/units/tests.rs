use super::*;
use core::time::Duration;

fn bucket(permits: u32, nanos: u64, burst: u32) -> Result<Pace, Unfit> {
    let quota = Quota::new(permits, Duration::from_nanos(nanos)).unwrap().with_burst(burst);
    Pace::new(Kind::TokenBucket, quota)
}

/// A nanosecond later there would be none.
#[test]
fn at_the_horizon_there_is_room_for_a_burst_and_its_rounding() {
    for (permits, nanos, burst) in
        [(1, 500, 1), (1, 500, 1 << 31), (7, 4_001, 3), (1, LONGEST, 1), (9, LONGEST, 9)]
    {
        let pace = bucket(permits, nanos, burst).unwrap();
        let last = LAST - pace.span - ONE;
        assert!(pace.units(pace.horizon).0 < last, "{permits} in {nanos}");
        let is_last = pace.units(pace.horizon + 1).0 >= last;
        assert!(pace.horizon == HORIZON || is_last, "{permits} in {nanos}");
    }
    assert!(bucket(1, 500, 1).unwrap().horizon < HORIZON);
}

/// By a nanosecond, or by the most that a quota can be given.
#[test]
fn a_burst_of_more_than_two_years_does_not_fit() {
    assert!(bucket(1, LONGEST, 1).is_ok() && bucket(1, LONGEST / 4, 4).is_ok());
    for (nanos, burst) in [
        (LONGEST + 1, 1),
        (LONGEST / 4 + 1, 4),
        (LONGEST / 64, 65),
        (1 << 40, 1 << 21),
        (1 << 29, u32::MAX),
        (LONGEST, 36),
    ] {
        assert_eq!(bucket(1, nanos, burst), Err(Unfit::TooLong), "{burst} of {nanos}");
    }
}

/// In halves of a nanosecond here.
#[test]
fn a_state_is_an_instant_that_is_rounded_up() {
    for halves in [1_000, 1_001, 1_999] {
        let unit = halves << (UNIT_BITS - 1);
        for units in [0, 1, 2, 3, 1_000_001, LAST / ONE] {
            let exact = (u128::from(units) * u128::from(halves)).div_ceil(2);
            assert_eq!(u128::from(time(units * ONE, unit)), exact, "{units} of {halves}");
        }
    }
}
