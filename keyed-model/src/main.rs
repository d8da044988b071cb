//! An exhaustive model of the keyed limiter's protocol. See the README.

#![forbid(unsafe_code)]

mod caller;
mod complete;
mod ghost;
mod hit;
mod memory;
mod model;
mod new_key;
mod op;
mod passed;
mod rule;
mod runs;
mod search;
mod sweep;
mod table;
mod today;
mod wrong;

use std::process::ExitCode;
use std::time::Duration;

/// `--long` adds the long runs; `--trace` prints how a property fails; names select runs by their beginning.
fn main() -> ExitCode {
    let (options, names): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let is_on = |option: &str| options.iter().any(|o| o == option);
    let is_named = |name: &str| names.iter().any(|n| name.starts_with(n.as_str()));
    let limit = Duration::from_secs(3_000);
    let long = if is_on("--long") || !names.is_empty() { runs::long() } else { vec![] };
    let (mut searched, mut surprises) = (0, 0);
    for run in runs::short().into_iter().chain(long) {
        if !names.is_empty() && !is_named(&run.name) {
            continue;
        }
        searched += 1;
        let outcome = run.search(limit);
        let verdict = match &outcome.failure {
            Some((property, _)) => format!("fails: {property}"),
            None if outcome.cut_short => "CUT SHORT".to_owned(),
            None => "holds".to_owned(),
        };
        let expected = if run.is_as_expected(&outcome) {
            ""
        } else {
            surprises += 1;
            "  <- NOT EXPECTED"
        };
        let (states, seconds) = (outcome.states, outcome.seconds);
        println!("{:<58} {states:>10} {seconds:>7.1} s  {verdict}{expected}", run.name);
        if let Some((_, way)) = outcome.failure.filter(|_| is_on("--trace")) {
            println!("{way}");
        }
    }
    // A name that is misspelt must not pass.
    if searched > 0 && surprises == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
