//! The sharded window in every interleaving, and the refutation of the wrong ones.

use casgate::Limiter;
use casgate::algorithm::{FixedWindow, Sharded};
use loom_tests::explore::{explore_bounded, refute_bounded};
use loom_tests::scenarios::*;
use loom_tests::seeded::*;

type Window = Limiter<Sharded<FixedWindow>>;

const ONE: &[Request] = &[(1, 0)];
const TWO: &[Request] = &[(2, 0)];
const NEXT: &[Request] = &[(1, 10)];
/// One after another. A thread has a cell to itself until the second.
const ONES: &[Request] = &[(1, 0), (1, 0)];
const NEXTS: &[Request] = &[(1, 10), (1, 10)];

#[test]
fn callers_in_one_window() {
    let run = |name, bound, limit, cells, scripts: &'static [&'static [Request]]| {
        explore_bounded(name, bound, move || dealt_out::<Window>(limit, cells, scripts));
    };
    run("cells: two callers, limit 1", None, 1, 2, &[ONE, ONE]);
    run("cells: two callers, one cell", None, 1, 1, &[ONE, ONE]);
    run("cells: two callers, two calls each, limit 2", None, 2, 2, &[ONES, ONES]);
    run("cells: two callers, two calls each, limit 3", None, 3, 2, &[ONES, ONES]);
    run("cells: three callers, limit 2", Some(2), 2, 2, &[ONE, ONE, ONE]);
    run("cells: two at once and one", Some(2), 2, 2, &[TWO, ONE]);
    run("cells: two at once, twice", Some(2), 3, 2, &[TWO, TWO]);
    run("cells: two at once and one, three callers", Some(2), 3, 2, &[TWO, ONE, ONE]);
}

#[test]
fn a_window_that_rolls() {
    let run = |name, bound, cells, spent, scripts: &'static [&'static [Request]]| {
        explore_bounded(name, bound, move || cells_roll::<Window>(2, cells, spent, scripts));
    };
    run("cells roll: one caller a side", None, 2, 1, &[ONES, NEXTS]);
    run("cells roll: one cell", None, 1, 1, &[ONE, NEXT]);
    run("cells roll: together", None, 2, 2, &[NEXTS, NEXTS]);
    run("cells roll: three together", Some(2), 2, 2, &[NEXT, NEXT, NEXT]);
    run("cells roll: two at once, a side each", Some(2), 2, 0, &[TWO, &[(2, 10)]]);
    run("cells roll: a late caller of two", Some(2), 2, 0, &[TWO, NEXTS]);
}

#[test]
fn giving_back() {
    for cells in [1, 2] {
        explore_bounded("cells: refund", Some(2), move || {
            cells_refund::<Window>(2, cells, 2, &[ONE]);
        });
        explore_bounded("cells: reset", Some(2), move || cells_reset::<Window>(2, cells, &[ONE]));
    }
    giving_back_next_to_two(1);
}

#[test]
#[ignore = "more than a minute"]
fn giving_back_in_two_cells_next_to_two() {
    giving_back_next_to_two(2);
}

fn giving_back_next_to_two(cells: usize) {
    explore_bounded("cells: refund, two callers", Some(1), move || {
        cells_refund::<Window>(2, cells, 2, &[ONE, ONE]);
    });
    explore_bounded("cells: reset, two callers", Some(1), move || {
        cells_reset::<Window>(2, cells, &[ONE, TWO]);
    });
}

/// The caller in the older window is not the same as that in the newer, so both orders.
#[test]
fn pairs() {
    for (i, &(_, first)) in CELL_OPERATIONS.iter().enumerate() {
        for (j, &(_, second)) in CELL_OPERATIONS.iter().enumerate() {
            for later in
                [0, 10].into_iter().filter(|&later| if later > 0 { second.asks() } else { j >= i })
            {
                let name = format!("cells: {first:?} next to {second:?} at {later}");
                explore_bounded(&name, Some(2), move || cell_pair(2, first, second, later));
            }
        }
    }
}

#[test]
fn wrong_cells_are_refuted() {
    refute_bounded("seeded: spent too early", "left of", None, || {
        dealt_out::<WrongCells<{ CellBug::SpentTooEarly as u8 }>>(4, 2, &[&[(1, 0); 3], ONE]);
    });
    refute_bounded("seeded: frozen is spent", "left of", None, || {
        dealt_out::<WrongCells<{ CellBug::FrozenIsSpent as u8 }>>(2, 2, &[TWO, ONE]);
    });
    refute_bounded("seeded: older is spent", "left of", None, || {
        cells_roll::<WrongCells<{ CellBug::OlderIsSpent as u8 }>>(4, 2, 1, &[NEXTS, NEXTS]);
    });
    refute_bounded("seeded: refund into a cell", "1 given back", None, || {
        cells_refund::<WrongCells<{ CellBug::RefundIntoCell as u8 }>>(2, 2, 2, &[ONE]);
    });
    refute_bounded("seeded: no freezing", "left of", None, || {
        dealt_out::<WrongCells<{ CellBug::NoFreezing as u8 }>>(2, 2, &[TWO, ONE]);
    });
    explore_bounded("the copy without a bug", Some(2), || {
        dealt_out::<WrongCells<{ CellBug::None as u8 }>>(2, 2, &[TWO, ONE]);
    });
    explore_bounded("the copy without a bug, roll", Some(2), || {
        cells_roll::<WrongCells<{ CellBug::None as u8 }>>(2, 2, 1, &[ONES, NEXTS]);
    });
}
