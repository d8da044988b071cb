//! What is searched, and what must come of it.

mod long;
mod ops;
mod right;
mod wrong;

use crate::table::Table;
use crate::today::Today;
use crate::wrong::Wrong;
use explorer::{Expected, Outcome};
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) enum Subject {
    Table(Table),
    Today(Today),
    /// The table, whose states must be finite in number and without a cycle: then every schedule comes to an end.
    Ends(Table),
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
}

impl explorer::Run for Run {
    fn name(&self) -> &str {
        &self.name
    }

    fn expected(&self) -> Expected {
        self.expected
    }

    fn search(&self, limit: Duration) -> Outcome {
        match self.subject.clone() {
            Subject::Table(table) => explorer::breadth_first(table, limit),
            Subject::Today(today) => explorer::breadth_first(today, limit),
            Subject::Ends(table) => explorer::ends(&table, limit),
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
    use explorer::Run as _;

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
        assert!(right.expected.is(&outcome) && outcome.states > 1_000, "{outcome:?}");
    }
}
