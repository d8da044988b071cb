//! Faults for tests to detect. `CASGATE_WRONG` names one; only tests set it.

use casgate_redis::protocol::{LeaseQuota, LeaseQuotaError, Request};
use casgate_redis::{Call, Cause, Fleet, FleetQuota, RedisStore, Store, StoreError};
use std::error::Error;
use std::time::{Duration, Instant};

/// How a process breaks the protocol: by a store that alters what is asked or what is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Asks as if the server's burst were the whole burst: `B` instead of `B − r · E`.
    WholeBurst,
    /// Spends leases for eight times as long as the server takes for granted.
    LongLeases,
    /// Takes a late reply for that to its next request: the deadline then counts from the reply's arrival.
    LateReplies,
    /// Does not tell the TAT of its last reply.
    CarriesNothing,
    /// Tells the largest TAT that it ever saw.
    CarriesLargest,
    /// Starts full after a loss, whatever it is told to.
    StartsFull,
    /// Takes permits for granted when nobody answers.
    Assumes,
    /// Leaves keys without a time to live.
    KeepsKeys,
    /// Does not ask again for four seconds after a failure.
    RetriesLate,
}

type Replies = Result<Vec<Result<Vec<i64>, StoreError>>, StoreError>;

// Where the arguments and the replies of the lease script have what is altered.
const EMPTY: usize = 7;
const WANT: usize = 9;
const CARRIED: usize = 11;
const TAT: usize = 1;
const OF_QUOTA: usize = 9;

const LATE: Duration = Duration::from_secs(4);

/// Returns the fault that the environment names.
pub(crate) fn chosen() -> Result<Option<Wrong>, String> {
    let Ok(name) = std::env::var("CASGATE_WRONG") else { return Ok(None) };
    let all = [
        Wrong::WholeBurst,
        Wrong::LongLeases,
        Wrong::LateReplies,
        Wrong::CarriesNothing,
        Wrong::CarriesLargest,
        Wrong::StartsFull,
        Wrong::Assumes,
        Wrong::KeepsKeys,
        Wrong::RetriesLate,
    ];
    let found = all.into_iter().find(|wrong| format!("{wrong:?}") == name);
    found.map(Some).ok_or_else(|| format!("no such fault: {name}"))
}

impl Wrong {
    /// Returns a fleet over a faulty store, and the quota to use there.
    pub(crate) fn over(
        self,
        store: RedisStore,
        address: &str,
        quota: FleetQuota,
    ) -> Result<(Fleet, FleetQuota), Box<dyn Error>> {
        let store = Faulty {
            wrong: self,
            store,
            of_quota: self.of_quota(&quota)?,
            client: redis::Client::open(address)?,
            largest: 0,
            late: None,
            down_until: None,
        };
        let quota = match self {
            Self::LongLeases => {
                // Its burst is only there to make leases of that lifetime possible.
                let (rate, lifetime) = (quota.quota(), quota.get_lifetime());
                FleetQuota::rate(rate.with_burst(8 * rate.burst())).lifetime(8 * lifetime)
            }
            _ => quota,
        };
        Ok((Fleet::over(store), quota))
    }

    /// Returns other arguments for the quota, if this fault has such.
    fn of_quota(self, quota: &FleetQuota) -> Result<Option<Vec<i64>>, LeaseQuotaError> {
        let (rate, lifetime) = (quota.quota(), quota.get_lifetime());
        let quota = match self {
            Self::LongLeases => LeaseQuota::new(rate, lifetime)?,
            Self::WholeBurst => {
                let per_lease = lifetime.as_secs_f64() / rate.period().as_secs_f64()
                    * f64::from(rate.permits());
                LeaseQuota::new(rate.with_burst(rate.burst() + per_lease as u32), lifetime)?
            }
            _ => return Ok(None),
        };
        Ok(Some(Request::new(0).arguments(&quota)[..OF_QUOTA].to_vec()))
    }
}

struct Faulty {
    wrong: Wrong,
    store: RedisStore,
    of_quota: Option<Vec<i64>>,
    client: redis::Client,
    largest: i64,
    late: Option<Replies>,
    down_until: Option<Instant>,
}

impl Faulty {
    fn ask(&mut self, arguments: &mut [i64]) {
        if let Some(of_quota) = &self.of_quota {
            arguments[..OF_QUOTA].copy_from_slice(of_quota);
        }
        match self.wrong {
            Wrong::StartsFull => arguments[EMPTY] = 0,
            Wrong::CarriesNothing => arguments[CARRIED] = 0,
            Wrong::CarriesLargest => arguments[CARRIED] = arguments[CARRIED].max(self.largest),
            _ => {}
        }
    }

    fn answer(
        &mut self,
        calls: &[Call<'_>],
        timeout: Duration,
        took: Duration,
        replies: Replies,
    ) -> Replies {
        match (self.wrong, replies) {
            (Wrong::LateReplies, replies) if took > timeout => {
                self.late = Some(replies);
                Err(StoreError::new(Cause::Timeout, ""))
            }
            (Wrong::Assumes, Err(_)) => {
                // As much as was asked for; the rest is made up.
                let made_up = |call: &Call<'_>| {
                    let (want, tat) = (call.arguments[WANT], call.arguments[CARRIED]);
                    Ok(vec![want, tat, tat, 0, 1, 0])
                };
                Ok(calls.iter().map(made_up).collect())
            }
            (Wrong::KeepsKeys, replies) => {
                if let Ok(mut connection) = self.client.get_connection() {
                    for call in calls {
                        let _: redis::RedisResult<()> =
                            redis::cmd("PERSIST").arg(call.key).query(&mut connection);
                    }
                }
                replies
            }
            (Wrong::RetriesLate, Err(error)) => {
                self.down_until = Some(Instant::now() + LATE);
                Err(error)
            }
            (_, replies) => replies,
        }
    }
}

impl Store for Faulty {
    fn call(&mut self, calls: &[Call<'_>], timeout: Duration) -> Replies {
        if let Some(late) = self.late.take() {
            return late;
        }
        if self.down_until.is_some_and(|until| Instant::now() < until) {
            return Err(StoreError::new(Cause::Timeout, ""));
        }
        let mut arguments: Vec<Vec<i64>> =
            calls.iter().map(|call| call.arguments.to_vec()).collect();
        arguments.iter_mut().for_each(|arguments| self.ask(arguments));
        let altered: Vec<Call<'_>> = calls
            .iter()
            .zip(&arguments)
            .map(|(call, arguments)| Call { arguments, ..*call })
            .collect();
        let patience = if self.wrong == Wrong::LateReplies { LATE } else { timeout };
        let sent = Instant::now();
        let replies = self.store.call(&altered, patience);
        for reply in replies.iter().flatten().flatten() {
            self.largest = self.largest.max(reply.get(TAT).copied().unwrap_or(0));
        }
        self.answer(calls, timeout, sent.elapsed(), replies)
    }
}
