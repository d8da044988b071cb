//! One process of a fleet: asks as fast as it can, and tells what was admitted when.

use crate::scheme::{Decider, Scheme};
use casgate::clock::{Clock, SystemClock};
use casgate::{Quota, Timestamp};
use std::error::Error;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// The first argument of a process of the fleet.
pub(crate) const CHILD: &str = "--process-of-a-fleet";

/// What a process does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) threads: usize,
    pub(crate) url: &'a str,
    pub(crate) key: &'a str,
    pub(crate) quota: Quota,
    pub(crate) start: Timestamp,
    pub(crate) time: Duration,
}

/// What it did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) decisions: u64,
    /// When each permit was admitted, in nanoseconds.
    pub(crate) admitted: Vec<u64>,
}

impl Task<'_> {
    pub(crate) fn spawn(&self) -> std::io::Result<Child> {
        let numbers = [
            self.threads as u64,
            self.quota.permits().into(),
            self.quota.period().as_nanos() as u64,
            self.quota.burst().into(),
            self.start.as_nanos(),
            self.time.as_nanos() as u64,
        ];
        Command::new(std::env::current_exe()?)
            .args([CHILD, self.scheme.word(), self.url, self.key])
            .args(numbers.map(|number| number.to_string()))
            .stdout(Stdio::piped())
            .spawn()
    }

    /// The side of the process.
    pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
        let [scheme, url, key, numbers @ ..] = arguments else { return Err("no task".into()) };
        let numbers: Vec<u64> =
            numbers.iter().map(|number| number.parse()).collect::<Result<_, _>>()?;
        let [threads, permits, period, burst, start, time] = numbers[..] else {
            return Err("no task".into());
        };
        let quota = Quota::new(permits.try_into()?, Duration::from_nanos(period))?;
        let task = Task {
            scheme: Scheme::from_word(scheme).ok_or("no scheme")?,
            threads: threads.try_into()?,
            url,
            key,
            quota: quota.try_with_burst(burst.try_into()?)?,
            start: Timestamp::from_nanos(start),
            time: Duration::from_nanos(time),
        };
        task.work()?.write(std::io::stdout().lock())
    }

    fn work(&self) -> Result<Done, Box<dyn Error>> {
        let Self { scheme, threads, url, key, quota, start, time } = *self;
        let deciders = Decider::new(scheme, threads, url, key, quota)?;
        thread::sleep(start - SystemClock.now());
        let of_threads: Vec<_> = thread::scope(|scope| {
            let run = |decider| scope.spawn(move || decide(decider, start + time));
            let threads: Vec<_> = deciders.into_iter().map(run).collect();
            threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
        });
        let mut done = Done::default();
        for of_thread in of_threads {
            let of_thread = of_thread?;
            done.decisions += of_thread.decisions;
            done.admitted.extend(of_thread.admitted);
        }
        Ok(done)
    }
}

fn decide(mut decider: Decider, end: Timestamp) -> redis::RedisResult<Done> {
    let mut done = Done::default();
    loop {
        let now = SystemClock.now();
        if now >= end {
            return Ok(done);
        }
        done.decisions += 1;
        done.admitted.extend(decider.decide(now)?.map(Timestamp::as_nanos));
    }
}

impl Done {
    /// Eight bytes a number, the decisions first.
    fn write(&self, mut to: impl Write) -> Result<(), Box<dyn Error>> {
        let numbers = std::iter::once(&self.decisions).chain(&self.admitted);
        let bytes: Vec<u8> = numbers.flat_map(|number| number.to_le_bytes()).collect();
        Ok(to.write_all(&bytes)?)
    }

    pub(crate) fn read(mut from: impl Read) -> Result<Self, Box<dyn Error>> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes)?;
        let (numbers, rest) = bytes.as_chunks();
        let numbers: Vec<u64> = numbers.iter().copied().map(u64::from_le_bytes).collect();
        match &numbers[..] {
            [decisions, admitted @ ..] if rest.is_empty() => {
                Ok(Self { decisions: *decisions, admitted: admitted.to_vec() })
            }
            _ => Err("a process told nothing".into()),
        }
    }
}
