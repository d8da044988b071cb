//! Waits for a key, next to what else can be done to it.

use super::*;
use casgate::wait::AcquireKey;
use casgate::{KeyedLimiter, Quota};
use std::future::Future;
use std::hash::RandomState;
use std::pin::Pin;

type Keys = KeyedLimiter<Time>;
type Wait<'a> = AcquireKey<'a, Time, RandomState, Time>;

impl Waits for Wait<'_> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Timestamp>, ()>> {
        Pin::new(self).poll(context).map(|outcome| outcome.map(|()| None).map_err(drop))
    }
}

/// A key whose burst is spent at 0, and three who wait for the permits of 10, 20 and 30 ms.
struct Scene<'a> {
    time: Time,
    keys: &'a Keys,
    parts: [Mutex<Waiter<Wait<'a>>>; 3],
    came: Mutex<Vec<Waiter<Wait<'a>>>>,
    outside: Mutex<Vec<Timestamp>>,
    lost: Mutex<u64>,
    given_back: Mutex<u64>,
}

impl<'a> Scene<'a> {
    fn new(keys: &'a Keys, time: &Time, raced: Timestamp) -> Self {
        assert!(keys.is_allowed("a"));
        let parts = [(); 3].map(|()| {
            let mut waiter = Waiter::new(keys.acquire("a").timer(time.clone()));
            waiter.poll(Timestamp::ZERO, false);
            Mutex::new(waiter)
        });
        time.advance_to(raced);
        Self {
            time: time.clone(),
            keys,
            parts,
            came: Mutex::default(),
            outside: Mutex::new(vec![Timestamp::ZERO]),
            lost: Mutex::default(),
            given_back: Mutex::default(),
        }
    }

    fn wait(&self) -> Wait<'a> {
        self.keys.acquire("a").timer(self.time.clone())
    }

    fn came(&self, wait: Wait<'a>) {
        let mut waiter = Waiter::new(wait);
        waiter.poll(self.time.now(), false);
        self.came.lock().unwrap().push(waiter);
    }

    /// A place that others have built on stays taken, and so does one whose time has come.
    fn leave(&self, part: usize) {
        let mut waiter = self.parts[part].lock().unwrap();
        if waiter.end == End::Waits {
            *self.lost.lock().unwrap() += 1;
            waiter.drop_it();
        }
    }

    fn outside(&self, admitted: Option<Timestamp>) {
        self.outside.lock().unwrap().extend(admitted);
    }
}

type Operation = fn(&Scene<'_>);

/// All that can be done to the waits of a key, and to the key.
const OPERATIONS: [(&str, Operation); 17] = [
    ("acquire", |scene| scene.came(scene.wait())),
    ("acquire by its key", |scene| {
        scene.came(scene.keys.key("a").acquire().timer(scene.time.clone()));
    }),
    ("within", |scene| scene.came(scene.wait().within(Duration::from_secs(1)))),
    ("within too little", |scene| {
        // Three wait before it, or one for each that was dropped.
        let mut waiter = Waiter::new(scene.wait().within(Duration::ZERO));
        waiter.poll(scene.time.now(), false);
        match waiter.end {
            End::Served { at, .. } => scene.outside(Some(at)),
            end => assert_eq!(end, End::Failed),
        }
    }),
    ("block", |scene| {
        // It would sleep in real time.
        if scene.wait().within(Duration::ZERO).block().is_ok() {
            scene.outside(Some(scene.time.now()));
        }
    }),
    ("permits", |scene| {
        let mut wait = scene.wait().permits(2);
        let polled = Waits::poll(&mut wait, &mut Context::from_waker(Waker::noop()));
        assert_eq!(polled, Poll::Ready(Err(())), "two never fit");
    }),
    ("acquire and drop", |scene| {
        let mut wait = scene.wait();
        let polled = Waits::poll(&mut wait, &mut Context::from_waker(Waker::noop()));
        if polled.is_ready() {
            scene.outside(Some(scene.time.now()));
        } else {
            *scene.lost.lock().unwrap() += 1;
        }
    }),
    ("poll the first", |scene| scene.poll(0)),
    ("poll the last", |scene| scene.poll(2)),
    ("drop the first", |scene| scene.leave(0)),
    ("drop the last", |scene| scene.leave(2)),
    ("check", |scene| scene.outside(scene.keys.check("a").ok().map(|admitted| admitted.at()))),
    ("check another key", |scene| _ = scene.keys.check("b")),
    ("refund", |scene| {
        scene.keys.refund_n("a", 1);
        *scene.given_back.lock().unwrap() += 1;
    }),
    ("reset", |scene| {
        scene.keys.reset("a");
        *scene.given_back.lock().unwrap() += 9;
    }),
    ("charge", |scene| {
        let _ = scene.keys.charge("a", 1);
        *scene.lost.lock().unwrap() += 1;
    }),
    ("peek and print", |scene| {
        assert!(scene.keys.peek("a").remaining() <= 1);
        assert!(format!("{:?}", scene.wait()).contains("patience"));
    }),
];

impl Scene<'_> {
    fn poll(&self, part: usize) {
        self.parts[part].lock().unwrap().poll(self.time.now(), false);
    }
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|operation| operation.0)
}

fn race(pair: [Operation; 2], raced: Timestamp) -> Result<(), (Broken, String)> {
    let (time, quota) = (Time::default(), Quota::per_second(1_000 / STEP as u32).with_burst(1));
    let keys = KeyedLimiter::token_bucket(quota, 10).with_clock(time.clone());
    let scene = Scene::new(&keys, &time, raced);
    together(pair.map(|operation| {
        let scene = &scene;
        move || operation(scene)
    }));
    let Scene { parts, came, outside, lost, given_back, .. } = scene;
    let parts = parts.into_iter().map(|part| part.into_inner().unwrap());
    let mut waiters: Vec<_> = parts.chain(came.into_inner().unwrap()).collect();
    let has_settled = settle(&time, &mut waiters);
    let record = Record {
        ends: waiters.iter().map(|waiter| waiter.end).collect(),
        outside: outside.into_inner().unwrap(),
        burst: 1,
        raced,
        lost: lost.into_inner().unwrap(),
        given_back: given_back.into_inner().unwrap(),
        is_closed: false,
        has_settled,
    };
    judge::judge(&record).map_err(|broken| (broken, format!("{record:?}")))
}

#[test]
fn waits_for_a_key() {
    every_pair(&OPERATIONS, race);
}
