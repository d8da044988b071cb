//! Thousands of callers in a world without threads: random arrivals, patience and cancellations.

use super::sim::{Tasks, Time};
use casgate::algorithm::{Adjustable, Algorithm, Both, Weighted};
use casgate::clock::Clock;
use casgate::wait::{Acquire, AcquireError, Queue, Timer};
use casgate::{Admitted, FixedWindow, Limiter, Quota, SlidingWindow, Timestamp, TokenBucket};
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

type Shared<A> = Arc<Queue<A, Time, Time>>;
type Wait<A> = Acquire<Shared<A>>;
type Outcome = Result<Admitted, AcquireError>;

const SEEDS: u64 = if cfg!(debug_assertions) { 20 } else { 500 };
const CALLERS: usize = 1_000;

/// What happens in a world.
#[derive(Clone, Copy, Debug)]
struct Weather {
    seed: u64,
    /// Nanoseconds from one arrival to the next, on average.
    gap: u64,
    most_permits: u32,
    /// How long a patient caller waits, at most.
    patience: u64,
    /// Of a thousand callers, so many are dropped, never polled again, leaked; and so many callers ask the limiter
    /// beside the queue.
    cancelled: u32,
    neglected: u32,
    forgotten: u32,
    outside: u32,
    /// Of a thousand events, so many refunds, charges and the like from outside the queue.
    meddled: u32,
    granularity: u64,
    /// Whether all tasks are polled as soon as they are woken, and in that order.
    orderly: bool,
    closes: bool,
}

struct Caller {
    permits: u32,
    deadline: Timestamp,
}

/// What came of it.
struct Story {
    /// Permits by the instants at which they were ready, those of the queue in the order of first polls.
    served: Vec<(u64, u32)>,
    outside: Vec<(u64, u32)>,
    end: Timestamp,
}

/// What somebody does to the limiter.
enum Meddling {
    Quota(Quota),
    Random(u32),
}

/// A quota for an adjustable limiter, and when it comes into force.
type Changes = [(u64, Quota)];

fn live<A: Algorithm + 'static>(
    weather: Weather,
    limiter: impl FnOnce(Time) -> Limiter<A, Time>,
    ask: impl Fn(&Shared<A>, u32) -> Wait<A>,
    changes: &Changes,
    meddle: impl Fn(&Shared<A>, Meddling),
) -> (Shared<A>, Story) {
    let time = Time::in_steps_of(Duration::from_nanos(weather.granularity));
    let queue = Arc::new(Queue::with_timer(limiter(time.clone()), time.clone()));
    let mut rng = SmallRng::seed_from_u64(weather.seed);
    let mut tasks: Tasks<Outcome> = Tasks::new();
    let mut callers: HashMap<usize, Caller> = HashMap::new();
    // In the order in which they are served.
    let mut ends: HashMap<usize, (usize, Admitted)> = HashMap::new();
    let mut outside = Vec::new();
    let mut next_arrival = 0;
    let (mut left, mut changes, mut closed) = (CALLERS, changes, false);
    let one_in_a_thousand = |rng: &mut SmallRng, n: u32| rng.random_ratio(n, 1_000);
    loop {
        // The next event: an arrival, a timer, a new quota.
        let arrival = (left > 0).then_some(next_arrival);
        let timer = time.next_event().map(Timestamp::as_nanos);
        let change = changes.first().map(|change| change.0);
        let Some(next) = [arrival, timer, change].into_iter().flatten().min() else { break };
        // Sometimes everybody is late.
        let lag = if !weather.orderly && rng.random_ratio(1, 20) {
            rng.random_range(0..3_000_000)
        } else {
            0
        };
        time.advance_to(Timestamp::from_nanos(next + lag));
        let now = time.now();
        while let Some(((_, quota), rest)) =
            changes.split_first().filter(|(change, _)| change.0 <= now.as_nanos())
        {
            meddle(&queue, Meddling::Quota(*quota));
            changes = rest;
        }
        while left > 0 && next_arrival <= now.as_nanos() {
            left -= 1;
            next_arrival += rng.random_range(0..=2 * weather.gap);
            if one_in_a_thousand(&mut rng, weather.outside) {
                outside.extend(queue.limiter().check().ok().map(|a| (a.at().as_nanos(), 1)));
                continue;
            }
            let permits = rng.random_range(1..=weather.most_permits);
            let patience = Duration::from_nanos(rng.random_range(0..=weather.patience));
            let (wait, deadline) = match rng.random_range(0..4) {
                0 => (ask(&queue, permits).within(patience), now + patience),
                1 => (ask(&queue, permits).by(now + patience), now + patience),
                _ => (ask(&queue, permits), Timestamp::MAX),
            };
            callers.insert(tasks.spawn(wait), Caller { permits, deadline });
        }
        if one_in_a_thousand(&mut rng, weather.meddled) {
            meddle(&queue, Meddling::Random(rng.random_range(0..100)));
        }
        // The fate of those who are woken or have just come, or of anybody.
        for task in tasks.woken() {
            let anybody = rng.random_range(0..=task);
            for task in [task, anybody] {
                if one_in_a_thousand(&mut rng, weather.cancelled / 2) {
                    tasks.cancel(task);
                }
            }
            if one_in_a_thousand(&mut rng, weather.neglected) {
                tasks.neglect(task);
            }
            if one_in_a_thousand(&mut rng, weather.forgotten) {
                tasks.forget(task);
            }
            if !weather.orderly && rng.random_ratio(1, 50) {
                tasks.wake(anybody);
            }
        }
        if !weather.orderly && rng.random() {
            tasks.reorder(|woken| woken.shuffle(&mut rng));
        }
        if weather.closes && left < CALLERS / 10 && !closed {
            closed = true;
            queue.close();
        }
        for (task, outcome) in tasks.run() {
            let Caller { permits, deadline } = callers[&task];
            match outcome {
                Ok(admitted) => {
                    assert!(admitted.at() <= now, "{task} is early");
                    assert!(admitted.at() <= deadline, "{task} is served late");
                    assert_eq!(admitted.permits(), permits);
                    assert!(!closed, "{task} was served by a closed queue");
                    ends.insert(task, (ends.len(), admitted));
                }
                Err(AcquireError::TooLate { ready_after }) => {
                    assert!(now + ready_after > deadline);
                    assert!(now <= deadline || !weather.orderly, "{task} learns of it too late");
                }
                Err(AcquireError::Closed) => assert!(closed),
                Err(error) => panic!("{task}: {error}"),
            }
        }
        if closed {
            assert_eq!(tasks.unfinished(), [], "a closed queue keeps somebody");
            assert_eq!(queue.waiting(), 0);
        }
    }
    assert_eq!(tasks.unfinished(), [], "nobody wakes them");
    let served: Vec<_> =
        tasks.arrivals().iter().filter_map(|task| ends.get(task)).copied().collect();
    // Whoever came later is ready later; or it was given, after those before it were done, the place of one that
    // had left.
    let mut latest = 0;
    for (i, (order, admitted)) in served.iter().enumerate() {
        let before =
            |(done, other): &&(usize, Admitted)| other.at() > admitted.at() && done > order;
        let is_passing = weather.meddled == 0
            && admitted.at().as_nanos() < latest
            && (weather.cancelled == 0 || served[..i].iter().any(|other| before(&other)));
        assert!(!is_passing, "{admitted:?} passes others: {weather:?}");
        latest = latest.max(admitted.at().as_nanos());
    }
    let served = served.iter().map(|(_, a)| (a.at().as_nanos(), a.permits())).collect();
    (queue, Story { served, outside, end: time.now() })
}

impl Story {
    /// All permits, by the instants at which they count.
    fn all(&self) -> Vec<(u64, u32)> {
        let mut all: Vec<_> = self.served.iter().chain(&self.outside).copied().collect();
        all.sort_unstable();
        all
    }
}

/// For every s ≤ e: the permits of [s, e] are at most `burst` and ⌊(e − s)·permits/period⌋.
fn is_within_the_pace(all: &[(u64, u32)], burst: u32, permits: u64, period: u64) -> bool {
    let worth = |t: u64| i128::from(t) * i128::from(permits);
    let (mut lowest, mut before) = (i128::MAX, 0i128);
    all.iter().all(|&(t, n)| {
        lowest = lowest.min(before * i128::from(period) - worth(t));
        before += i128::from(n);
        before * i128::from(period) - worth(t) - lowest <= i128::from(burst) * i128::from(period)
    })
}

/// In every half-open interval of the period at most `limit`.
fn is_within_any(all: &[(u64, u32)], limit: u32, period: u64) -> bool {
    let (mut from, mut sum) = (0, 0);
    all.iter().all(|&(t, n)| {
        sum += n;
        while t - all[from].0 >= period {
            sum -= all[from].1;
            from += 1;
        }
        sum <= limit
    })
}

/// In each window at most `limit`.
fn is_within_windows(all: &[(u64, u32)], limit: u32, period: u64) -> bool {
    all.chunk_by(|a, b| a.0 / period == b.0 / period)
        .all(|window| window.iter().map(|(_, n)| n).sum::<u32>() <= limit)
}

#[test]
fn one_permit_too_many_is_found() {
    let even: Vec<_> = (0..1_000u64).map(|i| (i * 100, 1)).collect();
    assert!(is_within_the_pace(&even, 1, 1, 100));
    assert!(is_within_any(&even, 10, 1_000) && is_within_windows(&even, 10, 1_000));
    let mut more = even;
    more.insert(500, (49_950, 1));
    assert!(!is_within_the_pace(&more, 1, 1, 100) && is_within_the_pace(&more, 2, 1, 100));
    assert!(!is_within_any(&more, 10, 1_000) && !is_within_windows(&more, 10, 1_000));
}

/// Weather of all kinds, for a limiter whose permits are `pace` nanoseconds apart.
fn seasons(pace: u64, most_permits: u32) -> impl Iterator<Item = Weather> {
    (0..SEEDS).map(move |seed| {
        let mut rng = SmallRng::seed_from_u64(!seed);
        let load = rng.random_range(1..=4);
        let orderly = rng.random();
        Weather {
            seed,
            gap: pace * u64::from(most_permits + 1) / load,
            most_permits,
            patience: pace * rng.random_range(1..=200),
            cancelled: [0, 100, 900][rng.random_range(0..3)],
            neglected: [0, 0, 20][rng.random_range(0..3)],
            forgotten: [0, 0, 20][rng.random_range(0..3)],
            outside: [0, 0, 200][rng.random_range(0..3)],
            meddled: 0,
            granularity: if orderly { 0 } else { [0, 1_000_000][rng.random_range(0..2)] },
            orderly,
            closes: rng.random(),
        }
    })
}

impl Weather {
    /// Whether the state in the end is to be that of those who were served.
    fn is_countable(&self) -> bool {
        self.orderly && self.neglected == 0 && self.forgotten == 0 && self.outside == 0
    }
}

const NONE: &Changes = &[];

fn ignore<A: Algorithm>(_: &Shared<A>, _: Meddling) {}

fn bucket(permits: u32, burst: u32) {
    let quota = Quota::per_second(permits).with_burst(burst);
    let most = burst.min(4);
    let mut counted_any = false;
    for weather in seasons(1_000_000_000 / u64::from(permits), most) {
        let limiter = |time| Limiter::token_bucket(quota).with_clock(time);
        let (queue, story) =
            live(weather, limiter, |queue, n| queue.acquire_owned().permits(n), NONE, ignore);
        assert!(
            is_within_the_pace(&story.all(), burst, u64::from(permits), 1_000_000_000),
            "{weather:?}"
        );
        if weather.is_countable() {
            let counted = Limiter::token_bucket(quota);
            for (at, n) in story.all() {
                counted.check_n_at(n, Timestamp::from_nanos(at)).unwrap();
            }
            counted_any = true;
            for at in [Timestamp::ZERO, story.end] {
                assert_eq!(queue.limiter().peek_at(at), counted.peek_at(at), "{weather:?}");
            }
        }
    }
    assert!(counted_any);
}

#[test]
fn a_bucket_of_one() {
    bucket(100, 1);
}

#[test]
fn a_bucket_of_ten() {
    bucket(100, 10);
}

#[test]
fn a_fast_bucket_of_one() {
    bucket(10_000, 1);
}

#[test]
fn a_fast_bucket_of_fifty() {
    bucket(10_000, 50);
}

#[test]
fn a_fixed_window() {
    for (limit, period) in [(5, 50_000_000), (20, 2_000_000), (4, 500_000_000)] {
        let quota = Quota::new(limit, Duration::from_nanos(period)).unwrap();
        for weather in seasons(period / u64::from(limit), 4) {
            let limiter = |time| Limiter::fixed_window(quota).with_clock(time);
            let (queue, story) =
                live(weather, limiter, |queue, n| queue.acquire_owned().permits(n), NONE, ignore);
            assert!(is_within_windows(&story.all(), limit, period), "{weather:?}");
            if weather.is_countable() {
                let last = story.all().last().map_or(0, |last| last.0 / period);
                let spent: u32 =
                    story.all().iter().filter(|(at, _)| at / period == last).map(|a| a.1).sum();
                let at = Timestamp::from_nanos(last * period);
                assert_eq!(queue.limiter().peek_at(at).remaining(), limit - spent, "{weather:?}");
            }
        }
    }
}

#[test]
fn a_sliding_window() {
    for (limit, period) in [(5, 50_000_000), (20, 2_000_000)] {
        let quota = Quota::new(limit, Duration::from_nanos(period)).unwrap();
        for weather in seasons(period / u64::from(limit), 1) {
            let limiter = |time| Limiter::sliding_window(quota).with_clock(time);
            let (_, story): (Shared<SlidingWindow>, _) =
                live(weather, limiter, |queue, _| queue.acquire_owned(), NONE, ignore);
            assert!(is_within_any(&story.all(), limit, period), "{weather:?}");
        }
    }
}

#[test]
fn two_algorithms() {
    let (pace, limit, period) = (10_000_000, 30, 500_000_000);
    for weather in seasons(pace, 3) {
        let both = Limiter::both(
            TokenBucket::new(Quota::per_second(100).with_burst(3)),
            FixedWindow::new(Quota::new(limit, Duration::from_nanos(period)).unwrap()),
        );
        let (_, story): (Shared<Both<TokenBucket, FixedWindow>>, _) = live(
            weather,
            |time| both.with_clock(time),
            |queue, n| queue.acquire_owned().permits(n),
            NONE,
            ignore,
        );
        let all = story.all();
        assert!(is_within_the_pace(&all, 3, 100, 1_000_000_000), "{weather:?}");
        assert!(is_within_windows(&all, limit, period), "{weather:?}");
    }
}

#[test]
fn a_quota_that_changes() {
    let quotas = [(100, 5), (1_000, 4), (10, 4), (100, 10)];
    for mut weather in seasons(10_000_000, 4) {
        weather.granularity = 0;
        let changes: Vec<_> = (1..8u64)
            .map(|i| (i * 777_777_777, quotas[i as usize % 4]))
            .map(|(at, (permits, burst))| (at, Quota::per_second(permits).with_burst(burst)))
            .collect();
        let first = Quota::per_second(100).with_burst(5);
        let (_, story): (Shared<Adjustable<TokenBucket>>, _) = live(
            weather,
            |time| Limiter::adjustable_token_bucket(first).with_clock(time),
            |queue, n| queue.acquire_owned().permits(n),
            &changes,
            |queue, meddling| {
                if let Meddling::Quota(quota) = meddling {
                    queue.set_quota(quota);
                }
            },
        );
        // The change came up to 3 ms after its instant.
        let all = story.all();
        for (i, (permits, burst)) in (0u64..).zip(quotas.iter().cycle()).take(8) {
            let (from, to) = (i * 777_777_777, (i + 1) * 777_777_777);
            let from = if i == 0 { 0 } else { from + 3_000_000 };
            let reign: Vec<_> =
                all.iter().copied().filter(|(at, _)| (from..to).contains(at)).collect();
            let permits = u64::from(*permits);
            assert!(is_within_the_pace(&reign, *burst, permits, 1_000_000_000), "{weather:?}");
        }
    }
}

/// A wait that somebody drops when his patience ends.
struct Impatient<F> {
    wait: Option<F>,
    timeout: Pin<Box<<Time as Timer>::Sleep>>,
}

impl<F: Future + Unpin> Future for Impatient<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(wait) = &mut self.wait {
            if let Poll::Ready(output) = Pin::new(wait).poll(context) {
                return Poll::Ready(Some(output));
            }
        }
        ready!(self.timeout.as_mut().poll(context));
        self.wait = None;
        Poll::Ready(None)
    }
}

fn queue_of(quota: Quota, time: &Time) -> Shared<TokenBucket> {
    let limiter = Limiter::token_bucket(quota).with_clock(time.clone());
    Arc::new(Queue::with_timer(limiter, time.clone()))
}

/// Lets callers come at random, that many nanoseconds apart on average, for some seconds: those who are done.
fn come<T, F: Future<Output = T> + 'static>(
    time: &Time,
    gap: u64,
    seconds: u64,
    call: impl Fn() -> F,
) -> (usize, Tasks<T>, Vec<(usize, Timestamp, T)>) {
    let mut rng = SmallRng::seed_from_u64(gap);
    let (mut tasks, mut done, mut arrival, mut count) = (Tasks::new(), Vec::new(), 0, 0);
    while arrival < seconds * 1_000_000_000 {
        done.extend(tasks.run_until(time, Timestamp::from_nanos(arrival)));
        tasks.spawn(call());
        count += 1;
        arrival += rng.random_range(0..=2 * gap);
    }
    done.extend(tasks.run_until(time, Timestamp::from_secs(seconds)));
    (count, tasks, done)
}

#[test]
fn almost_all_the_load_that_the_quota_allows_is_served_on_a_timer_of_milliseconds() {
    let time = Time::in_steps_of(Duration::from_millis(1));
    let queue = queue_of(Quota::per_second(10_000).with_burst(1), &time);
    let (count, mut tasks, done) = come(&time, 1_000_000_000 / 9_500, 2, || queue.acquire_owned());
    assert!(count > 18_000);
    assert!(done.len() > count - 100, "{} of {count}", done.len());
    let rest = tasks.run_until(&time, Timestamp::from_millis(2_050));
    assert_eq!(done.len() + rest.len(), count);
}

#[test]
fn callers_who_give_up_by_a_timeout_around_the_wait_burn_nothing() {
    for (burst, granularity) in [(1, 0), (1, 1), (10, 0), (10, 1)] {
        let time = Time::in_steps_of(Duration::from_millis(granularity));
        let queue = queue_of(Quota::per_second(100).with_burst(burst), &time);
        let (_, _, done) = come(&time, 5_000_000, 20, || Impatient {
            wait: Some(queue.acquire_owned()),
            timeout: Box::pin(time.sleep(Duration::from_secs(1))),
        });
        for second in 0..20 {
            let served = done.iter().filter(|done| done.1.as_secs() == second && done.2.is_some());
            let served = served.count();
            assert!(served >= 99, "{served} in second {second}, burst {burst}, {granularity} ms");
        }
    }
}

#[test]
fn ten_thousand_waiters_are_woken_once_each_and_served_at_the_pace() {
    for (permits, granularity) in [(100, 0), (100, 1), (10_000, 0), (10_000, 1)] {
        let time = Time::in_steps_of(Duration::from_millis(granularity));
        let queue = queue_of(Quota::per_second(permits).with_burst(1), &time);
        let mut tasks = Tasks::new();
        let all = tasks.spawn_all(10_000, || queue.acquire_owned());
        let length = 10_000_000 / u64::from(permits);
        let done = tasks.run_until(&time, Timestamp::from_millis(length));
        assert!(done.len() >= 9_900, "{} served", done.len());
        tasks.run_until(&time, Timestamp::from_millis(length + 10));
        assert_eq!(tasks.unfinished(), []);
        let wakes: u32 = all.iter().map(|&task| tasks.wakes(task)).sum();
        assert!(wakes <= 10_000, "{wakes}");
    }
}

#[test]
fn nine_of_ten_who_leave_cost_no_permits_and_few_wakes() {
    for (permits, granularity) in [(100, 0), (100, 1), (10_000, 0), (10_000, 1)] {
        let time = Time::in_steps_of(Duration::from_millis(granularity));
        let queue = queue_of(Quota::per_second(permits).with_burst(1), &time);
        let mut rng = SmallRng::seed_from_u64(permits.into());
        let mut tasks = Tasks::new();
        let mut all = tasks.spawn_all(10_000, || queue.acquire_owned());
        let mut done: Vec<_> =
            tasks.run().into_iter().map(|(task, outcome)| (task, time.now(), outcome)).collect();
        all.shuffle(&mut rng);
        // While a tenth of the time of all goes by.
        let length = 10_000_000_000_000 / u64::from(permits) / 10;
        for (i, &task) in (0u64..).zip(&all[..9_000]) {
            done.extend(tasks.run_until(&time, Timestamp::from_nanos(length * i / 9_000)));
            tasks.cancel(task);
        }
        let left = tasks.unfinished().len() + done.len();
        done.extend(tasks.run_until(&time, Timestamp::from_nanos(length * 2)));
        assert_eq!(done.len(), left, "all who stay are served");
        // One after another, with gaps where those left whose time had come.
        let pace = 1_000_000_000 / u64::from(permits);
        let last = done.iter().map(|done| done.2.unwrap().at().as_nanos()).max().unwrap();
        assert!(last <= done.len() as u64 * pace * 101 / 100, "{last}");
        // Of those who are served.
        let wakes: u32 = done.iter().map(|done| tasks.wakes(done.0)).sum();
        assert!(wakes <= 3 * done.len() as u32, "{wakes} of {}", done.len());
    }
}

#[test]
fn after_a_stall_callers_go_on_at_the_pace_of_the_quota() {
    for (granularity, seed) in
        [0, 1].into_iter().flat_map(|step| (0..20).map(move |seed| (step, seed)))
    {
        let time = Time::in_steps_of(Duration::from_millis(granularity));
        let queue = queue_of(Quota::per_second(100).with_burst(10), &time);
        let mut tasks = Tasks::new();
        tasks.spawn_all(500, || queue.acquire_owned());
        let mut done = tasks.run_until(&time, Timestamp::from_millis(1_003));
        // Nobody is polled for a second.
        time.advance_to(Timestamp::from_millis(2_003));
        tasks.reorder(|woken| woken.shuffle(&mut SmallRng::seed_from_u64(seed)));
        done.extend(tasks.run_until(&time, Timestamp::from_secs(10)));
        assert_eq!(done.len(), 500);
        let mut ready: Vec<_> =
            done.iter().map(|done| (done.2.unwrap().at().as_nanos(), 1)).collect();
        ready.sort_unstable(); // they went on in any order
        assert!(is_within_the_pace(&ready, 10, 100, 1_000_000_000));
        // Completions: also the two that were booked before the stall, and those of a timer's step.
        let went: Vec<_> = done.iter().map(|done| (done.1.as_nanos(), 1)).collect();
        assert!(is_within_the_pace(&went, 13, 100, 1_000_000_000));
    }
}

/// Puts some into the queue, and lets a probe come that would be too late by a nanosecond, and one without a deadline.
fn is_told_the_instant<A: Algorithm + 'static>(
    limiter: impl FnOnce(Time) -> Limiter<A, Time>,
    ask: impl Fn(&Shared<A>, u32) -> Wait<A>,
    (ahead, most_permits, moment): (usize, u32, u64),
) {
    let time = Time::default();
    let queue = Arc::new(Queue::with_timer(limiter(time.clone()), time.clone()));
    let mut rng = SmallRng::seed_from_u64(ahead as u64);
    let mut tasks = Tasks::new();
    tasks.spawn_all(ahead, || ask(&queue, rng.random_range(1..=most_permits)));
    tasks.run_until(&time, Timestamp::from_nanos(moment));
    let probe = tasks.spawn(ask(&queue, 1).within(Duration::ZERO));
    let Some((_, Err(AcquireError::TooLate { ready_after }))) =
        tasks.run().into_iter().find(|done| done.0 == probe)
    else {
        return;
    };
    let seen = || (queue.limiter().peek(), queue.waiting(), format!("{:?}", queue.limiter()));
    let before = seen();
    let ready_at = Timestamp::from_nanos(moment) + ready_after;
    let just_late = ready_at - Duration::from_nanos(1);
    let probe = tasks.spawn(ask(&queue, 1).by(just_late));
    assert_eq!(tasks.run(), [(probe, Err(AcquireError::TooLate { ready_after }))]);
    assert_eq!(seen(), before);
    let just = tasks.spawn(ask(&queue, 1).by(ready_at));
    let done = tasks.run_until(&time, Timestamp::from_secs(1_000));
    let (_, at, outcome) = done.iter().find(|done| done.0 == just).unwrap();
    assert_eq!((outcome.unwrap().at(), *at), (ready_at, ready_at));
}

#[test]
fn a_wait_that_is_too_late_takes_nothing_and_is_told_when_it_would_be_served() {
    let bulk = |queue: &Shared<_>, n| queue.acquire_owned().permits(n);
    let windows = |queue: &Shared<FixedWindow>, n| queue.acquire_owned().permits(n);
    let adjustable = |queue: &Shared<Adjustable<TokenBucket>>, n| queue.acquire_owned().permits(n);
    for ahead in (0..60).step_by(if cfg!(debug_assertions) { 7 } else { 1 }) {
        for moment in [0, 1_234_567, 50_000_000] {
            for (permits, burst) in [(100, 1), (100, 10), (10_000, 1), (10_000, 7), (7, 3)] {
                let quota = Quota::per_second(permits).with_burst(burst);
                let bucket = |time| Limiter::token_bucket(quota).with_clock(time);
                is_told_the_instant(bucket, bulk, (ahead, burst, moment));
                let bucket = |time| Limiter::adjustable_token_bucket(quota).with_clock(time);
                is_told_the_instant(bucket, adjustable, (ahead, burst, moment));
                let quota = Quota::per_second(permits.min(30));
                let window = |time| Limiter::fixed_window(quota).with_clock(time);
                is_told_the_instant(window, windows, (ahead, 1, moment));
                let window = |time| Limiter::sliding_window(quota).with_clock(time);
                let one = |queue: &Shared<SlidingWindow>, _| queue.acquire_owned();
                is_told_the_instant(window, one, (ahead, 1, moment));
            }
        }
    }
}

/// Whatever is done to the limiter, everybody ends, and nobody is early or late.
fn meddled<A: Weighted + 'static>(
    pace: u64,
    limiter: impl Fn(Time) -> Limiter<A, Time>,
    set_quota: impl Fn(&Shared<A>, Quota),
) {
    let ask = |queue: &Shared<A>, n| queue.acquire_owned().permits(n);
    let meddle = |queue: &Shared<A>, meddling| {
        let limiter = queue.limiter();
        match meddling {
            Meddling::Quota(quota) => set_quota(queue, quota),
            Meddling::Random(dice @ 0..20) => drop(limiter.charge(dice % 5)),
            Meddling::Random(dice @ 20..60) => limiter.refund_n(dice % 5),
            Meddling::Random(dice @ 60..65) => {
                let until = limiter.charge(0).at() + Duration::from_nanos(pace * u64::from(dice));
                limiter.deny_until(until);
            }
            Meddling::Random(65..70) => limiter.reset(),
            Meddling::Random(dice @ 70..80) => drop(limiter.take_up_to(dice % 5)),
            Meddling::Random(_) => drop(limiter.check()),
        }
    };
    let changes: Vec<_> = (1..20u64)
        .map(|i| (i * pace * 57, Quota::per_second(100 * (1 + i as u32 % 3)).with_burst(4)))
        .collect();
    for mut weather in seasons(pace, 4) {
        weather.meddled = 100;
        live(weather, &limiter, ask, &changes, meddle);
    }
}

#[test]
fn whatever_is_done_to_the_limiter_everybody_ends() {
    let quota = Quota::per_second(100).with_burst(4);
    let pace = 10_000_000;
    meddled(pace, |time| Limiter::token_bucket(quota).with_clock(time), |_, _| ());
    meddled(pace, |time| Limiter::fixed_window(Quota::per_second(100)).with_clock(time), |_, _| ());
    meddled(
        pace,
        |time| {
            Limiter::both(TokenBucket::new(quota), FixedWindow::new(Quota::per_minute(3_000)))
                .with_clock(time)
        },
        |_, _| (),
    );
    meddled(
        pace,
        |time| Limiter::adjustable_token_bucket(quota).with_clock(time),
        |queue, quota| queue.set_quota(quota),
    );
    meddled(
        pace,
        |time| Limiter::adjustable_fixed_window(quota).with_clock(time),
        |queue, quota| queue.set_quota(quota),
    );
    // By the limiter, of which the queue learns later.
    meddled(
        pace,
        |time| Limiter::adjustable_token_bucket(quota).with_clock(time),
        |queue, quota| queue.limiter().set_quota(quota),
    );
}
