//! An access log through a limiter.

use crate::chart::{grouped, split_bar};
use casgate::{Limiter, Quota, Timestamp};
use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// The rows of the chart, at most.
const ROWS: u64 = 24;

/// What became of the requests of one stretch of time.
#[derive(Clone, Copy, Default)]
struct Tally {
    admitted: u64,
    denied: u64,
}

impl Tally {
    fn asked(self) -> u64 {
        self.admitted + self.denied
    }
}

/// The Unix second in a log line: what stands in brackets, such as
/// `[10/Oct/2000:13:55:36 -0700]`, in both the common and the combined format.
fn second(line: &str) -> Option<u64> {
    let in_brackets = line.split('[').skip(1).filter_map(|rest| Some(rest.split_once(']')?.0));
    in_brackets
        .filter_map(|time| jiff::Timestamp::strptime("%d/%b/%Y:%H:%M:%S %z", time).ok())
        .find_map(|time| u64::try_from(time.as_second()).ok())
}

/// The seconds of the requests in order of time, and how many lines had none. (A server writes a
/// line when the response ends, with the time at which the request began.)
fn read(log: impl BufRead) -> io::Result<(Vec<u64>, u64)> {
    let (mut seconds, mut unreadable) = (Vec::new(), 0);
    for line in log.split(b'\n') {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match second(&String::from_utf8_lossy(&line)) {
            Some(second) => seconds.push(second),
            None => unreadable += 1,
        }
    }
    seconds.sort_unstable();
    Ok((seconds, unreadable))
}

/// Sums over stretches of `width` seconds, from the one in which `first` lies on.
fn tally(answers: &[(u64, bool)], width: u64) -> Vec<(u64, Tally)> {
    let mut tallies: Vec<(u64, Tally)> = Vec::new();
    for &(second, admitted) in answers {
        let start = second - second % width;
        if tallies.last().is_none_or(|last| last.0 != start) {
            tallies.push((start, Tally::default()));
        }
        let tally = &mut tallies.last_mut().expect("just pushed").1;
        *(if admitted { &mut tally.admitted } else { &mut tally.denied }) += 1;
    }
    tallies
}

fn at(second: u64) -> String {
    let instant = i64::try_from(second).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    instant.map_or_else(String::new, |t| t.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

fn chart(answers: &[(u64, bool)], period: u64) {
    let (first, last) = (answers[0].0, answers[answers.len() - 1].0);
    // Whole windows a row; one row more than asked for if the first is cut.
    let width = ((last - first) / period).div_ceil(ROWS).max(1) * period;
    let rows = tally(answers, width);
    let max = rows.iter().map(|row| row.1.asked()).max().unwrap_or(0);
    println!("\nfrom (UTC)             asked   admitted  █ admitted ░ denied, each row {width} s");
    let mut start = rows[0].0;
    for &(second, row) in &rows {
        let silent = (second - start) / width;
        if silent > 0 {
            println!("{:<19} {:>8} {:>10}", at(start), "0", format!("(×{silent})"));
        }
        let bar = split_bar(row.admitted, row.denied, max);
        println!(
            "{:<19} {:>8} {:>10}  {bar}",
            at(second),
            grouped(row.asked()),
            grouped(row.admitted)
        );
        start = second + width;
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole as f64
}

pub(crate) fn run(file: &Path, quota: Quota) -> Result<(), Box<dyn Error>> {
    let log = File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let (seconds, unreadable) =
        read(BufReader::new(log)).map_err(|error| format!("{}: {error}", file.display()))?;
    if seconds.is_empty() {
        return Err(format!(
            "{}: no line has a time like [10/Oct/2000:13:55:36 -0700]",
            file.display(),
        )
        .into());
    }

    let limiter = Limiter::fixed_window(quota);
    let answers: Vec<_> = seconds
        .into_iter()
        .map(|second| (second, limiter.is_allowed_at(Timestamp::from_secs(second))))
        .collect();

    let period = quota.period().as_secs();
    let windows = tally(&answers, period);
    let asked = answers.len() as u64;
    let admitted: u64 = windows.iter().map(|window| window.1.admitted).sum();
    let full = windows.iter().filter(|window| window.1.denied > 0).count() as u64;
    let &(busiest, most) = windows.iter().max_by_key(|w| w.1.asked()).expect("an answer");

    println!("{} through {quota:?}", file.display());
    println!("requests   {:>12}", grouped(asked));
    println!("admitted   {:>12}  {:.1} %", grouped(admitted), percent(admitted, asked));
    println!(
        "denied     {:>12}  in {} of {} windows with traffic",
        grouped(asked - admitted),
        grouped(full),
        grouped(windows.len() as u64)
    );
    println!(
        "busiest    {:>12}  requests in the window from {} UTC",
        grouped(most.asked()),
        at(busiest)
    );
    if unreadable > 0 {
        println!("skipped    {:>12}  lines without a time", grouped(unreadable));
    }
    chart(&answers, period);
    Ok(())
}

#[cfg(test)]
#[test]
fn reads_both_formats_in_order_of_time_and_counts_what_it_cannot_read() {
    let log = b"::1 - - [10/Oct/2000:13:55:37 -0700] \"GET / HTTP/1.0\" 200 1\n\
        192.0.2.1 - [x] [10/Oct/2000:20:55:36 +0000] \"GET /\xff HTTP/1.1\" 200 1 \"-\" \"a\"\r\n\
        \n\
        192.0.2.1 - - [32/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 1\n\
        no time at all";
    assert_eq!(read(&log[..]).unwrap(), (vec![971_211_336, 971_211_337], 2));
}

#[cfg(test)]
#[test]
fn tallies_by_whole_windows() {
    let answers = [(61, true), (119, false), (120, true), (300, true)];
    let starts_and_counts: Vec<_> =
        tally(&answers, 60).iter().map(|(start, t)| (*start, t.admitted, t.denied)).collect();
    assert_eq!(starts_and_counts, [(60, 1, 1), (120, 1, 0), (300, 1, 0)]);
}
