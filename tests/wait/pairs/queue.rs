//! One queue, with those who wait in it, those who send to it, and those who leave it.

use super::*;
use casgate::wait::{Acquire, AcquireError, Queue, Throttle, ThrottleError, ThrottleSink};
use casgate::{Limiter, Quota, TokenBucket};
use futures_util::sink::{Drain, drain};
use futures_util::stream::{Iter, iter};
use futures_util::{SinkExt, StreamExt};
use std::future::Future;
use std::pin::Pin;

type Line = Arc<Queue<TokenBucket, Time, Time>>;

/// Whoever waits.
enum Part {
    Wait(Acquire<Line>),
    Sink(ThrottleSink<Drain<u8>, Line>),
    /// Has a permit, and keeps it until something is sent.
    Ready(ThrottleSink<Drain<u8>, Line>),
    Stream(Throttle<Iter<std::ops::Range<u8>>, Line>),
}

impl Waits for Part {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Timestamp>, ()>> {
        match self {
            Self::Wait(wait) => {
                let polled = Pin::new(wait).poll(context);
                polled.map(|outcome| outcome.map(|admitted| Some(admitted.at())).map_err(drop))
            }
            Self::Sink(sink) | Self::Ready(sink) => sink.poll_ready_unpin(context).map(|ready| {
                ready.map_err(|error| {
                    assert_eq!(error, ThrottleError::Acquire(AcquireError::Closed))
                })?;
                sink.start_send_unpin(0).expect("nothing stops it");
                Ok(None)
            }),
            Self::Stream(stream) => stream
                .poll_next_unpin(context)
                .map(|item| item.expect("it has an item").map(|_| None).map_err(drop)),
        }
    }
}

/// Who is there before the race: a sink with the permit of 0, and four who wait for those of 10, 20, 30 and 40 ms.
const READY: usize = 0;
const FIRST: usize = 1;
const SINK: usize = 2;
const STREAM: usize = 3;
const LAST: usize = 4;

struct Scene {
    time: Time,
    queue: Line,
    parts: [Mutex<Waiter<Part>>; 5],
    came: Mutex<Vec<Waiter<Part>>>,
    outside: Mutex<Vec<Timestamp>>,
    is_closed: AtomicBool,
    lost: Mutex<u64>,
}

impl Scene {
    fn new(raced: Timestamp) -> Self {
        let time = Time::default();
        let quota = Quota::per_second(1_000 / STEP as u32).with_burst(1);
        let limiter = Limiter::token_bucket(quota).with_clock(time.clone());
        let queue = Arc::new(Queue::with_timer(limiter, time.clone()));
        let mut ready = queue.throttle_sink_owned(drain());
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(ready.poll_ready_unpin(&mut context), Poll::Ready(Ok(())));
        let parts = [
            Part::Ready(ready),
            Part::Wait(queue.acquire_owned()),
            Part::Sink(queue.throttle_sink_owned(drain())),
            Part::Stream(queue.throttle_owned(iter(0..9))),
            Part::Wait(queue.acquire_owned()),
        ];
        let parts = parts.map(|part| {
            let mut waiter = Waiter::new(part);
            if !matches!(waiter.waits, Some(Part::Ready(_))) {
                waiter.poll(Timestamp::ZERO, false);
            }
            Mutex::new(waiter)
        });
        time.advance_to(raced);
        Self {
            time,
            queue,
            parts,
            came: Mutex::default(),
            outside: Mutex::default(),
            is_closed: AtomicBool::new(false),
            // Of those who are polled late, the first has its place, and the next only one of then.
            lost: Mutex::new((raced.as_millis() / STEP).saturating_sub(2)),
        }
    }

    fn came(&self, part: Part) {
        let mut waiter = Waiter::new(part);
        waiter.poll(self.time.now(), false);
        self.came.lock().unwrap().push(waiter);
    }

    fn poll(&self, part: usize) {
        self.parts[part].lock().unwrap().poll(self.time.now(), false);
    }

    /// A place that was ready for more than 2 ms is lost. Those of the first two are booked before the race.
    fn lose(&self, part: usize) {
        let is_old = part <= FIRST && ms(STEP * part as u64 + 2) < self.time.now();
        *self.lost.lock().unwrap() += u64::from(is_old);
    }

    fn leave(&self, part: usize) {
        let mut waiter = self.parts[part].lock().unwrap();
        if waiter.end == End::Waits && waiter.waits.is_some() {
            self.lose(part);
            waiter.drop_it();
        }
    }
}

type Operation = fn(&Scene);

/// All that can be done to a queue, its sinks and its streams by several at once.
const OPERATIONS: [(&str, Operation); 19] = [
    ("acquire", |scene| scene.came(Part::Wait(scene.queue.acquire_owned()))),
    ("acquire within", |scene| {
        let wait = scene.queue.acquire_owned().within(Duration::from_secs(1));
        scene.came(Part::Wait(wait));
    }),
    ("throttle_sink", |scene| scene.came(Part::Sink(scene.queue.throttle_sink_owned(drain())))),
    ("throttle", |scene| scene.came(Part::Stream(scene.queue.throttle_owned(iter(0..9))))),
    ("send", |scene| scene.poll(READY)),
    ("poll a wait", |scene| scene.poll(FIRST)),
    ("poll a sink", |scene| scene.poll(SINK)),
    ("poll a stream", |scene| scene.poll(STREAM)),
    ("drop a wait", |scene| scene.leave(FIRST)),
    ("drop the last wait", |scene| scene.leave(LAST)),
    ("drop a sink that is ready", |scene| scene.leave(READY)),
    ("drop a sink that waits", |scene| scene.leave(SINK)),
    ("drop a stream", |scene| scene.leave(STREAM)),
    ("into_inner", |scene| {
        let mut waiter = scene.parts[STREAM].lock().unwrap();
        if waiter.end != End::Waits {
            return;
        }
        if let Some(Part::Stream(stream)) = waiter.waits.take() {
            scene.lose(STREAM);
            waiter.end = End::Dropped;
            assert_eq!(stream.into_inner().1, Some(0), "its item is given back");
        }
    }),
    ("a sink that is ready and dropped", |scene| {
        let mut sink = scene.queue.throttle_sink_owned(drain::<u8>());
        let _ = sink.poll_ready_unpin(&mut Context::from_waker(Waker::noop()));
    }),
    ("close", |scene| {
        scene.is_closed.store(true, Ordering::Relaxed);
        scene.queue.close();
    }),
    ("check outside", |scene| {
        let admitted = scene.queue.limiter().check();
        scene.outside.lock().unwrap().extend(admitted.map(|admitted| admitted.at()));
    }),
    ("waiting", |scene| assert!(scene.queue.waiting() <= 6)),
    ("print", |scene| {
        for part in &scene.parts {
            let waiter = part.lock().unwrap();
            let text = match &waiter.waits {
                Some(Part::Wait(wait)) => format!("{wait:?}"),
                Some(Part::Sink(sink) | Part::Ready(sink)) => format!("{sink:?}"),
                Some(Part::Stream(stream)) => format!("{stream:?}"),
                None => continue,
            };
            assert!(text.contains(": "), "{text}");
        }
        assert!(format!("{:?}", scene.queue).contains("waiting"));
    }),
];

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|operation| operation.0)
}

fn race(pair: [Operation; 2], raced: Timestamp) -> Result<(), (Broken, String)> {
    let scene = Scene::new(raced);
    together(pair.map(|operation| {
        let scene = &scene;
        move || operation(scene)
    }));
    let Scene { time, parts, came, outside, is_closed, lost, .. } = scene;
    let mut waiters: Vec<_> = parts
        .into_iter()
        .map(|part| part.into_inner().unwrap())
        .chain(came.into_inner().unwrap())
        .collect();
    // Nobody waits for the one that has its permit.
    if waiters[READY].end == End::Waits {
        waiters[READY].poll(Timestamp::ZERO, true);
    }
    let has_settled = settle(&time, &mut waiters);
    let record = Record {
        ends: waiters.iter().map(|waiter| waiter.end).collect(),
        outside: outside.into_inner().unwrap(),
        burst: 1,
        raced,
        lost: lost.into_inner().unwrap(),
        given_back: 0,
        is_closed: is_closed.into_inner(),
        has_settled,
    };
    judge::judge(&record).map_err(|broken| (broken, format!("{record:?}")))
}

#[test]
fn sinks_streams_and_waits_of_a_queue() {
    every_pair(&OPERATIONS, race);
}
