//! What is searched, and what must come of it.

use super::table::{Start, Table};
use super::wrong::Wrong;
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

/// Cells, the permits of a lease, the burst of the parent, and who asks.
fn table(cells: u8, lease: u8, burst: u8, programs: Vec<(u8, Vec<u8>)>) -> Table {
    let (start, wrong) = (Start::Fresh, Wrong::Nothing);
    Table { cells, lease, burst, programs, start, wrong, only: None }
}

/// Callers of so many checks each, at these timestamps.
fn calls(each: &[u8], times: &[u8]) -> Vec<(u8, Vec<u8>)> {
    each.iter().map(|&n| (n, times.to_vec())).collect()
}

fn right(table: Table) -> Run {
    let Table { cells, lease, burst, programs, start, .. } = &table;
    let each: Vec<_> = programs.iter().map(|(n, _)| n.to_string()).collect();
    let times: Vec<_> = programs[0].1.iter().map(u8::to_string).collect();
    let rest = if *start == Start::AtRest { ", from rest" } else { "" };
    let s = if *cells == 1 { "" } else { "s" };
    let name = format!(
        "bucket, {} at {}{rest}, {cells} cell{s} of {lease}, parent {burst}",
        each.join("+"),
        times.join(" ")
    );
    Run { name, table, expected: Expected::Holds, for_cycles: false }
}

/// The same from every state at rest.
fn at_rest(table: Table) -> Table {
    Table { start: Start::AtRest, ..table }
}

fn without_cycle(table: Table) -> Run {
    let run = right(table);
    Run { name: run.name.replace("bucket", "bucket, no cycle"), for_cycles: true, ..run }
}

/// With a fault that must fail the property, the only one that is looked at.
fn wrong(wrong: Wrong, property: &'static str, table: Table) -> Run {
    let name = format!("bucket, wrong, {wrong:?}");
    let table = Table { wrong, only: Some(property), ..table };
    Run { name, table, expected: Expected::FailsBy(property), for_cycles: false }
}

/// With a change that turns out to be none.
fn spare(wrong: Wrong, table: Table) -> Run {
    let run = right(Table { wrong, ..table });
    Run { name: run.name.replace("bucket", &format!("bucket, no fault, {wrong:?}")), ..run }
}

/// What is searched in a quarter of a minute.
pub(crate) fn short() -> Vec<Run> {
    let mut runs = vec![
        right(at_rest(table(1, 1, 2, calls(&[1, 1], &[0, 1, 3])))),
        right(at_rest(table(1, 2, 3, calls(&[1, 1], &[0, 1, 3])))),
        right(at_rest(table(2, 1, 2, calls(&[1, 1], &[0, 1, 3])))),
        right(at_rest(table(2, 2, 3, calls(&[1, 1], &[0, 3])))),
        right(at_rest(table(1, 1, 2, calls(&[2, 2], &[0, 1, 3])))),
        right(at_rest(table(2, 1, 2, calls(&[2, 2], &[0, 2])))),
        right(at_rest(table(1, 2, 3, calls(&[2, 2], &[0, 1, 3])))),
        right(at_rest(table(1, 3, 4, calls(&[1, 1], &[0, 1, 2, 4])))),
        right(at_rest(table(1, 1, 2, calls(&[1, 1, 1], &[0, 1, 3])))),
        right(at_rest(table(2, 1, 2, calls(&[1, 1, 1], &[0, 2])))),
        right(table(2, 1, 2, calls(&[3, 3], &[0, 2]))),
        without_cycle(at_rest(table(1, 1, 2, calls(&[2, 2], &[0, 2])))),
        without_cycle(at_rest(table(2, 1, 2, calls(&[1, 1], &[0, 2])))),
    ];
    runs.extend(faults());
    runs
}

fn faults() -> Vec<Run> {
    let (bound, denials) = ("a bound", "b denials");
    let rest = at_rest(table(2, 1, 2, calls(&[1, 1], &[0, 2])));
    let one = at_rest(table(1, 1, 2, calls(&[1, 1], &[0, 2])));
    let stopped = at_rest(table(1, 1, 2, calls(&[1, 4], &[0, 2])));
    let later = at_rest(table(1, 1, 2, calls(&[1, 4], &[1, 3])));
    let twice = at_rest(table(1, 1, 2, calls(&[2, 2], &[0, 2])));
    let pairs = at_rest(table(1, 2, 3, calls(&[1, 1], &[0, 2])));
    let twos = at_rest(table(2, 2, 3, calls(&[1, 1], &[0, 3])));
    vec![
        wrong(Wrong::Unprepared, bound, one.clone()),
        wrong(Wrong::SpentThenRaised, bound, stopped.clone()),
        wrong(Wrong::NearIsSkipped, bound, stopped.clone()),
        wrong(Wrong::Stored, bound, later),
        wrong(Wrong::LeasedThenRaised, bound, one.clone()),
        wrong(Wrong::OlderIsSpent, bound, one.clone()),
        wrong(Wrong::LateByUntil, "c late", pairs),
        wrong(Wrong::WholeBurst, bound, one.clone()),
        wrong(Wrong::Unnamed, denials, one.clone()),
        wrong(Wrong::NoHelp, denials, one.clone()),
        wrong(Wrong::Waits, "d ends alone", one.clone()),
        wrong(Wrong::DoneEarly, denials, one.clone()),
        wrong(Wrong::StampUncompared, bound, stopped.clone()),
        wrong(Wrong::StampOfOneBit, bound, stopped),
        wrong(Wrong::CellBeforeParent, denials, twice),
        wrong(Wrong::DryThoughLate, denials, rest.clone()),
        wrong(Wrong::DryUnseen, denials, rest.clone()),
        wrong(Wrong::LostIsEmpty, denials, twos),
        spare(Wrong::LateIsEmpty, rest.clone()),
        spare(Wrong::Unconfirmed, rest),
    ]
}

/// What takes longer.
pub(crate) fn long() -> Vec<Run> {
    vec![
        right(at_rest(table(2, 1, 2, calls(&[1, 1], &[0, 1, 2, 4])))),
        right(at_rest(table(2, 2, 4, calls(&[1, 1], &[0, 1, 4])))),
        right(at_rest(table(2, 1, 2, calls(&[2, 2], &[0, 1, 3])))),
        right(at_rest(table(2, 1, 2, calls(&[1, 1, 1], &[0, 1, 3])))),
        right(at_rest(table(2, 1, 2, calls(&[2, 1, 1], &[0, 2])))),
        right(at_rest(table(2, 2, 3, calls(&[1, 1, 1], &[0, 3])))),
    ]
}
