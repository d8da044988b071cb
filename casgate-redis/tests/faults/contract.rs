//! The worker, as other tests use it: its arguments, its log and its report.

use crate::log;
use crate::server::{Server, signal};
use crate::stage::Directory;
use crate::worker::executable;
use casgate::clock::{Clock, SystemClock};
use rustix::process::Signal;
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("worker: its log and its report", its_log_and_its_report),
    ("worker: asks later for what it missed", asks_later_for_what_it_missed),
    ("worker: says what is wrong with a quota", says_what_is_wrong_with_a_quota),
];

/// The report begins with these numbers, in this order.
const NUMBERS: [&str; 8] =
    ["asked", "admitted", "denied", "unavailable", "store_calls", "p50_ns", "p999_ns", "max_ns"];

fn start(server: &Server, log: &Path, more: &[&str]) -> Child {
    Command::new(executable())
        .args(["--redis", &format!("redis://127.0.0.1:{}/", server.port), "--name", "api"])
        .args(["--permits", "1000", "--per-ms", "1000", "--burst", "1000"])
        .args(["--threads", "2", "--on-unavailable", "deny", "--processes", "3", "--log"])
        .arg(log)
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the worker starts")
}

/// Waits for the end, and returns the report as it was written and as it is read.
fn report(worker: Child) -> (String, Value) {
    let output = worker.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let value = serde_json::from_str(&text).expect("one value of JSON");
    (text, value)
}

fn its_log_and_its_report() {
    let directory = Directory::new();
    let (server, log) = (Server::start(&directory.0), directory.0.join("log"));
    let began = SystemClock.now().as_nanos();
    let worker =
        start(&server, &log, &["--lease-ms", "100", "--demand", "300@500,max", "--for-ms", "1000"]);
    let (text, value) = report(worker);
    let ended = SystemClock.now().as_nanos();
    assert_eq!(text.lines().count(), 1, "{text}");
    let place = |name: &str| text.find(&format!("\"{name}\":"));
    let places: Vec<_> = NUMBERS.iter().map(|name| place(name)).collect();
    assert!(places.is_sorted() && places[0] == Some(1), "{text}");
    let number = |name: &str| value[name].as_u64().unwrap_or_else(|| panic!("{name}: {text}"));
    assert_eq!(number("asked"), number("admitted") + number("denied") + number("unavailable"));
    assert!(number("p50_ns") <= number("p999_ns") && number("p999_ns") <= number("max_ns"));
    assert!(number("store_calls") > 0 && number("denied") > 0, "{text}");
    let admissions = log::read(&std::fs::read_to_string(&log).expect("a log")).expect("lines");
    assert_eq!(number("admitted"), admissions.iter().map(|a| a.permits).sum::<u64>());
    assert!(admissions.iter().all(|a| (began..ended).contains(&a.at) && a.permits > 0));
}

/// An open loop: 1,000 a second for two seconds, of which it stands still for one.
fn asks_later_for_what_it_missed() {
    let directory = Directory::new();
    let server = Server::start(&directory.0);
    let log = directory.0.join("log");
    let worker =
        start(&server, &log, &["--lease-ms", "100", "--demand", "1000", "--for-ms", "2000"]);
    thread::sleep(Duration::from_millis(400));
    signal(&worker, Signal::STOP);
    thread::sleep(Duration::from_millis(1_000));
    signal(&worker, Signal::CONT);
    let (text, value) = report(worker);
    let asked = value["asked"].as_u64().expect("a number");
    // The last ones may be due when it ends.
    assert!((1_800..=2_000).contains(&asked), "{text}");
}

fn says_what_is_wrong_with_a_quota() {
    let directory = Directory::new();
    let server = Server::start(&directory.0);
    // More refills in the lifetime of a lease than there is.
    let worker = start(&server, &directory.0.join("log"), &["--lease-ms", "2000"]);
    let output = worker.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("burst") && !text.contains('{'), "{text}");
}
