//! Workers that break the protocol: each row must detect them.

use crate::row::{More, Row};
use crate::rows::{clocks, demands, failovers, links, losses, servers, windows};
use crate::verdict::{self, Kind};
use libtest_mimic::Failed;

/// Rows with wrong workers, and what is wrong then.
pub(crate) fn all() -> Vec<(Row, Kind)> {
    let wrong = |row: Row, name, fault, kind| (row.wrong(name, fault), kind);
    vec![
        wrong(demands::tight_burst(), "the whole burst at the server", "WholeBurst", Kind::Excess),
        wrong(demands::step(), "leases that live too long", "LongLeases", Kind::Excess),
        wrong(links::late_replies(), "deadlines by the arrival", "LateReplies", Kind::Excess),
        wrong(failovers::lost_writes(), "carries no TAT", "CarriesNothing", Kind::Excess),
        wrong(servers::killed_starting_empty(), "assumes a lease", "Assumes", Kind::Excess),
        wrong(losses::starting_again_empty(), "starts full", "StartsFull", Kind::Excess),
        wrong(demands::equal(), "keys without end", "KeepsKeys", Kind::Keys),
        wrong(servers::killed(), "asks again late", "RetriesLate", Kind::Starved),
        wrong(clocks::back(), "carries the largest TAT", "CarriesLargest", Kind::Starved),
        // Honest workers, and more than one server: what a row allows for that is needed.
        excessive(failovers::split_brain(), "one primary too many"),
        excessive(servers::all_killed(), "a server without its log"),
        excessive(windows::flushed(), "a window twice"),
    ]
}

/// A row that is expected to have an excess, judged as if it were not.
fn excessive(mut row: Row, name: &'static str) -> (Row, Kind) {
    row.name = name;
    row.expected.more = More::Nothing;
    (row, Kind::Excess)
}

/// Fails if the row does not detect its wrong workers. A machine that has no time for them may need another round.
pub(crate) fn detect(row: &Row, kind: Kind) -> Result<(), Failed> {
    let mut texts = Vec::new();
    for _ in 0..verdict::ROUNDS {
        let complaints = verdict::judge_once(row);
        if complaints.iter().any(|complaint| complaint.kind == kind) {
            return Ok(());
        }
        texts.extend(complaints.iter().map(ToString::to_string));
    }
    Err(Failed::from(format!("{} ({}): no {kind:?}\n{}", row.name, row.source, texts.join("\n"))))
}
