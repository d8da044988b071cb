//! The sharded limiters in random schedules of more callers.

use casgate::algorithm::{FixedWindow, Sharded};
use casgate::{Limiter, TokenBucket};
use loom_tests::explore::{explore, refute};
use loom_tests::scenarios::*;
use loom_tests::seeded::*;
use shuttle::rand::{Rng, thread_rng};

type Window = Limiter<Sharded<FixedWindow>>;
type Bucket = Limiter<Sharded<TokenBucket>>;

/// Callers that ask for weights in windows which the scheduler draws.
fn drawn(callers: usize, calls: usize, heaviest: u32, windows: u64) -> Vec<Vec<Request>> {
    let request =
        || (thread_rng().gen_range(1..=heaviest), 10 * thread_rng().gen_range(0..windows));
    (0..callers).map(|_| (0..calls).map(|_| request()).collect()).collect()
}

fn as_slices(scripts: &[Vec<Request>]) -> Vec<&[Request]> {
    scripts.iter().map(Vec::as_slice).collect()
}

#[test]
fn eight_callers() {
    for cells in [1, 2, 4] {
        explore("cells: one window", move || {
            dealt_out::<Window>(9, cells, &as_slices(&drawn(8, 2, 3, 1)));
        });
        explore("cells: one permit each", move || {
            dealt_out::<Window>(7, cells, &as_slices(&drawn(8, 2, 1, 1)));
        });
        explore("cells: roll", move || {
            cells_roll::<Window>(7, cells, 3, &as_slices(&drawn(8, 2, 3, 2)));
        });
        explore("cells: refund", move || {
            cells_refund::<Window>(6, cells, 5, &as_slices(&drawn(4, 2, 2, 1)));
        });
        explore("cells: reset", move || {
            cells_reset::<Window>(6, cells, &as_slices(&drawn(4, 2, 2, 1)));
        });
        explore("cells: pairs", move || {
            let draw = || CELL_OPERATIONS[thread_rng().gen_range(0..CELL_OPERATIONS.len())].1;
            cell_pair(cells, draw(), draw(), 10 * thread_rng().gen_range(0..2));
        });
    }
}

#[test]
fn pairs_of_a_bucket() {
    for cells in [1, 2, 4] {
        explore("stocks: pairs", move || {
            let draw = || STOCK_OPERATIONS[thread_rng().gen_range(0..STOCK_OPERATIONS.len())].1;
            let (left, times) = STOCK_TIMES[thread_rng().gen_range(0..STOCK_TIMES.len())];
            stock_pair::<StockQueue>(cells, left, [draw(), draw()], times);
        });
    }
}

/// As many callers, with four calls each, at timestamps that the scheduler draws: the ends, or any between.
fn drawn_times(callers: usize, newest: u64) -> Vec<Vec<u64>> {
    let now = || match thread_rng().gen_range(0..4_u64) {
        0 => 0,
        1 => newest,
        _ => thread_rng().gen_range(0..=newest),
    };
    (0..callers).map(|_| (0..4).map(|_| now()).collect()).collect()
}

fn stocks_drawn<L: Stocked>(burst: u32, cells: usize, left: u32) {
    let scripts = drawn_times(4, 2 * TICK);
    let scripts: Vec<_> = scripts.iter().map(Vec::as_slice).collect();
    stocks_race::<L>(burst, cells, burst - left, 2, &scripts);
}

#[test]
fn callers_of_a_bucket() {
    for cells in [1, 2, 4] {
        explore("stocks: callers", move || {
            let burst = 32 * cells as u32;
            stocks_drawn::<Bucket>(burst, cells, thread_rng().gen_range(0..=burst));
        });
    }
    refute("seeded: near timestamps skipped", "admitted of 8", || {
        stocks_drawn::<WrongOneCell<{ OneCellBug::NearIsSkipped as u8 }>>(8, 1, 8);
    });
}

/// In each verdict of `dealt_out`: the sum is wrong, or what was denied fits. Which of them a bug meets first
/// depends on the schedule.
const WRONG: &str = " left";

#[test]
fn wrong_cells_are_refuted() {
    refute("seeded: spent too early", WRONG, || {
        dealt_out::<WrongCells<{ CellBug::SpentTooEarly as u8 }>>(
            6,
            2,
            &as_slices(&drawn(8, 1, 1, 1)),
        );
    });
    refute("seeded: frozen is spent", WRONG, || {
        dealt_out::<WrongCells<{ CellBug::FrozenIsSpent as u8 }>>(
            6,
            2,
            &as_slices(&drawn(8, 1, 3, 1)),
        );
    });
    refute("seeded: no freezing", WRONG, || {
        dealt_out::<WrongCells<{ CellBug::NoFreezing as u8 }>>(
            6,
            2,
            &as_slices(&drawn(8, 1, 3, 1)),
        );
    });
}
