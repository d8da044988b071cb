//! The comparisons find faults: each of these lines, in place of the script's, fails a trace.

use crate::server::Server;
use crate::{lease, timeless, window, with_lines};
use casgate_redis::protocol::Script;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

fn runner() -> TestRunner {
    let config = Config {
        max_shrink_iters: 0,
        failure_persistence: None,
        cases: 2_000,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn faults_in_the_lease_script_are_found() {
    let server = Server::start();
    let mut missed = Vec::new();
    for (old, new) in [
        ("(rest > 0 and 1 or 0)", "0"),
        ("permits * part, denominator", "permits * part + 1, denominator"),
        ("  while cost(permits) > span do permits = permits - 1 end\n", ""),
        ("  while cost(permits + 1) <= span do permits = permits + 1 end\n", ""),
        ("tonumber(ARGV[12]), now), empty)", "now), empty)"),
        ("tonumber(ARGV[12]), now), empty)", "tonumber(ARGV[12])), empty)"),
        ("now), empty)", "now), empty + 1)"),
        ("ARGV[8] == '1' and empty or now", "now"),
        ("seen == epoch - 1 and count or 0", "count"),
        ("if tonumber(ARGV[13]) ~= epoch then count = count + 1 end", "count = count + 1"),
        ("math.max(count, before, 1)", "math.max(count, 1)"),
        ("+ holders - 1, holders)", ", holders)"),
        ("tonumber(ARGV[6]), least)", "least)"),
        ("tonumber(ARGV[6]), least)", "tonumber(ARGV[6]))"),
        ("if granted < least then granted = 0 end", ""),
        ("tat ~= stored or epoch ~= seen or count ~= counted", "granted > 0"),
        ("tat ~= stored or epoch ~= seen or count ~= counted", "epoch ~= seen or count ~= counted"),
        ("tat ~= stored or epoch ~= seen or count ~= counted", "tat ~= stored or count ~= counted"),
        ("math.max(live, tonumber(ARGV[9]))", "live"),
        ("2 * ARGV[7] + 999", "ARGV[7] + 999"),
    ] {
        let text = timeless(&with_lines(Script::LEASE.text, &[(old, new.to_owned())]), 13);
        if lease::compare(&server, &text, &mut runner()).is_ok() {
            missed.push((old, new));
        }
    }
    assert_eq!(missed, []);
}

#[test]
fn faults_in_the_window_script_are_found() {
    let server = Server::start();
    let mut missed = Vec::new();
    for (old, new) in [
        ("stored == window + 1", "stored and stored > window"),
        ("stored == window + 1", "stored == window + 2"),
        ("stored and stored < window", "stored and stored ~= window"),
        ("used, mark = 0, 0", "used = 0"),
        ("  redis.call('DEL', KEYS[1])\n", ""),
        ("of == window and ", ""),
        (" and sequence > mark", ""),
        ("sequence > mark", "sequence >= mark"),
        ("math.max(0, used - returned)", "used - returned"),
        ("math.max(0, limit - used)", "limit - used"),
        ("left + 2 * holders - 1", "left"),
        ("math.min(want, left,", "math.min(want,"),
        ("share, least)", "share)"),
        ("if granted < least then granted = 0 end", ""),
        ("or takes_back or granted > 0", "or granted > 0"),
        ("or takes_back or granted > 0", "or takes_back"),
        ("(window + 2) * length", "(window + 1) * length"),
        ("length - now - 1", "length - now"),
    ] {
        let text = timeless(&with_lines(Script::WINDOW.text, &[(old, new.to_owned())]), 9);
        if window::compare(&server, &text, &mut runner()).is_ok() {
            missed.push((old, new));
        }
    }
    assert_eq!(missed, []);
}
