use casgate::clock::{Clock, SystemClock};
use casgate::{Quota, Timestamp};
use casgate_redis::{Fleet, FleetLimiter};
use redis::{Client, Cmd, Connection, RedisResult, Value};
use std::error::Error;
use std::time::Duration;

/// How a fleet shares a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// This crate.
    Leases,
    /// One call of a script for each decision.
    Gcra,
    /// The same, with the script of redis-cell's command.
    Cell,
    /// Each process decides by what it knows, and tells the server afterwards, each [`INTERVAL`].
    Report,
}

/// How often a process reports. The cached mode of limitador has a second unless told otherwise.
pub(crate) const INTERVAL: Duration = Duration::from_millis(100);

impl Scheme {
    pub(crate) const ALL: [Self; 4] = [Self::Leases, Self::Gcra, Self::Cell, Self::Report];

    /// Its name between processes.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Leases => "leases",
            Self::Gcra => "gcra",
            Self::Cell => "cell",
            Self::Report => "report",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.word() == word)
    }
}

/// What one thread decides with.
pub(crate) enum Decider {
    Leases(FleetLimiter),
    Script { connection: Box<Connection>, call: Cmd },
    Report(Box<Report>),
}

/// A bucket of this process that hears of the others by its reports.
pub(crate) struct Report {
    connection: Connection,
    script: String,
    key: String,
    interval: Duration,
    burst: Duration,
    tat: Timestamp,
    unreported: u64,
    next: Timestamp,
}

impl Decider {
    /// Makes the deciders of so many threads of one process. They have called the server, except for [`Scheme::Leases`].
    pub(crate) fn new(
        scheme: Scheme,
        threads: usize,
        url: &str,
        key: &str,
        quota: Quota,
    ) -> Result<Vec<Self>, Box<dyn Error>> {
        let interval = quota.period() / quota.permits();
        let burst = interval * quota.burst();
        let client = Client::open(url)?;
        let connect = |text: &str| -> RedisResult<(Connection, String)> {
            let info = client.get_connection_info().clone();
            let tcp = info.tcp_settings().clone().set_nodelay(true);
            let mut connection = Client::open(info.set_tcp_settings(tcp))?.get_connection()?;
            let script = redis::cmd("SCRIPT").arg("LOAD").arg(text).query(&mut connection)?;
            Ok((connection, script))
        };
        let script = |text: &str, arguments: &[u64]| -> RedisResult<Vec<Self>> {
            let one = |_| {
                let (connection, script) = connect(text)?;
                let connection = Box::new(connection);
                Ok(Self::Script { connection, call: call(&script, key, arguments) })
            };
            (0..threads).map(one).collect()
        };
        let micros = |time: Duration| time.as_micros() as u64;
        Ok(match scheme {
            Scheme::Leases => {
                let limiter = Fleet::connect(url)?.limiter(key, quota)?;
                (0..threads).map(|_| Self::Leases(limiter.clone())).collect()
            }
            Scheme::Gcra => script(include_str!("gcra.lua"), &[micros(interval), micros(burst)])?,
            Scheme::Cell => {
                let period = micros(quota.period());
                let most = u64::from(quota.burst()) - 1;
                script(include_str!("cell.lua"), &[most, quota.permits().into(), period, 1])?
            }
            Scheme::Report => {
                assert_eq!(threads, 1, "each would be a process of its own");
                let (connection, script) = connect(include_str!("report.lua"))?;
                let key = key.to_owned();
                let (tat, next) = (Timestamp::ZERO, Timestamp::ZERO);
                let report =
                    Report { connection, script, key, interval, burst, tat, unreported: 0, next };
                vec![Self::Report(Box::new(report))]
            }
        })
    }

    /// Decides about one permit, and returns when it was admitted, if it was.
    pub(crate) fn decide(&mut self, now: Timestamp) -> RedisResult<Option<Timestamp>> {
        match self {
            Self::Leases(limiter) => Ok(limiter.check_n_at(1, now).ok().map(|a| a.at())),
            Self::Script { connection, call } => {
                let is_admitted = match call.query::<Value>(connection)? {
                    Value::Int(admitted) => admitted == 1,
                    Value::Array(reply) => reply.first() == Some(&Value::Int(0)),
                    other => panic!("no reply of these scripts: {other:?}"),
                };
                // It can be used when the reply is here.
                Ok(is_admitted.then(|| SystemClock.now()))
            }
            Self::Report(report) => report.decide(now),
        }
    }
}

impl Report {
    fn decide(&mut self, now: Timestamp) -> RedisResult<Option<Timestamp>> {
        if now >= self.next {
            self.next = now + INTERVAL;
            let micros = |time: Duration| time.as_micros() as u64;
            let arguments = [micros(self.interval), self.unreported, micros(INTERVAL)];
            let call = call(&self.script, &self.key, &arguments);
            let ahead: u64 = call.query(&mut self.connection)?;
            self.unreported = 0;
            self.tat = SystemClock.now() + Duration::from_micros(ahead);
        }
        let tat = self.tat.max(now) + self.interval;
        if tat > now + self.burst {
            return Ok(None);
        }
        self.tat = tat;
        self.unreported += 1;
        Ok(Some(now))
    }
}

fn call(script: &str, key: &str, arguments: &[u64]) -> Cmd {
    let mut call = redis::cmd("EVALSHA");
    call.arg(script).arg(1).arg(key).arg(arguments);
    call
}
