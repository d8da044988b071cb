//! The sharded window on real threads, and whether its table of operations is complete.

use super::keyed::assert_complete;
use casgate::Limiter;
use casgate::algorithm::{FixedWindow, Sharded};
use loom_tests::explore::explore;
use loom_tests::scenarios::*;
use std::sync::atomic::{AtomicUsize, Ordering};

type Window = Limiter<Sharded<FixedWindow>>;

#[test]
fn every_public_operation_is_in_the_table_of_pairs() {
    let sources = [
        include_str!("../../../src/limiter/at.rs"),
        include_str!("../../../src/limiter/now.rs"),
        include_str!("../../../src/limiter/several.rs"),
        include_str!("../../../src/limiter/sharded.rs"),
    ];
    let raced = CELL_OPERATIONS.iter().flat_map(|(methods, _)| methods.iter());
    assert_complete(&sources, raced.chain(NO_CELL_OPERATIONS).copied());
}

#[test]
fn pairs() {
    let all: Vec<_> = CELL_OPERATIONS
        .iter()
        .enumerate()
        .flat_map(|(i, &(_, first))| {
            CELL_OPERATIONS[i..].iter().map(move |&(_, second)| (first, second))
        })
        .collect();
    let next = AtomicUsize::new(0);
    explore("cells: pairs", move || {
        let next = next.fetch_add(1, Ordering::Relaxed);
        let (first, second) = all[next % all.len()];
        cell_pair(1 << (next % 2), first, second, 10 * (next as u64 / 2 % 2));
    });
}

#[test]
fn four_callers() {
    const MIXED: &[Request] = &[(2, 0), (1, 0), (3, 0)];
    const ACROSS: &[Request] = &[(1, 0), (2, 10), (1, 9), (1, 10)];
    for cells in [1, 2, 4] {
        explore("cells: one window", move || dealt_out::<Window>(10, cells, &[MIXED; 4]));
        explore("cells: roll", move || cells_roll::<Window>(7, cells, 3, &[ACROSS; 4]));
        explore("cells: refund", move || cells_refund::<Window>(9, cells, 8, &[MIXED; 3]));
        explore("cells: reset", move || cells_reset::<Window>(9, cells, &[MIXED; 3]));
    }
}
