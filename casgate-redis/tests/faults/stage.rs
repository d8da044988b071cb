use crate::link::{Link, Weather};
use crate::row::{Network, Row};
use crate::server::Server;
use crate::worker::Worker;
use casgate::clock::{Clock, SystemClock};
use casgate_redis::protocol::Script;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// A fleet that runs, and what a fault can do to it.
pub(crate) struct Stage {
    // In this order: workers end before what they use.
    pub(crate) workers: Vec<Worker>,
    /// One for each worker, if they are linked.
    pub(crate) links: Vec<Link>,
    /// What a replica is behind.
    pub(crate) replication: Option<Link>,
    /// The primary is the first, and a replica the second.
    pub(crate) servers: Vec<Server>,
    /// Which of them the workers use.
    pub(crate) primary: usize,
    /// When the fleet started, by both clocks.
    pub(crate) start: Instant,
    pub(crate) start_at: u64,
    /// What the time of day is ahead of the common clock.
    pub(crate) day_ahead: u64,
    /// The fault, in nanoseconds of the common clock: from its begin to its end.
    pub(crate) fault: Option<(u64, u64)>,
    lasts: Duration,
    directory: Directory,
}

/// A directory for temporary files, for as long as it is used.
pub(crate) struct Directory(pub(crate) PathBuf);

/// The clock by which the workers log.
fn now() -> u64 {
    SystemClock.now().as_nanos()
}

/// The clock of the server.
fn time_of_day() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("it is later than 1970").as_nanos() as u64
}

impl Stage {
    /// Starts the servers, the links and the workers of a row.
    pub(crate) fn open(row: &Row) -> Self {
        let directory = Directory::new();
        let mut servers = vec![Server::start(&directory.0)];
        let mut replication = None;
        if row.network == Network::Replicated {
            let link = Link::to(servers[0].port);
            let replica = Server::start(&directory.0);
            replica.replicate(&servers[0], link.port);
            replication = Some(link);
            servers.push(replica);
        }
        let links: Vec<Link> = match row.network {
            Network::Plain => Vec::new(),
            Network::Linked | Network::Clock | Network::Replicated => {
                row.demands.iter().map(|_| Link::to(servers[0].port)).collect()
            }
        };
        if row.network == Network::Clock {
            let timed: String =
                servers[0].run(&["SCRIPT", "LOAD", &with_clock(Script::LEASE.text)]);
            links.iter().for_each(|link| link.rename(Script::LEASE.sha1, &timed));
        }
        let ports = links.iter().map(|link| link.port).chain([servers[0].port].into_iter().cycle());
        let workers = row
            .demands
            .iter()
            .zip(ports)
            .map(|(demand, port)| Worker::new(arguments(row, demand, port), row.wrong));
        let mut stage = Self {
            workers: workers.collect(),
            links,
            replication,
            servers,
            primary: 0,
            start: Instant::now(),
            start_at: now(),
            day_ahead: time_of_day() - now(),
            fault: None,
            lasts: row.lasts,
            directory,
        };
        for worker in 0..stage.workers.len() {
            stage.start(worker);
        }
        stage
    }

    /// Starts a worker that does not run, until the common end.
    pub(crate) fn start(&mut self, worker: usize) {
        let lasts = self.lasts.saturating_sub(self.start.elapsed());
        let worker_ = &mut self.workers[worker];
        let log = self.directory.0.join(format!("{worker}-{}", worker_.lives()));
        worker_.start(lasts, log);
    }

    /// Lets the fleet be until that many milliseconds after its start.
    pub(crate) fn until(&self, millis: u64) {
        let at = self.start + Duration::from_millis(millis);
        thread::sleep(at.saturating_duration_since(Instant::now()));
    }

    /// Lets the fleet be until so many windows of a second have begun, and so many milliseconds more.
    pub(crate) fn until_window(&self, windows: u64, millis: u64) {
        const SECOND: u64 = 1_000_000_000;
        let first = SECOND - (self.start_at + self.day_ahead) % SECOND;
        self.until((first + (windows - 1) * SECOND) / 1_000_000 + millis);
    }

    /// Does it, and takes note of when.
    pub(crate) fn fault(&mut self, act: impl FnOnce(&mut Self)) {
        let from = now();
        act(self);
        // Of several, the first begins and the last ends.
        self.fault = Some((self.fault.map_or(from, |(first, _)| first), now()));
    }

    /// Does it at 700 ms, and undoes it after a time in milliseconds.
    pub(crate) fn fault_for(
        &mut self,
        lasts: u64,
        act: impl FnOnce(&mut Self),
        undo: impl FnOnce(&mut Self),
    ) {
        self.until(700);
        self.fault(|stage| {
            act(stage);
            thread::sleep(Duration::from_millis(lasts));
            undo(stage);
        });
    }

    /// The server that the workers use.
    pub(crate) fn server(&mut self) -> &mut Server {
        &mut self.servers[self.primary]
    }

    /// Runs a command on the server.
    pub(crate) fn run(&mut self, command: &str) {
        let words: Vec<&str> = command.split_whitespace().collect();
        self.server().run::<redis::Value>(&words);
    }

    /// Changes the weather on all links.
    pub(crate) fn set(&self, weather: Weather) {
        self.links.iter().for_each(|link| link.set(weather));
    }

    /// Steps the clock of the script by so many seconds from the true time.
    pub(crate) fn step_clock(&mut self, seconds: i64) {
        self.run(&format!("SET {CLOCK} {seconds} EX 60"));
    }

    /// Shifts the TAT of every limit by so many seconds: as if the server's clock had stepped the other way.
    pub(crate) fn shift_tat(&mut self, seconds: i64) {
        let script = "for _, key in ipairs(redis.call('KEYS', '*')) do \
                      redis.call('HINCRBY', key, 't', ARGV[1]) end";
        let mut connection = self.server().connect().expect("the server answers");
        let shift = redis::cmd("EVAL").arg(script).arg(0).arg(seconds * 1_000_000).clone();
        shift.query::<redis::Value>(&mut connection).expect("it runs");
    }

    /// Makes the replica the primary.
    pub(crate) fn promote(&mut self) {
        self.promote_for(self.links.len());
    }

    /// Makes the replica the primary for so many workers. The others stay with the old one.
    pub(crate) fn promote_for(&mut self, workers: usize) {
        self.primary = 1;
        self.run("REPLICAOF NO ONE");
        self.lead_to_primary(0..workers);
    }

    /// Leads workers to the primary.
    pub(crate) fn lead_to_primary(&mut self, workers: std::ops::Range<usize>) {
        let port = self.server().port;
        self.links[workers].iter().for_each(|link| link.lead_to(port));
    }

    /// When all workers have ended that were not stopped.
    pub(crate) fn end(&self) -> Instant {
        self.start + self.lasts
    }

    /// The same by the common clock.
    pub(crate) fn end_at(&self) -> u64 {
        self.start_at + self.lasts.as_nanos() as u64
    }

    /// Waits for a little before the end, and returns the keys of the server that live without end, and how many it
    /// has.
    pub(crate) fn keys(&mut self) -> (Vec<String>, usize) {
        let at = self.end() - Duration::from_millis(120);
        thread::sleep(at.saturating_duration_since(Instant::now()));
        let mut connection = self.server().connect().expect("the server answers");
        let (mut immortal, mut most) = (Vec::new(), 0);
        for _ in 0..5 {
            let keys: Vec<String> =
                redis::cmd("KEYS").arg("*").query(&mut connection).expect("keys");
            most = most.max(keys.len());
            immortal.extend(keys.into_iter().filter(|key| {
                let left: i64 = redis::cmd("PTTL").arg(key).query(&mut connection).expect("a time");
                left == -1 // and -2 if it is gone meanwhile
            }));
            thread::sleep(Duration::from_millis(20));
        }
        (immortal, most)
    }
}

fn arguments(row: &Row, demand: &str, port: u16) -> Vec<String> {
    let terms = row.terms;
    let own = [
        ("--redis", format!("redis://127.0.0.1:{port}/")),
        ("--permits", terms.rate.to_string()),
        ("--burst", terms.burst.to_string()),
        ("--lease-ms", terms.lease.as_millis().to_string()),
        ("--demand", demand.to_owned()),
    ];
    let own = own.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
    own.chain(row.flags.iter().map(|&flag| flag.to_owned())).collect()
}

/// The key of the clock's step.
const CLOCK: &str = "clock";

/// The script with a clock that can be stepped.
fn with_clock(text: &str) -> String {
    let time = "local time = redis.call('TIME')\n";
    assert_eq!(text.matches(time).count(), 1, "the script reads the clock once");
    let step = format!("{time}time[1] = time[1] + (redis.call('GET', '{CLOCK}') or 0)\n");
    text.replace(time, &step)
}

impl Directory {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let own = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("casgate-faults-{}-{own}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory for temporary files");
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
