//! Every public operation of a limit, and of the limits of keys, next to every other on real threads, and next to a
//! store that fails for a while or answers late. The [`judge`] knows no order: it counts.

mod judge;
mod operations;
mod store;
mod wrong;

use crate::scripted::eventually;
use casgate::clock::{Clock, SystemClock};
use casgate::{Admitted, Quota};
use casgate_redis::{Cause, Fleet, FleetKeyed, FleetLimiter, FleetQuota, NotAdmitted};
use judge::{Answer, Broken, Call, Record, judge};
use operations::{KEYED, LIMITER, NOT_RACED, Operation};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;
use store::{Book, Bug, Ledger};

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Supply {
    /// More than anybody asks for, in leases that outlive the run: nobody is denied.
    Ample,
    /// Less than the callers ask for, in short leases.
    Tight,
    /// The same, in each window.
    Window,
}

impl Supply {
    fn quota(self) -> Quota {
        match self {
            Self::Ample => Quota::per_second(100).with_burst(1_000_000),
            Self::Tight => Quota::per_second(10).with_burst(20),
            Self::Window => Quota::per_second(20),
        }
    }

    const fn lifetime(self) -> Duration {
        match self {
            Self::Ample => Duration::from_secs(10),
            Self::Tight | Self::Window => Duration::from_millis(100),
        }
    }

    fn of_fleet(self) -> FleetQuota {
        let quota = match self {
            Self::Window => FleetQuota::window(self.quota()),
            Self::Ample | Self::Tight => FleetQuota::rate(self.quota()),
        };
        quota.lifetime(self.lifetime())
    }

    /// Calls of each caller.
    const fn calls(self) -> usize {
        match self {
            Self::Ample => 4,
            Self::Tight | Self::Window => 12,
        }
    }
}

/// A process, its store, and what its callers learn.
struct Scene {
    supply: Supply,
    book: Arc<Book>,
    fleet: Fleet,
    limiter: FleetLimiter,
    keyed: FleetKeyed<String>,
    was_disturbed: AtomicBool,
    calls: Mutex<Vec<Call>>,
}

/// The keys of a scene: of the limiter, and of the limits of keys, of which two have a place.
const KEYS: [&str; 4] = ["api", "user:a", "user:b", "user:c"];

impl Scene {
    fn new(supply: Supply, bug: Bug) -> Self {
        let book = Book::new(supply.quota(), supply.lifetime(), bug);
        let fleet = Fleet::over(Ledger(Arc::clone(&book)));
        let quota = supply.of_fleet();
        Self {
            supply,
            book,
            limiter: fleet.limiter("api", quota.clone()).unwrap(),
            keyed: fleet.keyed("user", quota, 2).unwrap(),
            fleet,
            was_disturbed: AtomicBool::new(false),
            calls: Mutex::default(),
        }
    }

    fn note(&self, key: &'static str, call: impl FnOnce() -> Option<Answer>) {
        let from = SystemClock.now();
        let answer = call();
        let to = SystemClock.now();
        let call = answer.map(|answer| Call { from, to, key, answer });
        self.calls.lock().unwrap().extend(call);
    }

    /// Notes what a request has got.
    fn ask(&self, key: &'static str, call: impl FnOnce() -> Result<Admitted, NotAdmitted>) {
        self.note(key, || match call() {
            Ok(admitted) => Some(Answer::Admitted(admitted.permits())),
            Err(NotAdmitted::Denied(_)) => Some(Answer::Denied),
            // The key has no place, and so no limit.
            Err(NotAdmitted::Unavailable(not)) if not.cause() == Cause::Full => None,
            Err(NotAdmitted::Unavailable(_)) => Some(Answer::Unavailable),
        });
    }

    fn disturb(&self) {
        self.was_disturbed.store(true, Relaxed);
    }

    fn was_disturbed(&self) -> bool {
        self.was_disturbed.load(Relaxed)
    }

    /// A request that needs a call of the store, if it can be had at all.
    const fn many(&self) -> u32 {
        match self.supply {
            Supply::Ample => 3_000,
            Supply::Tight | Supply::Window => 8,
        }
    }

    /// Once the store answers, there are permits again, and all debts are paid.
    fn recover(&self) {
        self.book.answer();
        if self.supply == Supply::Ample && self.book.is_honest() {
            eventually("permits", || {
                self.limiter.check().map(|one| self.limiter.refund(&one)).is_ok()
            });
            for key in ["a", "b"] {
                eventually("permits of a key", || self.keyed.check(key).is_ok());
            }
        }
    }

    fn finish(&self) -> Result<(), Broken> {
        let calls = self.calls.lock().unwrap();
        KEYS.into_iter().try_for_each(|key| {
            let of_key: Vec<Call> = calls.iter().filter(|call| call.key == key).copied().collect();
            judge(&Record {
                calls: &of_key,
                quota: self.supply.quota(),
                granted: self.book.granted(key),
                was_disturbed: self.was_disturbed(),
                is_ample: self.supply == Supply::Ample,
                is_window: self.supply == Supply::Window,
            })
        })
    }
}

/// Both operations at once, some times each, and then what became of the keys.
fn race(pair: [Operation; 2], supply: Supply, bug: Bug) -> Result<Vec<Call>, (Broken, String)> {
    let (scene, start) = (Arc::new(Scene::new(supply, bug)), Arc::new(Barrier::new(2)));
    let threads = pair.map(|operation| {
        let (scene, start) = (Arc::clone(&scene), Arc::clone(&start));
        thread::spawn(move || {
            start.wait();
            for call in 0..supply.calls() {
                (operation.call)(&scene, call);
            }
        })
    });
    for thread in threads {
        thread.join().expect("no caller panics");
    }
    scene.recover();
    let finished = scene.finish();
    let calls = std::mem::take(&mut *scene.calls.lock().unwrap());
    match finished {
        Ok(()) => Ok(calls),
        Err(broken) => {
            let names = pair.map(|operation| operation.name);
            Err((broken, format!("{names:?}, {supply:?}: {calls:?}")))
        }
    }
}

const ROUNDS: usize = 3;

fn every_pair(table: &[Operation]) {
    let mut answers = Vec::new();
    for (i, &first) in table.iter().enumerate() {
        for &second in &table[i..] {
            for supply in [Supply::Ample, Supply::Tight, Supply::Window] {
                for _ in 0..ROUNDS {
                    match race([first, second], supply, Bug::None) {
                        Ok(calls) => answers.extend(calls.into_iter().map(|call| call.answer)),
                        Err((broken, about)) => panic!("{broken:?}\n{about}"),
                    }
                }
            }
        }
    }
    // All of it has happened.
    assert!(answers.contains(&Answer::Denied) && answers.contains(&Answer::Unavailable));
}

#[test]
fn every_operation_of_a_limit_next_to_every_other() {
    every_pair(&LIMITER);
}

#[test]
fn every_operation_of_the_limits_of_keys_next_to_every_other() {
    every_pair(&KEYED);
}

#[test]
fn no_operation_is_missing() {
    let raced = |table: &[Operation]| -> Vec<&str> {
        table.iter().flat_map(|operation| operation.methods).copied().collect()
    };
    let of_limit = [
        include_str!("../../../src/limiter/mod.rs"),
        include_str!("../../../src/limiter/acquire.rs"),
        include_str!("../../../src/limiter/limit.rs"),
        include_str!("../../../src/fleet.rs"),
    ];
    let of_keys = [include_str!("../../../src/keyed.rs")];
    for (sources, raced) in [(&of_limit[..], raced(&LIMITER)), (&of_keys[..], raced(&KEYED))] {
        let methods = sources.iter().flat_map(|source| source.split("\n    pub ").skip(1));
        let names = methods.filter_map(|rest| rest.split_once("fn "));
        let names = names.filter(|(before, _)| ["", "async ", "const "].contains(before));
        let names = names.map(|(_, rest)| rest.split(['(', '<']).next().unwrap_or(rest));
        let mut count = 0;
        for name in names {
            assert!(raced.contains(&name) || NOT_RACED.contains(&name), "{name} is in no pair");
            count += 1;
        }
        assert!(count > 4, "{count} were found");
    }
}
