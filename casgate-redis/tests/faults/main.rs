//! A fleet with faults: real processes, a real server, and a checker of the merged logs that judges every interval.
//!
//! Each row of a table is a test: a fleet, what goes wrong, and what is expected then ([`rows`]). Every row is also
//! judged by what always holds ([`verdict`]): the bound, the counters of the processes, the number of calls, a time to
//! live for every key, and that no decision blocks for long.
//!
//! Wrong workers show that the rows detect faults ([`wrong`]). Logs whose excess is known show that the checker does
//! ([`checker`]).
//!
//! Needs `redis-server`, of Debian's package of that name for instance. A test that does not find it fails. The rows
//! mostly wait, so more of them run at a time than there are processors. With `CASGATE_SHOW` set, each tells what its
//! workers did.

mod batches;
mod checker;
mod contract;
mod link;
mod log;
mod memory;
mod record;
mod row;
mod rows;
mod server;
mod stage;
mod verdict;
mod worker;
mod wrong;

use libtest_mimic::{Arguments, Failed, Trial};
use row::Row;
use std::process::ExitCode;

/// The rows that run at a time.
const AT_A_TIME: usize = 5;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_A_TIME);
    let rows = rows::all()
        .into_iter()
        .map(|row| trial("rows", row, |row| explain(row, &verdict::judge(row))));
    let wrong = wrong::all()
        .into_iter()
        .map(|(row, kind)| trial("wrong", row, move |row| wrong::detect(row, kind)));
    let others = [checker::TESTS, contract::TESTS, batches::TESTS, memory::TESTS].concat();
    let others = others.into_iter().map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    let trials = others.chain(rows).chain(wrong).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(
    table: &str,
    row: Row,
    run: impl FnOnce(&Row) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let is_long = row.is_long;
    let name = format!("{table}: {}", row.name);
    Trial::test(name, move || run(&row)).with_ignored_flag(is_long)
}

/// Fails with what is wrong, if anything is.
fn explain(row: &Row, complaints: &[verdict::Complaint]) -> Result<(), Failed> {
    if complaints.is_empty() {
        return Ok(());
    }
    let texts: Vec<String> = complaints.iter().map(ToString::to_string).collect();
    Err(Failed::from(format!("{} ({})\n{}", row.name, row.source, texts.join("\n"))))
}
