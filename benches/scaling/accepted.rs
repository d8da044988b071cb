//! What is promised of the sharded limiters, and whether this run shows it.

use crate::measure::Measured;
use crate::rows;
use crate::table::Path;

pub(crate) fn print(measured: &Measured) {
    let ns = |path, name, threads| measured.ns(path, name, threads).unwrap_or(f64::NAN);
    let admit = |name, threads| ns(Path::Admit, name, threads);
    println!("\nPromised of the sharded limiters, and measured in this run, admitting:\n");
    let pairs = [(rows::SHARDED_WINDOW, rows::WINDOW), (rows::SHARDED_BUCKET, rows::BUCKET)];
    let on_the_clock =
        pairs.map(|(name, plain)| (rows::on_the_clock(name), rows::on_the_clock(plain)));
    for (name, plain) in pairs.into_iter().chain(on_the_clock) {
        let speed_up = admit(name, 1) / admit(name, 2);
        line(
            name,
            "two threads",
            "at least 1.60 x the throughput of one",
            speed_up,
            speed_up >= 1.6,
        );
        let cost = admit(name, 1) / admit(plain, 1);
        line(name, "one thread", "at most 1.10 x the cost of the plain one", cost, cost <= 1.1);
    }
    let cost = admit(rows::PRIVATE, 1) / ns(Path::Floor, rows::OWN_LINES, 1);
    let promise = "at most 0.75 x a fetch_add that nobody else is at";
    line(rows::PRIVATE, "one thread", promise, cost, cost <= 0.75);
}

fn line(name: &str, threads: &str, promise: &str, is: f64, is_kept: bool) {
    let verdict = match (is.is_nan(), is_kept) {
        (true, _) => "not measured: too few trials counted",
        (_, true) => "kept",
        (_, false) => "NOT KEPT",
    };
    println!("- {name}, {threads}: {promise}: {is:.2} x: {verdict}");
}
