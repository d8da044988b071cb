//! Wrong limiters of two cells, and whether the search over orders finds them.

use super::linear::{OneWindow, Op, Told};
use casgate::testing::Trace;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// One permit in each.
struct Cells([AtomicU32; 2]);

impl Cells {
    fn spend(&self, cell: usize) -> bool {
        self.0[cell].fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

/// What others do in the middle of a check.
type Others<'a> = &'a dyn Fn();

fn right(cells: &Cells, others: Others<'_>) -> bool {
    others();
    cells.spend(0) || cells.spend(1)
}

fn by_its_own_cell_alone(cells: &Cells, others: Others<'_>) -> bool {
    others();
    cells.spend(0)
}

fn by_what_the_cells_had_before(cells: &Cells, others: Others<'_>) -> bool {
    let seen = [0, 1].map(|cell| cells.0[cell].load(SeqCst));
    others();
    let Some(cell) = seen.iter().position(|&left| left > 0) else { return false };
    cells.0[cell].store(seen[cell] - 1, SeqCst);
    true
}

fn by_a_pass_over_cells_that_others_fill(cells: &Cells, others: Others<'_>) -> bool {
    cells.spend(0) || {
        others();
        cells.spend(1)
    }
}

/// Whether no order explains what a check was told after that many others, and what others were told in the middle.
fn is_found(
    check: fn(&Cells, Others<'_>) -> bool,
    before: usize,
    others: impl Fn(&dyn Fn(Op, usize)),
) -> bool {
    let (cells, trace) = (Cells([1, 1].map(AtomicU32::new)), Trace::default());
    let told = |is_admitted| if is_admitted { Told::Admitted(0) } else { Told::Denied };
    let record = |op: Op, cell: usize| {
        trace.record(1, op, |op| match op {
            Op::Refund(n) => {
                cells.0[cell].fetch_add(n, SeqCst);
                Told::Done
            }
            _ => told(cells.spend(cell)),
        });
    };
    (0..before).for_each(|cell| record(Op::Check(1), cell));
    trace.record(0, Op::Check(1), |_| told(check(&cells, &|| others(&record))));
    catch_unwind(AssertUnwindSafe(|| trace.assert_linearizable(&OneWindow(2)))).is_err()
}

#[test]
fn a_denial_by_one_cell_is_found() {
    assert!(is_found(by_its_own_cell_alone, 1, |_| ()));
    assert!(!is_found(by_its_own_cell_alone, 0, |_| ()));
    assert!(!is_found(right, 1, |_| ()));
    assert!(!is_found(right, 2, |_| ()));
}

#[test]
fn an_admission_by_a_stale_cell_is_found() {
    let both_are_spent = |record: &dyn Fn(Op, usize)| {
        (0..2).for_each(|cell| record(Op::Check(1), cell));
    };
    assert!(is_found(by_what_the_cells_had_before, 0, both_are_spent));
    assert!(!is_found(right, 0, both_are_spent));
}

#[test]
fn a_pass_that_a_refund_overtakes_is_found() {
    let one_comes_back_and_the_other_goes = |record: &dyn Fn(Op, usize)| {
        record(Op::Refund(1), 0);
        record(Op::Check(1), 1);
    };
    let check = by_a_pass_over_cells_that_others_fill;
    assert!(is_found(check, 1, one_comes_back_and_the_other_goes));
    assert!(!is_found(check, 1, |_| ()));
}
