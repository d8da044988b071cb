//! The tables.

use super::judge::Answer;
use super::{Scene, Supply};
use crate::scripted::eventually;
use casgate::clock::{Clock, SystemClock};
use casgate::{Admitted, Limit, LimitN, Reason};
use casgate_redis::{AcquireError, NotAdmitted};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

/// The public methods of an operation, and what one call of it is. Each has the number of the call.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) methods: &'static [&'static str],
    pub(super) call: fn(&Scene, usize),
}

const fn operation(
    name: &'static str,
    methods: &'static [&'static str],
    call: fn(&Scene, usize),
) -> Operation {
    Operation { name, methods, call }
}

/// Those that make a fleet, and its limits of keys.
pub(super) const NOT_RACED: [&str; 3] = ["connect", "over", "keyed"];

const PATIENCE: Duration = Duration::from_secs(5);

/// Of one limit, and of the store.
pub(super) const LIMITER: [Operation; 17] = [
    operation("check", &["check"], |scene, _| scene.ask("api", || scene.limiter.check())),
    operation("check_n", &["check_n"], |scene, call| {
        scene.ask("api", || scene.limiter.check_n(2 + call as u32 % 2));
    }),
    operation("check_n_at", &["check_n_at"], |scene, _| {
        scene.ask("api", || scene.limiter.check_n_at(1, SystemClock.now()));
    }),
    operation("ask", &["ask"], |scene, _| scene.ask("api", || block_on(scene.limiter.ask(2)))),
    operation("ask, dropped", &[], |scene, _| ask_and_drop(scene)),
    operation("acquire", &["acquire"], |scene, _| {
        // Where there are too few, a wait would only be long.
        let patience = if scene.supply == Supply::Ample { PATIENCE } else { Duration::ZERO };
        scene.note("api", || acquired(block_on(scene.limiter.acquire(1, patience)).as_ref()));
    }),
    operation("acquire, dropped", &[], |scene, _| {
        scene.note("api", || {
            let wait = pin!(scene.limiter.acquire(1, PATIENCE));
            match wait.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(result) => acquired(result.as_ref()),
                Poll::Pending => None,
            }
        });
    }),
    operation("refund", &["refund"], |scene, _| {
        // Without it nothing was admitted.
        if let Ok(admitted) = scene.limiter.check_n(2) {
            scene.limiter.refund(&admitted);
        }
    }),
    operation("charge", &["charge"], |scene, _| {
        scene.note("api", || {
            scene.limiter.charge(3);
            Some(Answer::Charged(3))
        });
    }),
    operation("peek", &["peek"], |scene, _| {
        scene.note("api", || Some(Answer::Left(scene.limiter.peek().remaining())));
    }),
    operation("stats and the rest", &["stats", "is_up", "last_error"], |scene, _| {
        let stats = scene.limiter.stats();
        assert!(stats.leased <= scene.book.granted("api"), "{stats:?}");
        assert!(stats.allowed == 0 && stats.shared == 0 && stats.losses == 0, "{stats:?}");
        assert!(scene.fleet.is_up() || scene.fleet.last_error().is_none() || scene.was_disturbed());
        assert!(format!("{:?}", scene.limiter).contains("FleetLimiter"));
    }),
    operation("a clone, dropped", &[], |scene, _| {
        let clone = scene.limiter.clone();
        scene.ask("api", || clone.check());
    }),
    operation("another of that name", &["limiter"], |scene, _| {
        let other = scene.fleet.clone().limiter("api", scene.supply.of_fleet()).unwrap();
        scene.ask("api", || other.check());
    }),
    operation("by the traits", &[], |scene, call| {
        let limit: &dyn LimitN = &scene.limiter;
        let now = SystemClock.now();
        assert!(limit.peek().limit() == limit.peek_at(now).limit());
        scene.note("api", || {
            let answer = match call % 3 {
                0 => Limit::check(limit),
                1 => limit.check_at(now),
                _ => limit.check_n_at(2, now),
            };
            Some(match answer {
                Ok(admitted) => Answer::Admitted(admitted.permits()),
                Err(denied) if denied.reason() == Reason::Unavailable => Answer::Unavailable,
                Err(_) => Answer::Denied,
            })
        });
    }),
    operation("an outage", &[], |scene, _| {
        outage(scene, "api", |n| scene.limiter.check_n(n));
    }),
    operation("a late answer", &[], |scene, _| {
        late_answer(scene, "api", scene.limiter.ask(scene.many()));
    }),
    operation("a refresh", &[], |scene, _| {
        // More than half of any lease: the next is asked for.
        for _ in 0..8 {
            scene.ask("api", || scene.limiter.check_n(5));
        }
    }),
];

/// Of the limits of keys, and of the store.
pub(super) const KEYED: [Operation; 10] = [
    operation("check", &["check"], |scene, _| scene.ask("user:a", || scene.keyed.check("a"))),
    operation("check_n", &["check_n"], |scene, _| {
        scene.ask("user:a", || scene.keyed.check_n("a", 2));
    }),
    operation("ask", &["ask"], |scene, _| {
        scene.ask("user:a", || block_on(scene.keyed.ask("a", 1)));
    }),
    operation("get and hold", &["get"], |scene, _| {
        let held = ["a", "b"].map(|key| scene.keyed.get(key));
        if let Ok(held) = &held[0] {
            scene.ask("user:a", || held.check());
        }
    }),
    operation("charge", &[], |scene, _| {
        if let Ok(limiter) = scene.keyed.get("a") {
            scene.note("user:a", || {
                limiter.charge(3);
                Some(Answer::Charged(3))
            });
        }
    }),
    operation("another key", &[], |scene, _| scene.ask("user:b", || scene.keyed.check("b"))),
    // Takes the place of another.
    operation("a new key", &[], |scene, _| scene.ask("user:c", || scene.keyed.check("c"))),
    operation("how many", &["len", "is_empty"], |scene, _| {
        // Each part of the memory may be one over while a key finds its place. The two are no one look.
        assert!(scene.keyed.len() <= 4);
        let _ = scene.keyed.is_empty();
        assert!(format!("{:?}", scene.keyed).contains("FleetKeyed"));
    }),
    operation("an outage", &[], |scene, _| {
        outage(scene, "user:a", |n| scene.keyed.check_n("a", n));
    }),
    operation("a late answer", &[], |scene, _| {
        late_answer(scene, "user:a", scene.keyed.ask("a", scene.many()));
    }),
];

/// The store fails, is needed, and answers again.
fn outage(
    scene: &Scene,
    key: &'static str,
    check_n: impl Fn(u32) -> Result<Admitted, NotAdmitted>,
) {
    let many = scene.many();
    scene.disturb();
    scene.book.fail();
    scene.ask(key, || check_n(many));
    scene.ask(key, || check_n(1));
    scene.book.answer();
    scene.ask(key, || check_n(1));
}

/// The store is needed, and does not answer until others have had time to need it too.
fn late_answer(
    scene: &Scene,
    key: &'static str,
    wait: impl Future<Output = Result<Admitted, NotAdmitted>>,
) {
    // Before it waits: a call that others have made since then will do.
    let before = scene.book.calls();
    scene.book.keep_replies();
    scene.ask(key, || {
        let mut wait = pin!(wait);
        let mut ready = None;
        let mut context = Context::from_waker(Waker::noop());
        eventually("a call or an answer", || {
            if let Poll::Ready(result) = wait.as_mut().poll(&mut context) {
                ready = Some(result);
            }
            ready.is_some() || scene.book.calls() > before
        });
        thread::yield_now();
        scene.book.answer();
        ready.unwrap_or_else(|| block_on(wait))
    });
}

/// A wait in line that went wrong is one in vain.
fn acquired(result: Result<&Admitted, &AcquireError>) -> Option<Answer> {
    Some(match result {
        Ok(admitted) => Answer::Admitted(admitted.permits()),
        Err(_) => Answer::Unavailable,
    })
}

fn ask_and_drop(scene: &Scene) {
    scene.note("api", || {
        let wait = pin!(scene.limiter.ask(2));
        match wait.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(admitted)) => Some(Answer::Admitted(admitted.permits())),
            Poll::Ready(Err(NotAdmitted::Denied(_))) => Some(Answer::Denied),
            Poll::Ready(Err(NotAdmitted::Unavailable(_))) => Some(Answer::Unavailable),
            Poll::Pending => None,
        }
    });
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut future, mut context) = (pin!(future), Context::from_waker(&waker));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
