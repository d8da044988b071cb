use crate::PROCESSES;
use std::fmt;

/// What a process tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Permits were admitted at that nanosecond.
    Admitted {
        at: u64,
        permits: u32,
    },
    Status {
        asked: u64,
        calls: u64,
        is_up: bool,
    },
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admitted { at, permits } => write!(f, "admitted {at} {permits}"),
            Self::Status { asked, calls, is_up } => {
                write!(f, "status {asked} {calls} {}", u8::from(*is_up))
            }
        }
    }
}

impl Line {
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let kind = words.next()?;
        let mut number = || words.next()?.parse::<u64>().ok();
        match kind {
            "admitted" => {
                Some(Self::Admitted { at: number()?, permits: number()?.try_into().ok()? })
            }
            "status" => {
                Some(Self::Status { asked: number()?, calls: number()?, is_up: number()? == 1 })
            }
            _ => None,
        }
    }
}

/// Permits that a process admitted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admission {
    pub(crate) at: u64,
    pub(crate) process: usize,
    pub(crate) permits: u32,
}

/// What is known of the fleet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) admissions: Vec<Admission>,
    pub(crate) processes: [OfProcess; PROCESSES],
}

/// The numbers of a process. Those of one that was killed are kept for the one that takes its place.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OfProcess {
    pub(crate) is_running: bool,
    pub(crate) is_up: bool,
    asked: [u64; 2],
    calls: [u64; 2],
}

impl OfProcess {
    pub(crate) fn asked(&self) -> u64 {
        self.asked.iter().sum()
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.iter().sum()
    }
}

impl Record {
    pub(crate) fn take(&mut self, process: usize, line: Line) {
        match line {
            Line::Admitted { at, permits } => {
                self.admissions.push(Admission { at, process, permits });
            }
            Line::Status { asked, calls, is_up } => {
                let of = &mut self.processes[process];
                (of.asked[1], of.calls[1], of.is_up) = (asked, calls, is_up);
            }
        }
    }

    pub(crate) fn started(&mut self, process: usize) {
        self.processes[process].is_running = true;
    }

    pub(crate) fn ended(&mut self, process: usize) {
        let of = &mut self.processes[process];
        (of.is_running, of.is_up) = (false, false);
        for counts in [&mut of.asked, &mut of.calls] {
            *counts = [counts.iter().sum(), 0];
        }
    }

    /// The admissions, in order of time: processes tell them out of step.
    pub(crate) fn in_order(mut self) -> Self {
        self.admissions.sort_unstable_by_key(|admission| admission.at);
        self
    }
}

#[cfg(test)]
#[test]
fn a_line_is_read_as_it_was_written() {
    for line in [
        Line::Admitted { at: u64::MAX, permits: 3 },
        Line::Status { asked: 7, calls: 2, is_up: true },
    ] {
        assert_eq!(Line::parse(&line.to_string()), Some(line));
    }
    // A process was killed while it wrote.
    assert_eq!(Line::parse("admitted 12"), None);
    assert_eq!(Line::parse(""), None);
}
