//! The command that every model is.

use crate::search::Outcome;
use std::process::ExitCode;
use std::time::Duration;

/// What must come of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// Every property holds, in all states.
    Holds,
    /// A property fails.
    Fails,
    /// This property fails.
    FailsBy(&'static str),
}

impl Expected {
    /// Returns whether the outcome is the expected one.
    #[must_use]
    pub fn is(self, outcome: &Outcome) -> bool {
        let failure = outcome.failure.as_ref().map(|(property, _)| *property);
        match self {
            Self::Holds => failure.is_none() && !outcome.cut_short,
            Self::Fails => failure.is_some(),
            Self::FailsBy(property) => failure == Some(property),
        }
    }
}

/// A search that is named.
pub trait Run {
    /// Returns the name.
    fn name(&self) -> &str;

    /// Returns what must come of it.
    fn expected(&self) -> Expected;

    /// Searches for so long at most.
    fn search(&self, limit: Duration) -> Outcome;
}

impl<R: Run + ?Sized> Run for Box<R> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn expected(&self) -> Expected {
        (**self).expected()
    }

    fn search(&self, limit: Duration) -> Outcome {
        (**self).search(limit)
    }
}

/// Searches the runs that the command line selects, prints a row for each, and fails if one ends otherwise than
/// expected.
///
/// `--long` adds the long runs; `--trace` prints how a property fails; names select runs by their beginning.
pub fn main<R: Run>(short: Vec<R>, long: impl FnOnce() -> Vec<R>) -> ExitCode {
    let (options, names): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let is_on = |option: &str| options.iter().any(|o| o == option);
    let is_named = |name: &str| names.iter().any(|n| name.starts_with(n.as_str()));
    let limit = Duration::from_secs(3_000);
    let long = if is_on("--long") || !names.is_empty() { long() } else { vec![] };
    let (mut searched, mut surprises) = (0, 0);
    for run in short.into_iter().chain(long) {
        if !names.is_empty() && !is_named(run.name()) {
            continue;
        }
        searched += 1;
        let outcome = run.search(limit);
        let verdict = match &outcome.failure {
            Some((property, _)) => format!("fails: {property}"),
            None if outcome.cut_short => "CUT SHORT".to_owned(),
            None => "holds in all".to_owned(),
        };
        let expected = if run.expected().is(&outcome) {
            ""
        } else {
            surprises += 1;
            "  <- NOT EXPECTED"
        };
        let (states, seconds) = (outcome.states, outcome.seconds);
        println!("{:<58} {states:>10} {seconds:>7.1} s  {verdict}{expected}", run.name());
        if let Some((_, way)) = outcome.failure.filter(|_| is_on("--trace")) {
            println!("{way}");
        }
    }
    // A name that is misspelt must not pass.
    if searched > 0 && surprises == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_expected_is_noticed() {
        let held = Outcome { states: 1, seconds: 0.0, cut_short: false, failure: None };
        let failed = || Some(("a", String::new()));
        assert!(Expected::Holds.is(&held) && !Expected::Fails.is(&held));
        let cut_short = Outcome { cut_short: true, ..held };
        assert!(!Expected::Holds.is(&cut_short));
        let failed = Outcome { failure: failed(), ..cut_short };
        assert!(!Expected::Holds.is(&failed) && Expected::Fails.is(&failed));
        assert!(Expected::FailsBy("a").is(&failed) && !Expected::FailsBy("b").is(&failed));
    }
}
