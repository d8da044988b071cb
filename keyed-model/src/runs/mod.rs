//! What is searched, and what must come of it.

mod long;
mod ops;
mod right;
mod wrong;

use crate::search::{self, Outcome};
use crate::table::Table;
use crate::today::Today;
use crate::wrong::Wrong;
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) enum Subject {
    Table(Table),
    Today(Today),
    /// The table, whose states must be finite in number and without a cycle: then every schedule comes to an end.
    Ends(Table),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Expected {
    Holds,
    Fails,
}

#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) subject: Subject,
    pub(crate) expected: Expected,
}

impl Run {
    fn right(name: impl Into<String>, table: Table) -> Self {
        let (name, subject) = (name.into(), Subject::Table(table));
        Self { name, subject, expected: Expected::Holds }
    }

    fn wrong(name: impl Into<String>, table: Table) -> Self {
        Self { expected: Expected::Fails, ..Self::right(name, table) }
    }

    /// The same run without its fault, in which nothing must be found.
    fn without_fault(self) -> Option<Self> {
        let Subject::Table(table) = self.subject else { return None };
        let table = Table { wrong: Wrong::Nothing, stamps: 256, ..table };
        Some(Self::right(self.name.replace("wrong,", "without"), table))
    }

    pub(crate) fn search(&self, limit: Duration) -> Outcome {
        match self.subject.clone() {
            Subject::Table(table) => search::breadth_first(table, limit),
            Subject::Today(today) => search::breadth_first(today, limit),
            Subject::Ends(table) => search::ends(&table, limit),
        }
    }

    /// Whether the outcome is the expected one.
    pub(crate) fn is_as_expected(&self, outcome: &Outcome) -> bool {
        match self.expected {
            Expected::Holds => outcome.failure.is_none() && !outcome.cut_short,
            Expected::Fails => outcome.failure.is_some(),
        }
    }
}

/// What is searched in a minute or two.
pub(crate) fn short() -> Vec<Run> {
    [right::runs(), wrong::runs()].concat()
}

/// What takes longer.
pub(crate) fn long() -> Vec<Run> {
    let without = wrong::runs().into_iter().filter_map(Run::without_fault);
    long::runs().into_iter().chain(right::long()).chain(without).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(600);

    fn run(name: &str) -> Run {
        short().into_iter().find(|run| run.name == name).expect("a run of that name")
    }

    #[test]
    fn a_fault_is_found_and_nothing_without_it() {
        let wrong = run("wrong, RefundGivesUp");
        assert!(wrong.search(LIMIT).failure.is_some());
        let right = wrong.without_fault().expect("a run of the table");
        let outcome = right.search(LIMIT);
        assert!(right.is_as_expected(&outcome) && outcome.states > 1_000, "{outcome:?}");
    }

    #[test]
    fn what_is_not_expected_is_noticed() {
        let wrong = run("wrong, WatermarkForgotten");
        let outcome = wrong.search(LIMIT);
        assert!(wrong.is_as_expected(&outcome));
        let right = Run { expected: Expected::Holds, ..wrong };
        assert!(!right.is_as_expected(&outcome));
        let cut_short = Outcome { failure: None, cut_short: true, ..outcome };
        assert!(!right.is_as_expected(&cut_short));
    }
}
