use crate::resp::Connection;
use crate::server::Server;
use crate::{at, timeless};
use casgate::Quota;
use casgate_redis::protocol::{Grant, LeaseQuota, Request, Script, ServerTime, State, StateLoss};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::RefCell;
use std::time::Duration;

/// The last instant at which the script is exact: in 2112.
const LAST: u64 = 1 << 52;

/// Numbers of every size up to `most`.
pub(crate) fn of_any_size(most: u64) -> impl Strategy<Value = u64> {
    (0..=most.ilog2(), any::<u64>()).prop_map(move |(bits, n)| (n >> (63 - bits)).min(most))
}

prop_compose! {
    /// A quota from the whole range, and a lifetime that takes some part of its burst.
    fn quota()(
        permits in of_any_size(u32::MAX.into()), burst in of_any_size(u32::MAX.into()),
        nanos in of_any_size(1 << 61), common in prop_oneof![Just(1), Just(1_000), Just(1_000_000)],
        parts in 1..1_000_u64, of in prop_oneof![Just(1_000), Just(1_000_000)], starts_empty: bool,
    ) -> Option<LeaseQuota> {
        let period = Duration::from_nanos((nanos / common * common).max(permits));
        let quota = Quota::new(permits.try_into().ok()?, period).ok()?;
        let quota = quota.try_with_burst(burst.try_into().ok()?).ok()?;
        let refill = period.as_nanos() * u128::from(burst) / u128::from(permits);
        let lifetime = u64::try_from(refill * u128::from(parts) / of).ok()?;
        let quota = LeaseQuota::new(quota, Duration::from_nanos(lifetime)).ok()?;
        Some(quota.on_state_loss(if starts_empty { StateLoss::StartEmpty } else { StateLoss::StartFull }))
    }
}

fn valid_quota() -> impl Strategy<Value = LeaseQuota> {
    quota().prop_filter_map("outside of the range", |quota| quota)
}

#[derive(Clone, Debug)]
enum Step {
    Call {
        holder: usize,
        want: u32,
        least: u32,
        carry: Carry,
    },
    /// The last request once more, as it was.
    Again,
    /// The clock goes on, or back.
    Forward(u64),
    Back(u64),
    /// To the instant at which so many permits are there, or the one before it.
    Ready {
        permits: u32,
        early: bool,
    },
    Lose,
    /// Another quota for the same state.
    Quota(usize),
}

#[derive(Clone, Debug)]
enum Carry {
    Nothing,
    Seen,
    Empty,
    MadeUp(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let carry = prop_oneof![
        6 => Just(Carry::Seen),
        2 => Just(Carry::Nothing),
        1 => Just(Carry::Empty),
        1 => of_any_size(u64::MAX).prop_map(Carry::MadeUp),
    ];
    let permits = || of_any_size(u32::MAX.into()).prop_map(|n| n as u32);
    let least = prop_oneof![3 => Just(0), 2 => permits()];
    prop_oneof![
        12 => (0..3_usize, permits(), least, carry)
            .prop_map(|(holder, want, least, carry)| Step::Call { holder, want, least, carry }),
        1 => Just(Step::Again),
        6 => of_any_size(1 << 51).prop_map(Step::Forward),
        2 => of_any_size(1 << 51).prop_map(Step::Back),
        6 => (permits(), any::<bool>()).prop_map(|(permits, early)| Step::Ready { permits, early }),
        1 => Just(Step::Lose),
        2 => (0..2_usize).prop_map(Step::Quota),
    ]
}

/// The script in the server and its twin, side by side.
struct Both<'a> {
    connection: &'a mut Connection,
    text: &'a str,
    sha1: &'a str,
    state: Option<State>,
    lives: u64,
    seen: [Option<Grant>; 3],
}

impl Both<'_> {
    fn call(
        &mut self,
        quota: &LeaseQuota,
        request: &Request,
        now: u64,
    ) -> Result<Grant, TestCaseError> {
        let arguments = at(request.arguments(quota), now);
        let reply = self.connection.run(self.sha1, self.text, "limit", &arguments);
        let now = ServerTime::from_micros(now);
        let (state, expected) = State::grant(self.state, quota, request, now);
        prop_assert_eq!(Grant::from_reply(&reply), Ok(expected));
        if self.state != Some(state) {
            self.lives = state.lives_millis(quota, now);
        }
        self.state = Some(state);
        let names = ["t", "e", "c", "p", "lives"].map(str::to_owned);
        let numbers = [state.tat.as_micros(), state.epoch, state.counted, state.before, self.lives];
        prop_assert_eq!(
            self.connection.fields("limit"),
            names.into_iter().zip(numbers).collect::<Vec<_>>()
        );
        Ok(expected)
    }
}

fn trace(
    connection: &mut Connection,
    text: &str,
    sha1: &str,
    quotas: [LeaseQuota; 2],
    begin: u64,
    steps: &[Step],
) -> Result<(), TestCaseError> {
    connection.send(&["FLUSHALL"]);
    let mut both = Both { connection, text, sha1, state: None, lives: 0, seen: [None; 3] };
    let (mut now, mut quota, mut last) = (begin, &quotas[0], None);
    for step in steps {
        match *step {
            Step::Call { holder, want, least, ref carry } => {
                let request = match both.seen[holder] {
                    Some(grant) => grant.next(want),
                    None => Request::new(want),
                };
                let request = request.at_least(least).carrying(match *carry {
                    Carry::Nothing => ServerTime::ZERO,
                    Carry::Seen => request.carried(),
                    Carry::Empty => ServerTime::MAX,
                    Carry::MadeUp(micros) => ServerTime::from_micros(micros),
                });
                both.seen[holder] = Some(both.call(quota, &request, now)?);
                last = Some(request);
            }
            Step::Again => {
                if let Some(request) = last {
                    both.call(quota, &request, now)?;
                }
            }
            Step::Forward(micros) => now = now.saturating_add(micros).min(LAST),
            Step::Back(micros) => now = now.saturating_sub(micros),
            Step::Ready { permits, early } => {
                let seen = both.seen.iter().flatten().max_by_key(|grant| grant.now);
                let permits = permits.min(quota.burst());
                if let Some(grant) = seen {
                    let wait = grant.retry_after(quota, permits).expect("the burst is enough");
                    let ready = grant.now.as_micros() + wait.as_micros() as u64;
                    now = ready.saturating_sub(early.into()).min(LAST);
                }
            }
            Step::Lose => {
                both.connection.send(&["DEL", "limit"]);
                both.state = None;
            }
            Step::Quota(which) => quota = &quotas[which],
        }
    }
    Ok(())
}

/// Quotas, and numbers of permits at which the script's division is wrong by one: too small and too large.
fn guesses() -> [(LeaseQuota, u32); 2] {
    [(245, 1, 10_000, 245), (212_572_649, 36_537_232, 240_000_000, 190_116_522)].map(
        |(permits, micros, burst, guess)| {
            let quota = Quota::new(permits, Duration::from_micros(micros)).unwrap();
            let lifetime = Duration::from_micros(2);
            (LeaseQuota::new(quota.with_burst(burst), lifetime).unwrap(), guess)
        },
    )
}

/// Compares these and random traces of a timeless text with those of the twin.
pub(crate) fn compare(server: &Server, text: &str, runner: &mut TestRunner) -> Result<(), String> {
    let mut connection = server.connect();
    let sha1 = connection.load(text);
    for (quota, permits) in guesses() {
        let all = || Step::Call { holder: 0, want: u32::MAX, least: 0, carry: Carry::Seen };
        for early in [true, false] {
            let steps = [all(), Step::Ready { permits, early }, all()];
            trace(&mut connection, text, &sha1, [quota; 2], LAST / 2, &steps)
                .map_err(|error| error.to_string())?;
        }
    }
    let connection = RefCell::new(connection);
    let traces =
        (valid_quota(), valid_quota(), of_any_size(LAST), prop::collection::vec(step(), 1..40));
    let outcome = runner.run(&traces, |(first, second, begin, steps)| {
        trace(&mut connection.borrow_mut(), text, &sha1, [first, second], begin, &steps)
    });
    outcome.map_err(|error| error.to_string())
}

#[test]
fn the_script_decides_as_its_twin_does() {
    let text = timeless(Script::LEASE.text, 13);
    if let Err(error) = compare(&Server::start(), &text, &mut TestRunner::default()) {
        panic!("{error}");
    }
}

#[test]
fn the_script_decides_as_its_twin_does_when_the_quota_shrinks() {
    let server = Server::start();
    let mut connection = server.connect();
    let text = timeless(Script::LEASE.text, 13);
    let sha1 = connection.load(&text);
    let connection = RefCell::new(connection);
    proptest!(|(
        permits in 1..10_000_u32, part in 1..100_u32, begin in of_any_size(LAST),
        steps in prop::collection::vec(step(), 1..40),
    )| {
        let quota = |burst| LeaseQuota::new(Quota::per_second(permits).with_burst(burst), Duration::from_micros(3));
        // A permit more than what refills in 3 µs.
        let (large, small) = (quota(permits * 10 + 2), quota(permits * 10 / part + 2));
        trace(&mut connection.borrow_mut(), &text, &sha1, [large.unwrap(), small.unwrap()], begin, &steps)?;
    });
}

/// The quota with the largest burst that is accepted.
fn of_the_largest_burst(permits: u32, nanos: u64) -> LeaseQuota {
    let with = |burst| {
        let quota = Quota::new(permits, Duration::from_nanos(nanos)).unwrap();
        let quota = quota.try_with_burst(burst).ok()?;
        let refill = u128::from(nanos) * u128::from(burst) / u128::from(permits);
        LeaseQuota::new(
            quota,
            Duration::from_nanos((refill / 1_000) as u64).max(Duration::from_micros(2)),
        )
        .ok()
    };
    // From about the smallest that is enough.
    let (mut least, mut most) = (1 << 16, u64::from(u32::MAX) + 1);
    if with(least as u32).is_none() {
        least = 2;
    }
    while most - least > 1 {
        let middle = least.midpoint(most);
        if with(middle as u32).is_some() { least = middle } else { most = middle }
    }
    with(least as u32).expect("some burst is accepted")
}

/// The largest numbers that are accepted, where a double has no bit left.
#[test]
fn the_script_is_exact_at_the_ends_of_its_range() {
    let server = Server::start();
    let mut connection = server.connect();
    let text = timeless(Script::LEASE.text, 13);
    let sha1 = connection.load(&text);
    let day = 86_400_000_000_000;
    for (permits, nanos) in [
        (u32::MAX, 4_294_967_295),
        (u32::MAX, 1_000_000_000_000_001),
        (94_906_249, day),
        (999_983, day),
        (4_294_967_291, day),
        (1, 1 << 55),
        (3, 1_000_000_000),
    ] {
        let quota = of_the_largest_burst(permits, nanos);
        for begin in [0, 1, 1_790_000_000_000_000, LAST - 1, LAST] {
            connection.send(&["FLUSHALL"]);
            let mut both = Both {
                connection: &mut connection,
                text: &text,
                sha1: &sha1,
                state: None,
                lives: 0,
                seen: [None; 3],
            };
            let burst = quota.burst();
            let mut now = begin;
            for want in [1, burst / 3, burst - 1, burst, u32::MAX, 1, 0] {
                let grant = both.call(&quota, &Request::new(want), now).unwrap();
                let ready = grant.retry_after(&quota, 1).unwrap().as_micros() as u64;
                now = (now + ready).min(LAST);
            }
        }
    }
}

/// The script as it is, with the server's clock. The reply tells what it read.
#[test]
fn with_the_clock_of_the_server() {
    let server = Server::start();
    let mut connection = server.connect();
    let Script { text, sha1, .. } = Script::LEASE;
    let quota = LeaseQuota::new(Quota::per_hour(7_000), Duration::from_secs(600)).unwrap();
    let (mut state, mut grant) = (None, None::<Grant>);
    for want in (0..500_u32).map(|i| i * i % 97) {
        let request = grant.map_or(Request::new(want), |grant| grant.next(want));
        let arguments = request.arguments(&quota).map(|a| a.to_string());
        let reply = connection.run(sha1, text, "limit", &arguments);
        let told = Grant::from_reply(&reply).unwrap();
        let (next, expected) = State::grant(state, &quota, &request, told.now);
        assert_eq!(told, expected);
        let fields = connection.fields("limit");
        let values: Vec<u64> = fields.into_iter().map(|field| field.1).collect();
        assert_eq!(values, [next.tat.as_micros(), next.epoch, next.counted, next.before]);
        (state, grant) = (Some(next), Some(told));
    }
}
