//! What the threads of one process share of a fleet's limit.

use casgate_redis::model::{Bell, Stock};
use loom_tests::explore::{explore, explore_bounded, refute};
use loom_tests::scenarios::fleet::*;
use loom_tests::seeded::{BellBug, StockBug, WrongBell, WrongStock};

#[test]
fn leases_in_pairs() {
    deed_pairs(|name, pair, has_second| {
        explore(&name, move || deeds_race::<Stock>(&pair, has_second));
    });
}

#[test]
fn leases_in_triples() {
    for ticks in [[9, 9, 9], [9, 10, 10], [10, 10, 10], [10, 20, 20]] {
        for has_second in [false, true] {
            for second in [1, 3] {
                let deeds = [
                    (Deed::Spend(second), ticks[0]),
                    (Deed::Spend(3), ticks[1]),
                    (Deed::Put, ticks[2]),
                ];
                let name = format!("{deeds:?} of {}", if has_second { 2 } else { 1 });
                // Some have a hundred thousand interleavings: at most two preemptions there.
                let bound = has_second.then_some(2);
                explore_bounded(&name, bound, move || deeds_race::<Stock>(&deeds, has_second));
            }
        }
    }
}

fn wrong<const BUG: u8>(name: &str, verdict: &str, deeds: &'static [(Deed, u64)], both: bool) {
    refute(&format!("seeded: {name}"), verdict, move || {
        deeds_race::<WrongStock<BUG>>(deeds, both);
    });
}

/// The bug `LowAfterwards` was one of the crate's.
#[test]
fn wrong_stocks_are_refuted() {
    use Deed::{Drain, GiveBack, Put, Spend, TakeOver};
    use StockBug as Bug;
    wrong::<{ Bug::TwoStepClaim as u8 }>(
        "a claim in two steps",
        "spent and left of",
        &[(Spend(1), 9), (Spend(1), 9)],
        false,
    );
    wrong::<{ Bug::OverwriteWithoutCompare as u8 }>(
        "a lease put by a store",
        "6 permits lost",
        &[(Put, 9), (Put, 9)],
        false,
    );
    wrong::<{ Bug::MergedDeadlines as u8 }>(
        "leases merged",
        "spent of 6 that end at 30",
        &[(Spend(1), 9), (Put, 9)],
        false,
    );
    wrong::<{ Bug::Overdue as u8 }>(
        "a deadline that is not looked at",
        "spent at 20 of a lease that ends at 10",
        &[(Spend(3), 20), (Put, 20)],
        false,
    );
    wrong::<{ Bug::TwoStepTake as u8 }>(
        "taken in two steps",
        "spent and left of",
        &[(Spend(1), 9), (TakeOver, 10)],
        false,
    );
    wrong::<{ Bug::GiveBackToAny as u8 }>(
        "given back to another lease",
        "spent of 6 that end at 30",
        &[(GiveBack, 9), (Put, 10)],
        false,
    );
    wrong::<{ Bug::LowAfterwards as u8 }>(
        "a low mark that comes late",
        "0 told that it is low",
        &[(Spend(3), 10), (Put, 10)],
        false,
    );
    wrong::<{ Bug::SilentDrain as u8 }>(
        "a drain that tells nobody",
        "0 told that it is low",
        &[(Spend(1), 9), (Drain(5), 9)],
        false,
    );
    wrong::<{ Bug::RelaxedLow as u8 }>(
        "a low mark without an order",
        "told that it is low",
        &[(Spend(3), 10), (Put, 10)],
        false,
    );
}

#[test]
fn a_caller_that_rings_is_heard() {
    explore("one caller, of fewer", || callers_ring::<Bell>(&[3]));
    explore("one caller, of as many", || callers_ring::<Bell>(&[5]));
    explore_bounded("two callers", Some(2), || callers_ring::<Bell>(&[3, 7]));
}

/// The bugs `ElidesNotes` and `Torn` were of the crate.
#[test]
fn wrong_bells_are_refuted() {
    refute("seeded: elides notes", "was not heard", || {
        callers_ring::<WrongBell<{ BellBug::ElidesNotes as u8 }>>(&[5]);
    });
    refute("seeded: hears first", "was not heard", || {
        callers_ring::<WrongBell<{ BellBug::HearsFirst as u8 }>>(&[3]);
    });
    refute("seeded: a store", "the bell is left rung", || {
        callers_ring::<WrongBell<{ BellBug::Stores as u8 }>>(&[3]);
    });
    refute("seeded: torn", "was not heard", || {
        callers_ring::<WrongBell<{ BellBug::Torn as u8 }>>(&[3]);
    });
}
