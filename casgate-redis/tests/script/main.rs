//! The scripts, in a real server, against their twins in Rust: equal to the last number.
//!
//! Needs `redis-server`, of Debian's package of that name for instance. A test that does not find it fails.

mod lease;
mod plain;
mod resp;
mod server;
mod window;
mod wrong;

use std::fmt::Display;

/// The script with another line for each that is named, which must occur once.
fn with_lines(text: &str, lines: &[(&str, String)]) -> String {
    lines.iter().fold(text.to_owned(), |text, (old, new)| {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text.replace(old, new)
    })
}

/// The script as a function of time, which leaves the time to live in a field: the server's clock runs while a test
/// does.
fn timeless(text: &str, arguments: usize) -> String {
    let time = format!("{{ARGV[{}], ARGV[{}]}}", arguments + 1, arguments + 2);
    with_lines(
        text,
        &[
            ("redis.call('TIME')", time),
            ("redis.call('PEXPIRE', KEYS[1], ", "redis.call('HSET', KEYS[1], 'lives', ".to_owned()),
        ],
    )
}

/// The arguments of a timeless script: the script's own, and the time.
fn at<T: Display>(arguments: impl IntoIterator<Item = T>, micros: u64) -> Vec<String> {
    let time = [micros / 1_000_000, micros % 1_000_000];
    arguments.into_iter().map(|a| a.to_string()).chain(time.map(|t| t.to_string())).collect()
}
