use crate::record::{Rate, Record, fairness};
use crate::row::{Alone, Expected, More, Row, Terms};
use crate::stage::Stage;
use crate::worker::Report;
use std::fmt;
use std::ops::Range;
use std::time::{Duration, Instant};

/// What is wrong with a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) kind: Kind,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// More permits than the bound.
    Excess,
    /// Fewer permits than the rate, after the fault.
    Starved,
    /// Workers with the same demand have different shares.
    Unfair,
    /// A worker's counters do not agree with its log, or with each other.
    Miscounted,
    /// The wrong answers while the store is away.
    Misjudged,
    /// Too many calls.
    Calls,
    /// A key that lives without end, or none at all.
    Keys,
    /// A decision that lasted.
    Blocked,
    /// A process that did not end well.
    Ended,
}

/// What a fleet did.
struct Outcome<'a> {
    terms: Terms,
    expected: Expected,
    record: Record,
    each: Vec<Record>,
    reports: Vec<Report>,
    /// From the fleet's start to its end.
    span: Range<u64>,
    day_ahead: u64,
    fault: Option<(u64, u64)>,
    threads: u64,
    complaints: &'a mut Vec<Complaint>,
}

/// The part of the rate that a fleet must have, from its recovery to its end.
const LIVE: f64 = 0.95;
/// The part that it must have in each second: a lease more or less at either end is no fault.
const LIVE_SECOND: f64 = 0.8;
const FAIR: f64 = 0.9;
const SECOND: u64 = 1_000_000_000;
/// The calls of a worker besides one for each pause: those that got all that they asked for, and those that find out
/// about a fault.
const CALLS: u64 = 40;

/// How often a row is judged in which only time is wrong.
pub(crate) const ROUNDS: usize = 5;

/// Judges a row, and returns what is wrong with it.
///
/// A machine that has no time for the fleet starves it. So a row in which only time is wrong is judged again. An excess
/// is one the first time.
pub(crate) fn judge(row: &Row) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for _ in 0..ROUNDS {
        complaints = judge_once(row);
        if complaints.iter().any(|complaint| !complaint.kind.is_of_time()) || complaints.is_empty()
        {
            break;
        }
    }
    complaints
}

/// Runs a row, and returns what is wrong with it.
pub(crate) fn judge_once(row: &Row) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut stage = Stage::open(row);
    (row.fault)(&mut stage);
    let (immortal, keys) = stage.keys();
    if !immortal.is_empty() || keys == 0 {
        complaints.push(Complaint::new(Kind::Keys, format!("{keys}, without end {immortal:?}")));
    }
    let deadline = stage.end().max(Instant::now()) + Duration::from_secs(15);
    let (mut reports, mut each) = (Vec::new(), Vec::new());
    for worker in &mut stage.workers {
        match worker.end(deadline) {
            Ok(report) => reports.extend(report),
            Err(text) => complaints.push(Complaint::new(Kind::Ended, text)),
        }
        match worker.admissions() {
            Ok(admissions) => each.push(admissions),
            Err(line) => complaints.push(Complaint::new(Kind::Ended, format!("a line {line:?}"))),
        }
    }
    let outcome = Outcome {
        terms: row.terms,
        expected: row.expected,
        record: Record::new(each.concat()),
        each: each.into_iter().map(Record::new).collect(),
        reports,
        span: stage.start_at..stage.end_at(),
        day_ahead: stage.day_ahead,
        fault: stage.fault,
        threads: stage.workers.iter().map(|worker| worker.lives() as u64).sum(),
        complaints: &mut complaints,
    };
    if std::env::var_os("CASGATE_SHOW").is_some() {
        outcome.show(row.name);
    }
    outcome.judge();
    complaints
}

impl Outcome<'_> {
    fn judge(mut self) {
        if self.expected.is_windows {
            self.judge_windows();
        } else {
            self.judge_excess();
        }
        self.judge_rate();
        self.judge_reports();
        self.judge_absence();
    }

    /// Prints what it did.
    fn show(&self, name: &str) {
        let excess = self.record.excess(Rate { permits: self.terms.rate.into() });
        println!("{name}: {} permits, {excess:?} of {:?}", self.record.total(), self.terms);
        self.reports.iter().for_each(|report| println!("  {report}"));
    }

    fn complain(&mut self, kind: Kind, text: String) {
        self.complaints.push(Complaint::new(kind, text));
    }

    /// Intervals before the fault and after it have the bound, and only those that touch it may have more.
    fn judge_excess(&mut self) {
        let lease = self.terms.lease.as_nanos() as u64;
        // Who admits alone does so until the store has been asked again.
        let settles = if self.expected.alone == Alone::Nothing { lease } else { 10 * lease };
        let bound = u64::from(self.terms.burst) + self.threads;
        let (from, to) = self.fault.unwrap_or((u64::MAX, u64::MAX));
        let lasted = Duration::from_nanos(to - from);
        let more = match self.expected.more {
            More::Nothing => Some(0),
            More::Burst => Some(self.terms.server_burst()),
            More::Refill(time) => Some(self.terms.refill(time).min(self.terms.server_burst())),
            More::Primary(time) => {
                Some(self.terms.refill(time.unwrap_or(lasted)) + self.terms.server_burst())
            }
            More::Rate(times) => {
                let refill = self.terms.refill(lasted + 2 * self.terms.lease) as f64 * times;
                Some(refill as u64 + self.terms.server_burst())
            }
            More::Any => None,
        };
        let parts = [
            ("in all", 0..u64::MAX, more.map(|more| bound + more)),
            ("before the fault", 0..from, Some(bound)),
            ("after the fault", to.saturating_add(settles)..u64::MAX, Some(bound)),
        ];
        let rate = Rate { permits: self.terms.rate.into() };
        for (part, range, most) in parts {
            let found = self.record.within(range).excess(rate);
            if let Some(most) = most.filter(|most| found.permits > *most) {
                let since = |at: u64| at.saturating_sub(self.span.start) / 1_000_000;
                let interval = since(found.from)..since(found.to);
                let text = format!("{} of {most} {part}, at {interval:?} ms", found.permits);
                self.complain(Kind::Excess, text);
            }
        }
    }

    /// Each window has its limit, and those after the fault are used up.
    fn judge_windows(&mut self) {
        let limit = u64::from(self.terms.rate);
        let (from, to) = self.fault.unwrap_or((u64::MAX, u64::MAX));
        let settled = to.saturating_add(2 * self.terms.lease.as_nanos() as u64);
        for (begin, permits) in self.record.in_windows(SECOND, self.day_ahead) {
            let has_fault = begin <= to && from < begin + SECOND;
            let more = if has_fault && self.expected.more == More::Burst { limit } else { 0 };
            let most = limit + self.threads + more;
            let at = begin.saturating_sub(self.span.start) / 1_000_000;
            if permits > most {
                let text = format!("{permits} of {most} in the window at {at} ms");
                self.complain(Kind::Excess, text);
            }
            let is_whole = begin >= settled && begin + SECOND <= self.span.end;
            if is_whole && (permits as f64) < LIVE * limit as f64 {
                self.complain(Kind::Starved, format!("{permits} in the window at {at} ms"));
            }
        }
    }

    /// Two lifetimes after the fault, the fleet has its rate.
    fn judge_rate(&mut self) {
        let settled = self.fault.map_or(self.span.start + SECOND / 2, |(_, end)| end)
            + 2 * self.terms.lease.as_nanos() as u64;
        let range = settled..self.span.end;
        let rate = f64::from(self.terms.rate);
        let lasted = range.end.saturating_sub(range.start);
        let whole = self.record.within(range.clone()).total() as f64 * SECOND as f64
            / (rate * lasted as f64);
        let fewest = self.record.fewest(SECOND, range.clone()).map(|fewest| fewest as f64 / rate);
        if self.expected.is_live {
            match fewest {
                None => self.complain(Kind::Starved, "there is no second to judge".to_owned()),
                Some(fewest) if whole < LIVE || fewest < LIVE_SECOND => {
                    let text = format!("{whole:.3} of the rate, {fewest:.3} in a second");
                    self.complain(Kind::Starved, text);
                }
                Some(_) => {}
            }
        }
        if self.expected.is_fair {
            let shares: Vec<u64> =
                self.each.iter().map(|own| own.within(range.clone()).total()).collect();
            if fairness(&shares) < FAIR {
                self.complain(Kind::Unfair, format!("{shares:?}"));
            }
        }
    }

    fn judge_reports(&mut self) {
        let lasted = Duration::from_nanos(self.span.end - self.span.start);
        let pause = self.terms.lease.mul_f64(0.8 / 4.0);
        let most_calls = (lasted.as_secs_f64() / pause.as_secs_f64()) as u64 + CALLS;
        let longest = 10 * self.terms.lease;
        for report in std::mem::take(&mut self.reports) {
            let number = |name| report.number(name);
            let alone = number("shared") + number("allowed");
            if number("admitted") != report.logged {
                let text = format!("admitted {}, logged {}", number("admitted"), report.logged);
                self.complain(Kind::Miscounted, text);
            }
            if number("admitted") > number("leased") + alone {
                let text = format!("admitted {} of {}", number("admitted"), number("leased"));
                self.complain(Kind::Miscounted, text);
            }
            if number("asked") != number("admitted") + number("denied") + number("unavailable") {
                self.complain(Kind::Miscounted, "some requests had no answer".to_owned());
            }
            if number("unavailable") != number("counted_unavailable") {
                let counted = number("counted_unavailable");
                let text = format!("unavailable {}, not {counted}", number("unavailable"));
                self.complain(Kind::Miscounted, text);
            }
            if number("store_calls") > most_calls {
                self.complain(Kind::Calls, format!("{} of {most_calls}", number("store_calls")));
            }
            let blocked = Duration::from_nanos(number("max_ns"));
            if blocked > longest && !self.expected.stalls {
                self.complain(Kind::Blocked, format!("{blocked:?}, not {longest:?}"));
            }
            if self.expected.is_served && number("admitted") * 10 < number("asked") * 9 {
                let text = format!("{} of {} admitted", number("admitted"), number("asked"));
                self.complain(Kind::Starved, text);
            }
            self.reports.push(report);
        }
    }

    /// What the workers do without a store.
    fn judge_absence(&mut self) {
        let sum = |name| self.reports.iter().map(|report| report.number(name)).sum::<u64>();
        let (unavailable, shared, allowed) = (sum("unavailable"), sum("shared"), sum("allowed"));
        let causes: Vec<String> = self.reports.iter().flat_map(Report::causes).collect();
        if causes.iter().any(|cause| cause == "the store failed") {
            self.complain(Kind::Misjudged, "a failure has no name".to_owned());
        }
        let is_right = match self.expected.alone {
            Alone::Nothing => shared == 0 && allowed == 0,
            Alone::Shared => shared > 0 && allowed == 0,
            Alone::Allowed => shared == 0 && allowed > 0,
        };
        if !is_right {
            self.complain(Kind::Misjudged, format!("shared {shared}, allowed {allowed}"));
        }
        if let Some(cause) = self.expected.cause
            && (unavailable == 0 || !causes.iter().any(|seen| seen == cause))
        {
            let text = format!("unavailable {unavailable}, for {causes:?}, not {cause:?}");
            self.complain(Kind::Misjudged, text);
        }
    }
}

impl Kind {
    /// Whether a slow machine may be what is wrong.
    const fn is_of_time(self) -> bool {
        matches!(self, Self::Starved | Self::Unfair | Self::Blocked)
    }
}

impl Complaint {
    pub(crate) const fn new(kind: Kind, text: String) -> Self {
        Self { kind, text }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.text)
    }
}
