//! The sharded token bucket in every interleaving, and the refutation of the wrong ones.

use casgate::algorithm::Sharded;
use casgate::{Limiter, TokenBucket};
use loom_tests::explore::{explore_bounded, refute_bounded};
use loom_tests::scenarios::*;
use loom_tests::seeded::*;

type Bucket = Limiter<Sharded<TokenBucket>>;

/// Each cell can hold one permit. All are spent at 0 but `left`.
fn run(
    name: &str,
    bound: Option<usize>,
    cells: usize,
    left: u32,
    scripts: &'static [&'static [u64]],
) {
    let burst = 8 * cells as u32;
    explore_bounded(name, bound, move || {
        stocks_race::<Bucket>(burst, cells, burst - left, 0, scripts);
    });
}

#[test]
fn callers_at_one_timestamp() {
    run("stocks: the last permit, one cell", None, 1, 1, &[&[0], &[0]]);
    run("stocks: the last two, one cell", None, 1, 2, &[&[0], &[0]]);
    run("stocks: the last three, one cell", Some(2), 1, 3, &[&[0, 0], &[0, 0]]);
    run("stocks: the last permit, two cells", None, 2, 1, &[&[0], &[0]]);
    run("stocks: the last three, two cells", None, 2, 3, &[&[0], &[0]]);
    run("stocks: three callers", Some(2), 1, 2, &[&[0], &[0], &[0]]);
}

/// The caller with the earlier timestamp is not the same as that with the later, so both orders.
#[test]
fn timestamps_that_cross() {
    for cells in [1, 2] {
        let bound = Some(3);
        run("stocks: a lease next to a late caller", bound, cells, 0, &[&[20], &[0]]);
        run("stocks: a late caller next to a lease", bound, cells, 0, &[&[0], &[20]]);
        run("stocks: three left, and a late caller", bound, cells, 3, &[&[0], &[10]]);
        run("stocks: a late caller, and three left", bound, cells, 3, &[&[10], &[0]]);
        run("stocks: a refill at once", bound, cells, 0, &[&[20], &[20]]);
        run("stocks: two calls each", Some(2), cells, 0, &[&[20, 20], &[0, 20]]);
    }
}

/// A cell of two notes more than the timestamp that it is spent at.
#[test]
fn timestamps_that_are_near() {
    let run = |name, bound, left: u32, scripts| {
        explore_bounded(name, bound, move || {
            stocks_race::<Bucket>(16, 1, 16 - left, 2, scripts);
        });
    };
    run("stocks: near timestamps, a full bucket", None, 16, &[&[1], &[0]]);
    run("stocks: near timestamps, two in the cell", None, 4, &[&[1], &[0]]);
    run("stocks: near timestamps, one in the cell", None, 3, &[&[0], &[1]]);
    run("stocks: near timestamps, an empty cell", Some(3), 5, &[&[2], &[1]]);
    run("stocks: near timestamps, two calls each", Some(2), 16, &[&[1, 1], &[2, 0]]);
    run("stocks: a spend ahead of a lease", None, 16, &[&[20], &[0]]);
    // The earlier one must not lower what the later one has noted. It would get a lease, and at 40 there
    // would be one permit too many.
    explore_bounded("stocks: two notes, and a lease", None, || {
        stocks_race::<Bucket>(16, 1, 1, 4, &[&[40], &[10]]);
    });
}

#[test]
fn a_peek_next_to_callers() {
    for (cells, bound) in [(1, None), (2, Some(3))] {
        explore_bounded("stocks: peek", bound, move || {
            stocks_peek::<Bucket>(8 * cells, cells as usize, 8 * cells - 3, &[0], 0);
        });
        explore_bounded("stocks: peek at a lease", bound, move || {
            stocks_peek::<Bucket>(8 * cells, cells as usize, 8 * cells, &[20], 20);
        });
    }
}

/// Both orders, for the callers have cells of their own.
#[test]
fn pairs() {
    for (i, &(_, first)) in STOCK_OPERATIONS.iter().enumerate() {
        for (j, &(_, second)) in STOCK_OPERATIONS.iter().enumerate() {
            for (left, times) in STOCK_TIMES {
                for cells in [1, 2] {
                    if cells == 1 && times[0] == times[1] && j < i {
                        continue; // the same as the other order
                    }
                    // Unbounded, some have 92,472 executions; and with the queue's lock, many more.
                    let has_place = [first, second].contains(&StockStep::Place);
                    let bound = Some(if has_place { 1 } else { 2 });
                    let name = format!(
                        "stocks: {first:?} next to {second:?} at {times:?}, {left} left, {cells} cells"
                    );
                    explore_bounded(&name, bound, move || {
                        stock_pair::<StockQueue>(cells, left, [first, second], times);
                    });
                }
            }
        }
    }
}

#[test]
fn wrong_stocks_are_refuted() {
    refute_bounded("seeded: leased, then raised", "admitted of 8 in [0, 0]", None, || {
        stocks_race::<WrongOneCell<{ OneCellBug::LeasedThenRaised as u8 }>>(
            8,
            1,
            8,
            0,
            &[&[20], &[0]],
        );
    });
    refute_bounded("seeded: near timestamps skipped", "admitted of 8 in [20, 20]", None, || {
        stocks_race::<WrongOneCell<{ OneCellBug::NearIsSkipped as u8 }>>(
            8,
            1,
            0,
            2,
            &[&[20], &[0]],
        );
    });
    refute_bounded("seeded: unnamed", "left after a denial", None, || {
        stocks_race::<WrongOneCell<{ OneCellBug::Unnamed as u8 }>>(8, 1, 8, 0, &[&[20], &[20]]);
    });
    refute_bounded("seeded: a stock without order", "admitted of 8 in [0, 0]", None, || {
        stocks_race::<WrongOneCell<{ OneCellBug::Relaxed as u8 }>>(8, 1, 8, 0, &[&[20], &[0]]);
    });
    run_right(8, &[&[20], &[0]]);
    run_right(0, &[&[20], &[0]]);
    run_right(8, &[&[20], &[20]]);
}

/// By the pairs alone.
#[test]
fn wrong_stocks_are_refuted_by_pairs() {
    use StockStep::{Check, IsAllowed, Peek, Place};
    fn refute<const BUG: u8>(
        name: &str,
        verdict: &str,
        left: u32,
        steps: [StockStep; 2],
        times: [u64; 2],
    ) {
        refute_bounded(name, verdict, Some(2), move || {
            stock_pair::<WrongOneCell<BUG>>(1, left, steps, times);
        });
    }
    refute::<{ OneCellBug::LeasedThenRaised as u8 }>(
        "seeded pair: leased, then raised",
        "admitted of 8 in [0, 0]",
        0,
        [Check, IsAllowed],
        [20, 0],
    );
    refute::<{ OneCellBug::Unnamed as u8 }>(
        "seeded pair: unnamed",
        "left after a denial",
        0,
        [Check, Check],
        [20, 20],
    );
    refute::<{ OneCellBug::CountsTwice as u8 }>(
        "seeded pair: a lease counts twice",
        "a peek of 3 of 2",
        0,
        [Check, Peek],
        [20, 20],
    );
    refute::<{ OneCellBug::LooksFirst as u8 }>(
        "seeded pair: a place by a look",
        "admitted of 8 in [0, 0]",
        1,
        [Check, Place],
        [0, 0],
    );
    for steps in [[Check, Check], [Check, Peek], [Check, Place]] {
        for (left, times) in STOCK_TIMES {
            explore_bounded("the stock without a bug, pairs", Some(2), move || {
                stock_pair::<WrongOneCell<{ OneCellBug::None as u8 }>>(1, left, steps, times);
            });
        }
    }
}

fn run_right(spent: u32, scripts: &'static [&'static [u64]]) {
    let lost = if spent == 0 { 2 } else { 0 };
    explore_bounded("the stock without a bug", None, move || {
        stocks_race::<WrongOneCell<{ OneCellBug::None as u8 }>>(8, 1, spent, lost, scripts);
    });
}
