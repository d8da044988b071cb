//! The picture: what the fleet admits, column by column, under the line of what the bound allows.

use crate::bound::Bucket;
use crate::grouped::grouped;
use crate::record::Record;
use crate::{EVENTS, Event, PROCESSES, QUOTA, SHOW, is_rush};
use std::fmt::Write;
use std::time::Duration;

const COLUMN: Duration = Duration::from_millis(200);
const COLUMNS: usize = (SHOW.as_millis() / COLUMN.as_millis()) as usize;
const ROWS: usize = 14;
/// For the numbers on the left.
const MARGIN: usize = 7;

/// Each process has its own, with colours and without.
const COLOURS: [&str; PROCESSES] = ["\x1b[36m", "\x1b[32m", "\x1b[33m", "\x1b[35m"];
const SHADES: [char; PROCESSES] = ['█', '▓', '▒', '░'];
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// The rate of the quota, in permits per second.
pub(crate) fn rate() -> f64 {
    f64::from(QUOTA.permits()) / QUOTA.period().as_secs_f64()
}

/// The most that the bound allows in a column: all of the burst, and what refills meanwhile.
fn most() -> f64 {
    f64::from(QUOTA.burst()) + rate() * COLUMN.as_secs_f64()
}

/// The row whose middle is next to the rate.
fn row_of_rate() -> usize {
    (rate() * COLUMN.as_secs_f64() / unit()) as usize
}

/// What a row stands for, in permits of a column.
fn unit() -> f64 {
    most() / ROWS as f64
}

#[derive(Clone, Copy, Debug, Default)]
struct Column {
    admitted: [u32; PROCESSES],
    /// What the bound allows after all that was admitted before.
    allowed: f64,
}

pub(crate) struct Picture<'a> {
    record: &'a Record,
    elapsed: Duration,
    columns: Vec<Column>,
    /// The greatest use of the bound, in permits.
    most: f64,
}

impl<'a> Picture<'a> {
    /// Draws so much time from `start` on, in nanoseconds.
    pub(crate) fn new(record: &'a Record, start: u64, elapsed: Duration) -> Self {
        let width = COLUMN.as_nanos() as u64;
        let count = (elapsed.as_nanos() / COLUMN.as_nanos()) as usize + 1;
        let mut columns = vec![Column::default(); count.min(COLUMNS)];
        let (mut bucket, mut most) = (Bucket::new(&QUOTA), 0.0_f64);
        let mut rest = record.admissions.iter().peekable();
        for (i, column) in columns.iter_mut().enumerate() {
            let begins = start + i as u64 * width;
            while let Some(one) = rest.next_if(|one| one.at < begins + width) {
                if one.at >= begins && column.allowed == 0.0 {
                    column.allowed = allowed(&mut bucket, begins);
                }
                most = most.max(bucket.add(one.at, one.permits));
                column.admitted[one.process] += one.permits;
            }
            if column.allowed == 0.0 {
                column.allowed = allowed(&mut bucket, begins);
            }
        }
        Self { record, elapsed, columns, most }
    }

    pub(crate) fn lines(&self, colours: bool) -> Vec<String> {
        let mut lines: Vec<String> = (0..=ROWS).rev().map(|row| self.row(row, colours)).collect();
        let foot = |column| if is_rush(COLUMN * column as u32) { '═' } else { '─' };
        let foot: String = (0..COLUMNS).map(foot).collect();
        lines.push(format!("{:>MARGIN$}└{foot} ═ a rush", ""));
        lines.extend(self.marks());
        lines.extend(self.table(colours));
        lines
    }

    /// What a second came to, in a line.
    pub(crate) fn second(&self, second: u64) -> String {
        let columns = Duration::from_secs(1).as_millis() / COLUMN.as_millis();
        let (from, to) =
            ((second as usize - 1) * columns as usize, second as usize * columns as usize);
        let seen = &self.columns[from.min(self.columns.len())..to.min(self.columns.len())];
        let admitted: u32 = seen.iter().flat_map(|column| column.admitted).sum();
        let bar =
            "█".repeat((40.0 * f64::from(admitted) / (rate() + f64::from(QUOTA.burst()))) as usize);
        let mut line = format!("{second:>3} s {:>6} permits  {bar:<40}", grouped(admitted.into()));
        for (at, event) in EVENTS {
            if at.as_secs() + 1 == second {
                let _ = write!(line, "  {}", event.label());
            }
        }
        line.trim_end().to_owned()
    }

    fn row(&self, row: usize, colours: bool) -> String {
        let per_second = row as f64 * unit() / COLUMN.as_secs_f64();
        let label = match row {
            0 => "0".to_owned(),
            _ if row.is_multiple_of(ROWS / 2) => grouped(per_second as u64),
            _ => String::new(),
        };
        let mut line = format!("{label:>width$} │", width = MARGIN - 1);
        let mut painted = "";
        for column in &self.columns {
            let (paint, cell) = column.cell(row, colours);
            if colours && paint != painted {
                line.push_str(if paint.is_empty() { PLAIN } else { paint });
                painted = paint;
            }
            line.push(cell);
        }
        if !painted.is_empty() {
            line.push_str(PLAIN);
        }
        if row == row_of_rate() {
            line.extend(std::iter::repeat_n('┈', COLUMNS - self.columns.len()));
            line.push_str(" rate");
        }
        line
    }

    /// What happened, under the columns in which it did.
    fn marks(&self) -> [String; 2] {
        let mut lines = [vec![' '; COLUMNS], vec![' '; COLUMNS + 16]];
        for (i, &(at, event)) in EVENTS.iter().enumerate() {
            if at > self.elapsed {
                break;
            }
            let column = (at.as_millis() / COLUMN.as_millis()) as usize;
            let until = EVENTS.get(i + 1).map_or(self.elapsed, |next| next.0.min(self.elapsed));
            let end = (until.as_millis() / COLUMN.as_millis()) as usize;
            match event {
                Event::Kill(_) => lines[0][column] = '✗',
                Event::Start(_) => lines[0][column] = '▲',
                Event::StopServer => lines[0][column..end.max(column + 1).min(COLUMNS)].fill('■'),
                Event::ContinueServer => continue,
            }
            for (place, letter) in lines[1][column..].iter_mut().zip(event.label().chars()) {
                *place = letter;
            }
        }
        lines.map(|line| {
            let line: String = line.into_iter().collect();
            format!("{:>MARGIN$} {}", "", line.trim_end())
        })
    }

    fn table(&self, colours: bool) -> Vec<String> {
        let seen = self.columns.len().saturating_sub(1);
        let last = &self.columns[seen.saturating_sub(5)..seen.max(1)];
        let time = COLUMN.as_secs_f64() * last.len() as f64;
        let of = |process: usize| {
            let permits: u32 = last.iter().map(|column| column.admitted[process]).sum();
            (f64::from(permits) / time).round() as u64
        };
        let mut lines = vec![String::from("process   "), String::from("permits/s ")];
        lines.extend([String::from("calls     "), String::from("Redis     ")]);
        for (i, process) in self.record.processes.iter().enumerate() {
            let (paint, plain) = if colours { (COLOURS[i], PLAIN) } else { ("", "") };
            let sign = if colours { '█' } else { SHADES[i] };
            let state = match (process.is_running, process.is_up) {
                (false, _) => "killed",
                (true, true) => "up",
                (true, false) => "away",
            };
            let _ = write!(lines[0], "{:>5}{paint}{sign}{plain} {}", "", i + 1);
            let _ = write!(lines[1], "{:>8}", grouped(of(i)));
            let _ = write!(lines[2], "{:>8}", grouped(process.calls()));
            let _ = write!(lines[3], "{state:>8}");
        }
        let all: u64 = (0..PROCESSES).map(of).sum();
        let calls: u64 = self.record.processes.iter().map(|process| process.calls()).sum();
        let use_of_bound = 100.0 * self.most / f64::from(QUOTA.burst());
        let _ = write!(lines[0], "{:>8}   ▁ what the bound allows", "all");
        let _ = write!(lines[1], "{:>8}", grouped(all));
        let _ = write!(lines[2], "{:>8}   most of the bound", grouped(calls));
        let _ = write!(lines[3], "{:>8}   used: {use_of_bound:.0} %", "");
        lines
    }
}

/// What may be admitted in the column that begins there.
fn allowed(bucket: &mut Bucket, begins: u64) -> f64 {
    most() - bucket.level(begins)
}

impl Column {
    /// The colour and the sign in that row.
    fn cell(&self, row: usize, colours: bool) -> (&'static str, char) {
        let middle = (row as f64 + 0.5) * unit();
        let mut sum = 0.0;
        for (process, &permits) in self.admitted.iter().enumerate() {
            sum += f64::from(permits);
            if middle <= sum {
                let cell = if colours { '█' } else { SHADES[process] };
                return (COLOURS[process], cell);
            }
        }
        // The sign is at the foot of its row, which is the head of a bar that is as high.
        if (self.allowed / unit()).round() as usize == row {
            return (BOLD, '▁');
        }
        ("", if row == row_of_rate() { '┈' } else { ' ' })
    }
}
