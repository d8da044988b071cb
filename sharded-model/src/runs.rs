//! What is searched, and what must come of it.

use crate::op::Op;
use crate::table::{Start, Table};
use crate::wrong::Wrong;
use explorer::{Expected, Outcome};
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Run {
    name: String,
    table: Table,
    expected: Expected,
    /// Whether it looks for a way from a state back to itself, and at no property.
    for_cycles: bool,
}

impl explorer::Run for Run {
    fn name(&self) -> &str {
        &self.name
    }

    fn expected(&self) -> Expected {
        self.expected
    }

    fn search(&self, limit: Duration) -> Outcome {
        if self.for_cycles {
            explorer::ends(&self.table, limit)
        } else {
            explorer::breadth_first(self.table.clone(), limit)
        }
    }
}

fn checks(n: u8, windows: &[u8]) -> Vec<Op> {
    windows.iter().map(|&at| Op::Check { n, at }).collect()
}

fn refunds(n: u8, windows: &[u8]) -> Vec<Op> {
    windows.iter().map(|&at| Op::Refund { n, at }).collect()
}

fn takes(n: u8, windows: &[u8]) -> Vec<Op> {
    windows.iter().map(|&at| Op::TakeUpTo { n, at }).collect()
}

/// Every operation in these windows.
fn everything(windows: &[u8]) -> Vec<Op> {
    let peeks = windows.iter().map(|&at| Op::Peek { at }).collect();
    let parts =
        [checks(1, windows), checks(2, windows), refunds(1, windows), takes(2, windows), peeks];
    [parts.concat(), vec![Op::Reset]].concat()
}

fn table(cells: u8, limit: u8, programs: Vec<(u8, Vec<Op>)>) -> Table {
    Table { cells, limit, programs, start: Start::Fresh, wrong: Wrong::Nothing, only: None }
}

fn right(name: &str, table: Table) -> Run {
    let Table { cells, limit, .. } = table;
    let s = if cells == 1 { "" } else { "s" };
    let name = format!("{name}, {cells} cell{s}, limit {limit}");
    Run { name, table, expected: Expected::Holds, for_cycles: false }
}

/// The same callers, each of whom takes as many operations of the same ones.
fn alike(callers: usize, each: u8, ops: &[Op]) -> Vec<(u8, Vec<Op>)> {
    vec![(each, ops.to_vec()); callers]
}

/// The same from every state at rest.
fn at_rest(name: &str, table: Table) -> Run {
    right(&format!("{name}, from rest"), Table { start: Start::AtRest, ..table })
}

fn without_cycle(name: &str, table: Table) -> Run {
    Run { for_cycles: true, ..right(&format!("no cycle, {name}"), table) }
}

/// With a fault that must fail the property, the only one that is looked at.
fn wrong(wrong: Wrong, property: &'static str, table: Table) -> Run {
    let name = format!("wrong, {wrong:?}");
    let table = Table { wrong, only: Some(property), ..table };
    Run { name, table, expected: Expected::FailsBy(property), for_cycles: false }
}

/// What is searched in half a minute.
pub(crate) fn short() -> Vec<Run> {
    let all = everything(&[1, 2]);
    let in_one = everything(&[1]);
    let across = everything(&[1, 3]);
    let asks = [checks(1, &[1, 2]), checks(2, &[1]), refunds(1, &[1]), vec![Op::Reset]].concat();
    let mut runs = vec![
        at_rest("1+1", table(1, 2, alike(2, 1, &all))),
        at_rest("1+1", table(2, 1, alike(2, 1, &all))),
        at_rest("1+1", table(2, 2, alike(2, 1, &all))),
        at_rest("1+1", table(2, 3, alike(2, 1, &all))),
        at_rest("1+1, windows 1 and 3", table(2, 3, alike(2, 1, &across))),
        at_rest("1+1, one window", table(3, 4, alike(2, 1, &in_one))),
        right("2+2, one window", table(2, 3, alike(2, 2, &in_one))),
        right("3+1, two windows", table(2, 2, vec![(3, asks.clone()), (1, all.clone())])),
        right("1+1+1, two windows", table(2, 2, alike(3, 1, &asks))),
        right("1+1+1, one window", table(3, 4, alike(3, 1, &in_one))),
        without_cycle("2+2, one window", table(2, 2, alike(2, 2, &in_one))),
        without_cycle("1+1+1, two windows", table(2, 2, alike(3, 1, &asks))),
    ];
    runs.extend(faults());
    runs
}

fn faults() -> Vec<Run> {
    let (bound, denials, alone) = ("a bound", "b denials", "d ends alone");
    let rest = |ops: &[Op]| Table { start: Start::AtRest, ..table(2, 3, alike(2, 1, ops)) };
    let all = rest(&everything(&[1, 2]));
    let gives_back = [refunds(1, &[1]), checks(1, &[1])].concat();
    let stopped = vec![(1, checks(1, &[1])), (2, gives_back)];
    let stopped = Table { start: Start::AtRest, ..table(2, 2, stopped) };
    let across = rest(&everything(&[1, 3]));
    vec![
        wrong(Wrong::RefundIntoCell, denials, all.clone()),
        wrong(Wrong::ResetOfParent, bound, all.clone()),
        wrong(Wrong::NoFreezing, bound, all.clone()),
        wrong(Wrong::SumMissesCell, denials, all.clone()),
        wrong(Wrong::GathersPastLater, denials, all.clone()),
        wrong(Wrong::SumStored, bound, all.clone()),
        wrong(Wrong::SpentThoughLate, denials, all.clone()),
        wrong(Wrong::SpentUnseen, denials, all.clone()),
        wrong(Wrong::SpentUncompared, denials, stopped),
        wrong(Wrong::LostIsSpent, denials, all.clone()),
        wrong(Wrong::FrozenIsSpent, bound, all.clone()),
        wrong(Wrong::OlderIsSpent, bound, all.clone()),
        wrong(Wrong::IndexOfOneBit, bound, across),
        wrong(Wrong::MarkIgnored, denials, all.clone()),
        wrong(Wrong::HelpsHalf, alone, all.clone()),
        wrong(Wrong::Waits, alone, all.clone()),
        wrong(Wrong::NoPass, denials, all.clone()),
        wrong(Wrong::RefundGivesUp, "e effect", all),
    ]
}

/// What takes longer.
pub(crate) fn long() -> Vec<Run> {
    let (all, three) = (everything(&[1, 2]), everything(&[1, 2, 3]));
    vec![
        right("2+2, two windows", table(2, 3, alike(2, 2, &all))),
        right("1+1+1, two windows", table(2, 3, alike(3, 1, &all))),
        at_rest("1+1, three windows", table(2, 3, alike(2, 1, &three))),
        at_rest("1+1, two windows", table(3, 4, alike(2, 1, &all))),
        at_rest("1+1+1, one window", table(2, 3, alike(3, 1, &everything(&[1])))),
    ]
}
