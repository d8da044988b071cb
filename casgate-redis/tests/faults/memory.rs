//! A process does not grow while its store is away.

use crate::link::Weather;
use crate::row::{Network, Row, millis};
use crate::stage::Stage;
use std::time::Instant;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("memory: flat while the server is gone", flat_while_the_server_is_gone),
    ("memory: flat while the server is silent", flat_while_the_server_is_silent),
    ("memory: flat with many keys, while the server is gone", flat_with_many_keys_gone),
    ("memory: flat with many keys, while the server is silent", flat_with_many_keys_silent),
];

/// What an allocator may take besides.
const SLACK: u64 = 8 << 20;

/// As fast as it can, so that what is kept of each decision would be seen. Leases live for long, and so does what is kept
/// until a call is over.
fn row(flags: &'static [&'static str]) -> Row {
    Row::new("memory", "")
        .terms(400, 1_000, millis(500))
        .demands(&["max"])
        .flags(flags)
        .network(Network::Linked)
        .lasts(4_500)
}

fn gone() -> Weather {
    Weather { is_cut: true, ..Weather::default() }
}

fn silent() -> Weather {
    Weather { is_deaf: true, ..Weather::default() }
}

fn measure(row: &Row, weather: Weather) {
    let mut stage = Stage::open(row);
    stage.until(1_400);
    let before = stage.workers[0].memory();
    stage.set(weather);
    stage.until(4_300);
    let after = stage.workers[0].memory();
    let report = stage.workers[0].end(Instant::now() + millis(15_000)).expect("it ends");
    let denied = report.expect("a report").number("unavailable");
    assert!(denied > 1_000, "no outage: {denied}");
    assert!(after < before + SLACK, "{} MB more for {denied} denials", (after - before) >> 20);
}

fn flat_while_the_server_is_gone() {
    measure(&row(&[]), gone());
}

fn flat_while_the_server_is_silent() {
    measure(&row(&[]), silent());
}

fn flat_with_many_keys_gone() {
    measure(&row(&["--keys", "10000"]), gone());
}

fn flat_with_many_keys_silent() {
    measure(&row(&["--keys", "10000"]), silent());
}
