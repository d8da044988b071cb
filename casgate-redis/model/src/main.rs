//! An exhaustive model of the leases of a fleet. See the README.

#![forbid(unsafe_code)]

mod action;
mod ghost;
mod holder;
mod model;
mod run;
mod runs;
mod server;
mod step;
mod wrong;

use std::process::ExitCode;

/// `--long` adds the long runs; `--trace` prints how a property fails; names select runs by their beginning.
fn main() -> ExitCode {
    let (options, names): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let is_on = |option: &str| options.iter().any(|o| o == option);
    let is_named = |name: &str| names.iter().any(|n| name.starts_with(n.as_str()));
    let long = if is_on("--long") || !names.is_empty() { runs::long() } else { vec![] };
    let (mut searched, mut surprises) = (0, 0);
    for run in runs::right().into_iter().chain(runs::wrong()).chain(long) {
        if !names.is_empty() && !is_named(&run.name) {
            continue;
        }
        searched += 1;
        let (name, expected) = (run.name.clone(), run.expected());
        let outcome = run.search();
        let failure = outcome.failure.as_ref().map(|(property, _)| *property);
        let verdict = failure.map_or("holds".to_owned(), |property| format!("fails: {property}"));
        let surprise = if failure == expected {
            ""
        } else {
            surprises += 1;
            "  <- NOT EXPECTED"
        };
        let (states, seconds) = (outcome.states, outcome.seconds);
        println!("{name:<52} {states:>10} {seconds:>6.1} s  {verdict}{surprise}");
        if let Some((_, way)) = outcome.failure.filter(|_| is_on("--trace")) {
            println!("{way}");
        }
    }
    // A name that is misspelt must not pass.
    if searched > 0 && surprises == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
