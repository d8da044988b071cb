//! The stampede itself.

use crate::chart::{bar, grouped};
use casgate::algorithm::{FixedWindow, Rule};
use casgate::clock::{Clock, SystemClock};
use casgate::word::Word;
use casgate::{FixedWindowLimiter, Limiter, Quota, Timestamp};
use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

const QUOTA: Quota = Quota::per_second(1_000_000);

static LIMITER: FixedWindowLimiter = Limiter::fixed_window(QUOTA);

/// The same rule on the same word, as most limiters keep it.
static BEHIND_MUTEX: Mutex<Word> = Mutex::new(Word::from_bits(0));
const RULE: FixedWindow = FixedWindow::new(QUOTA);

/// Who decides in a window.
#[derive(Clone, Copy, PartialEq)]
enum Variant {
    Atomic,
    Mutex,
}

impl Variant {
    const BOTH: [Self; 2] = [Self::Atomic, Self::Mutex];

    fn of(window: usize) -> Self {
        Self::BOTH[window % 2]
    }

    fn name(self) -> &'static str {
        match self {
            Self::Atomic => "atomic",
            Self::Mutex => "mutex",
        }
    }

    fn is_allowed_at(self, now: Timestamp) -> bool {
        match self {
            Self::Atomic => LIMITER.is_allowed_at(now),
            Self::Mutex => {
                let mut word = BEHIND_MUTEX.lock().unwrap_or_else(PoisonError::into_inner);
                let next = RULE.decide(*word, 1, now);
                *word = next.unwrap_or(*word);
                next.is_some()
            }
        }
    }
}

/// What was counted in one window.
#[derive(Clone, Copy, Default)]
struct Tally {
    asked: u64,
    admitted: u64,
}

/// The windows from `first`, a window of the limiter, on.
#[derive(Clone, Copy)]
struct Schedule {
    first: u64,
    windows: usize,
}

impl Schedule {
    /// From the next full second on, but never from one so near that a thread may miss its start.
    fn soon(windows: usize) -> Self {
        let first = (SystemClock.now() + Duration::from_millis(100)).as_nanos() / 1_000_000_000 + 1;
        Self { first, windows }
    }

    fn start(self) -> Timestamp {
        Timestamp::from_secs(self.first)
    }

    fn end(self) -> Timestamp {
        self.start() + Duration::from_secs(self.windows as u64)
    }

    /// The window of `now`, counted from the first.
    fn window(self, now: Timestamp) -> usize {
        (now.saturating_duration_since(self.start()).as_secs()) as usize
    }
}

/// Asks from the start to the end, and counts each call in the window of its timestamp.
fn ask(schedule: Schedule) -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); schedule.windows];
    thread::sleep(schedule.start().saturating_duration_since(SystemClock.now()));
    let mut now = SystemClock.recent();
    while now < schedule.start() {
        now = SystemClock.recent();
    }
    while now < schedule.end() {
        // One window at a time, so that the loop holds no more than a caller's own would.
        let window = schedule.window(now);
        let until = schedule.start() + Duration::from_secs(window as u64 + 1);
        tallies[window] = match Variant::of(window) {
            Variant::Atomic => ask_until(&mut now, until, |now| Variant::Atomic.is_allowed_at(now)),
            Variant::Mutex => ask_until(&mut now, until, |now| Variant::Mutex.is_allowed_at(now)),
        };
    }
    tallies
}

fn ask_until(now: &mut Timestamp, until: Timestamp, ask: impl Fn(Timestamp) -> bool) -> Tally {
    let mut tally = Tally::default();
    while *now < until {
        tally.asked += 1;
        tally.admitted += u64::from(ask(*now));
        *now = SystemClock.recent();
    }
    tally
}

fn show_progress(schedule: Schedule) {
    let style = ProgressStyle::with_template("{bar:40} {msg}").expect("a valid template");
    let progress = ProgressBar::new(schedule.windows as u64 * 1_000).with_style(style);
    loop {
        let now = SystemClock.now();
        if now >= schedule.end() {
            break;
        }
        let elapsed = now.saturating_duration_since(schedule.start());
        progress.set_position(elapsed.as_millis() as u64);
        progress.set_message(if now < schedule.start() {
            "waiting for a full second".into()
        } else {
            let window = schedule.window(now);
            format!("window {} of {}: {}", window + 1, schedule.windows, Variant::of(window).name())
        });
        thread::sleep(Duration::from_millis(50));
    }
    progress.finish_and_clear();
}

fn report(tallies: &[Tally]) -> Result<(), Box<dyn Error>> {
    let limit = u64::from(QUOTA.permits());
    println!("{:>6}  {:<8}{:>16}{:>14}{:>16}", "window", "variant", "asked", "admitted", "denied");
    let mut wrong = 0;
    for (window, tally) in tallies.iter().enumerate() {
        // A machine that cannot even ask that often admits whatever was asked.
        let exact = tally.admitted == limit.min(tally.asked);
        wrong += usize::from(!exact);
        println!(
            "{:>6}  {:<8}{:>16}{:>14}{:>16}  {}",
            window + 1,
            Variant::of(window).name(),
            grouped(tally.asked),
            grouped(tally.admitted),
            grouped(tally.asked - tally.admitted),
            if exact { "= limit" } else { "WRONG" },
        );
    }

    println!("\ndecisions per second");
    let rates = Variant::BOTH.map(|variant| {
        let of_variant = tallies.iter().enumerate().filter(|(w, _)| Variant::of(*w) == variant);
        let (windows, asked) = of_variant.fold((0, 0), |(n, sum), (_, t)| (n + 1, sum + t.asked));
        asked / windows
    });
    let max = rates[0].max(rates[1]);
    for (variant, rate) in Variant::BOTH.into_iter().zip(rates) {
        println!("{:<8}{:>14} {}", variant.name(), grouped(rate), bar(rate, max));
    }
    println!("\natomic / mutex = {:.1}", rates[0] as f64 / rates[1].max(1) as f64);

    if wrong > 0 {
        return Err(format!("{wrong} windows did not admit their limit").into());
    }
    Ok(())
}

pub(crate) fn run(threads: usize, windows: usize) -> Result<(), Box<dyn Error>> {
    println!(
        "{threads} threads ask one limiter for {} permits per second, for {windows} seconds.",
        grouped(QUOTA.permits().into()),
    );
    println!("Every other second the same rule runs behind a mutex.\n");
    let schedule = Schedule::soon(windows);
    let mut tallies = vec![Tally::default(); windows];
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(move || ask(schedule))).collect();
        show_progress(schedule);
        for worker in workers {
            let counted = worker.join().expect("a worker does not panic");
            for (sum, part) in tallies.iter_mut().zip(counted) {
                sum.asked += part.asked;
                sum.admitted += part.admitted;
            }
        }
    });
    report(&tallies)
}
