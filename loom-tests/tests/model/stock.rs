//! The sharded token bucket in every interleaving, and the refutation of the wrong ones.

use casgate::algorithm::Sharded;
use casgate::{Limiter, TokenBucket};
use loom_tests::explore::{explore_bounded, refute_bounded};
use loom_tests::scenarios::*;
use loom_tests::seeded::*;

type Bucket = Limiter<Sharded<TokenBucket>>;

/// `burst` permits, all of them spent at 0 but `left`.
fn run(
    name: &str,
    bound: Option<usize>,
    cells: usize,
    left: u32,
    scripts: &'static [&'static [u64]],
) {
    let burst = 8 * cells as u32;
    explore_bounded(name, bound, move || {
        stocks_race::<Bucket>(burst, cells, burst - left, scripts);
    });
}

#[test]
fn callers_at_one_timestamp() {
    run("stocks: the last permit, one cell", None, 1, 1, &[&[0], &[0]]);
    run("stocks: the last two, one cell", None, 1, 2, &[&[0], &[0]]);
    run("stocks: the last three, one cell", Some(3), 1, 3, &[&[0, 0], &[0, 0]]);
    run("stocks: the last permit, two cells", None, 2, 1, &[&[0], &[0]]);
    run("stocks: the last three, two cells", None, 2, 3, &[&[0], &[0]]);
    run("stocks: three callers", Some(2), 1, 2, &[&[0], &[0], &[0]]);
}

/// The caller with the earlier timestamp is not the same as that with the later, so both orders.
#[test]
fn timestamps_that_cross() {
    for (cells, bound) in [(1, None), (2, Some(3))] {
        run("stocks: a lease next to a late caller", bound, cells, 0, &[&[20], &[0]]);
        run("stocks: a late caller next to a lease", bound, cells, 0, &[&[0], &[20]]);
        run("stocks: three left, and a late caller", bound, cells, 3, &[&[0], &[10]]);
        run("stocks: a late caller, and three left", bound, cells, 3, &[&[10], &[0]]);
        run("stocks: a refill at once", bound, cells, 0, &[&[20], &[20]]);
        run("stocks: two calls each", Some(2), cells, 0, &[&[20, 20], &[0, 20]]);
    }
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

#[test]
fn wrong_stocks_are_refuted() {
    refute_bounded("seeded: leased, then raised", "admitted of 8 in [0, 0]", None, || {
        stocks_race::<WrongOneCell<{ OneCellBug::LeasedThenRaised as u8 }>>(
            8,
            1,
            8,
            &[&[20], &[0]],
        );
    });
    refute_bounded("seeded: unnamed", "left after a denial", None, || {
        stocks_race::<WrongOneCell<{ OneCellBug::Unnamed as u8 }>>(8, 1, 8, &[&[20], &[20]]);
    });
    refute_bounded("seeded: a stock without order", "admitted of 8 in [0, 0]", None, || {
        stocks_race::<WrongOneCell<{ OneCellBug::Relaxed as u8 }>>(8, 1, 8, &[&[20], &[0]]);
    });
    run_right(&[&[20], &[0]]);
    run_right(&[&[20], &[20]]);
}

fn run_right(scripts: &'static [&'static [u64]]) {
    explore_bounded("the stock without a bug", None, move || {
        stocks_race::<WrongOneCell<{ OneCellBug::None as u8 }>>(8, 1, 8, scripts);
    });
}
