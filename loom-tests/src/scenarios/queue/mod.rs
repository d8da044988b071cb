//! Every public operation of a queue next to every other, on a line that has waiters already.
//!
//! Half of the line have places in the state of the limiter when the race begins, the other half
//! are queued. After the race the time goes on, and only woken waiters are polled.

mod judge;
mod line;
mod operations;
mod world;

pub use line::{Alone, Left, Line, Patience, Wish};
pub use operations::{NO_OPERATIONS, OPERATIONS, Operation, TIMES, acts, pairs};
pub use world::{Outcome, Sleep, Time, Wait};

use crate::explore::atomic::{AtomicUsize, Ordering};
use crate::explore::thread;
use casgate::wait::AcquireError;
use casgate::{Quota, Timestamp};
use std::mem;
use std::sync::{Arc, Weak};
use std::time::Duration;
use world::{Call, End, Waiter, settle};

/// What a caller does, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Comes to wait.
    Arrive,
    /// Comes to wait for two permits.
    ArriveForTwo,
    /// Comes to wait, and can be served in time only if somebody leaves or the quota is raised.
    ArriveInAHurry,
    /// Comes to block, with a deadline that is over.
    BlockTooLate,
    /// Polls one of the front half.
    PollFront,
    /// Polls one of the back half.
    PollBack,
    /// Drops one of the front half.
    DropFront,
    /// Drops one of the back half.
    DropBack,
    /// Closes the queue.
    Close,
    /// Doubles the quota.
    Raise,
    /// Cuts the quota to a third.
    Cut,
    /// Pauses until [`PAUSED`].
    Pause,
    /// Counts the waiters.
    Count,
    /// Asks from outside the queue.
    Check,
    /// Looks at the limiter.
    Peek,
}

/// Until when [`Act::Pause`] pauses: when some have permits without it.
pub const PAUSED: Timestamp = micros(5_250);

/// What a caller does, and when.
#[derive(Clone, Copy, Debug)]
pub struct Play {
    /// What.
    pub act: Act,
    /// When, by its clock.
    pub now: Timestamp,
}

/// What is raced over.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// The burst, which is spent at 0. A permit comes each millisecond.
    pub burst: u32,
    /// How many more than the line may wait.
    pub room: usize,
    /// Whether wakers ask the queue when they are woken and when they are dropped.
    pub wakers_ask: bool,
}

impl Scene {
    /// With a burst of one, room for all, and wakers that only wake.
    pub const PLAIN: Self = Self { burst: 1, room: usize::MAX / 2, wakers_ask: false };

    /// `burst` permits in so many tenths of as many milliseconds.
    fn quota(self, tenths: u32) -> Quota {
        let period = Duration::from_micros(100) * self.burst * tenths;
        Quota::new(self.burst, period).expect("slow enough")
    }
}

pub(super) const fn micros(micros: u64) -> Timestamp {
    Timestamp::from_nanos(micros * 1_000)
}

/// How long after the last permit of a scene what is left is looked at.
const STEPS: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_millis(2),
];

/// What a caller learns of the queue, other than how its wait ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Learned {
    Nothing,
    Admitted(Option<Timestamp>),
    Number(usize),
}

/// One caller of the race: two of the line are its own, and one may come.
struct Caller {
    front: Waiter,
    back: Waiter,
    new: Option<Waiter>,
    learned: Learned,
}

/// A queue, with the waiters before the race.
struct World<L> {
    scene: Scene,
    line: Arc<L>,
    time: Time,
    callers: Vec<Caller>,
}

/// What a race has led to.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    ends: Vec<End>,
    learned: Vec<Learned>,
    left: Vec<Left>,
}

impl<L: Line> World<L> {
    fn new(scene: Scene, callers: usize) -> Self {
        let time = Time::default();
        let most = 2 * callers + scene.room;
        let line = Arc::new(L::new(scene.quota(10), most, time.clone()));
        for _ in 0..scene.burst {
            assert_eq!(line.check(), Some(Timestamp::ZERO), "the burst is free");
        }
        let mut world = Self { scene, line, time, callers: Vec::new() };
        let wish = Wish { permits: 1, patience: Patience::Endless };
        let mut front: Vec<_> = (0..2 * callers).map(|_| world.arrive(wish)).collect();
        let back = front.split_off(callers);
        let pairs = front.into_iter().zip(back);
        world.callers = pairs
            .map(|(front, back)| Caller { front, back, new: None, learned: Learned::Nothing })
            .collect();
        world
    }

    fn arrive(&self, wish: Wish) -> Waiter {
        let mut waiter = arrive(&self.line, self.scene, wish, Timestamp::ZERO);
        waiter.poll();
        assert_eq!(waiter.end, End::Waits, "the burst is spent");
        waiter
    }

    /// The deadline of one in a hurry: just before the first place behind the line.
    fn deadline(callers: usize) -> Timestamp {
        micros(2_000 * callers as u64 + 500)
    }

    /// Settles, and returns what was seen and the waiters, in the order of their arrival; who came during the race
    /// comes last.
    fn settle(mut self, plays: &[Play]) -> (Seen, Vec<Waiter>) {
        let end = plays.iter().map(|play| play.now).max().expect("somebody plays");
        let learned = self.callers.iter().map(|caller| caller.learned).collect();
        let callers = mem::take(&mut self.callers);
        let (mut waiters, mut backs, mut news) = (Vec::new(), Vec::new(), Vec::new());
        for caller in callers {
            waiters.push(caller.front);
            backs.push(caller.back);
            news.extend(caller.new);
        }
        waiters.extend(backs.into_iter().chain(news));
        settle(&self.time, &mut waiters, end);
        assert_eq!(self.line.waiting(), 0, "all have gone");
        let last = waiters.iter().filter_map(Waiter::served).map(|served| served.0).max();
        let last = last.unwrap_or(end).max(end);
        let left = STEPS.map(|step| self.line.left(last + step)).to_vec();
        let ends = waiters.iter().map(|waiter| waiter.end).collect();
        (Seen { ends, learned, left }, waiters)
    }
}

fn arrive<L: Line>(line: &Arc<L>, scene: Scene, wish: Wish, now: Timestamp) -> Waiter {
    let deadline = match wish.patience {
        Patience::Endless => Timestamp::MAX,
        Patience::Within(patience) => now + patience,
        Patience::By(deadline) => deadline,
    };
    let weak: Weak<L> = Arc::downgrade(line);
    let call: Call = Arc::new(move || {
        let _ = weak.upgrade().map(|line| line.waiting());
    });
    let call = scene.wakers_ask.then_some(call);
    let mut waiter = Waiter::new(line.acquire(wish), wish.permits, deadline, call);
    waiter.arrived = now;
    waiter
}

impl Caller {
    fn play<L: Line>(
        &mut self,
        line: &Arc<L>,
        time: &Time,
        (scene, callers): (Scene, usize),
        Play { act, now }: Play,
    ) {
        time.is_for_this_thread(now);
        let deadline = World::<L>::deadline(callers);
        let patience = match act {
            Act::ArriveInAHurry => Patience::Within(deadline - now),
            Act::BlockTooLate => Patience::By(micros(250)),
            _ => Patience::Endless,
        };
        let wish = Wish { permits: if act == Act::ArriveForTwo { 2 } else { 1 }, patience };
        match act {
            Act::Arrive | Act::ArriveForTwo | Act::ArriveInAHurry => {
                self.new.insert(arrive(line, scene, wish, now)).poll();
            }
            Act::BlockTooLate => {
                // The wait is not polled: another blocks in its stead.
                self.new.insert(arrive(line, scene, wish, now)).ends(line.block(wish));
            }
            Act::PollFront => self.front.poll(),
            Act::PollBack => self.back.poll(),
            Act::DropFront => self.front.drop_it(),
            Act::DropBack => self.back.drop_it(),
            Act::Close => line.close(),
            Act::Raise => line.set_quota(scene.quota(5)),
            Act::Cut => line.set_quota(scene.quota(30)),
            Act::Pause => line.pause_until(PAUSED),
            Act::Count => self.learned = Learned::Number(line.waiting()),
            Act::Check => self.learned = Learned::Admitted(line.check()),
            Act::Peek => self.learned = Learned::Number(line.left(now).0 as usize),
        }
    }
}

/// What the plays lead to if they come one after another, in the order of `turns`.
fn in_order<L: Line>(scene: Scene, plays: &[Play], turns: &[usize]) -> Seen {
    let mut world = World::<L>::new(scene, plays.len());
    for &i in turns {
        let World { line, time, callers, .. } = &mut world;
        callers[i].play(line, time, (scene, plays.len()), plays[i]);
    }
    world.settle(plays).0
}

/// All at once.
///
/// # Panics
///
/// If what must hold after every race does not, or if no order of the plays explains what has become of the waiters.
pub fn race<L: Line>(scene: Scene, plays: &[Play]) {
    let mut world = World::<L>::new(scene, plays.len());
    let begun = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = mem::take(&mut world.callers)
        .into_iter()
        .zip(plays.to_vec())
        .map(|(mut caller, play)| {
            let (line, time) = (Arc::clone(&world.line), world.time.clone());
            let (begun, callers) = (Arc::clone(&begun), plays.len());
            thread::spawn(move || {
                // The model checker tries both orders of two changes; of a change and a load it may try one.
                begun.fetch_add(1, Ordering::AcqRel);
                caller.play(&line, &time, (scene, callers), play);
                caller
            })
        })
        .collect();
    world.callers = threads.into_iter().map(|t| t.join().expect("no caller panics")).collect();
    let line = Arc::clone(&world.line);
    let (seen, waiters) = world.settle(plays);
    judge::judge::<L>(scene, plays, &seen, &waiters);
    if plays.iter().any(|play| play.act == Act::Close) {
        let mut late =
            arrive(&line, scene, Wish { permits: 1, patience: Patience::Endless }, micros(0));
        late.poll();
        assert_eq!(late.end, End::Ended(Err(AcquireError::Closed)), "it stays closed");
    }
    // Requests from outside can come between two steps of an operation.
    let is_from_outside = |play: &Play| matches!(play.act, Act::Check | Act::Peek);
    if !plays.iter().any(is_from_outside) && !judge::is_overtaken(plays, &waiters) {
        let explains = |turns: &Vec<usize>| in_order::<L>(scene, plays, turns) == seen;
        let explained = orders(plays.len()).iter().any(explains);
        assert!(explained, "no order explains what became of {plays:?}: {seen:?}");
    }
}

/// All orders of the first `n` numbers.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    let fewer = orders(n - 1);
    let with = |i: usize| {
        fewer.iter().map(move |order| {
            let mut order = order.clone();
            order.insert(i, n - 1);
            order
        })
    };
    (0..n).flat_map(with).collect()
}
