//! Operations of a queue next to each other, in random schedules of three and four callers. Each execution draws what
//! they do, and when.

use casgate::algorithm::{Adjustable, Both};
use casgate::wait::Queue;
use casgate::{FixedWindow, SlidingWindow, Timestamp, TokenBucket};
use loom_tests::explore::{explore, refute};
use loom_tests::scenarios::queue::*;
use loom_tests::seeded::*;
use shuttle::rand::{Rng, thread_rng};

type Of<A> = Queue<A, Time, Time>;

const ASKING: Scene = Scene { wakers_ask: true, ..Scene::PLAIN };

fn drawn<L: Line>(scene: Scene, callers: usize) {
    let all: Vec<_> = acts::<L>().collect();
    let draw = |_| {
        let act = all[thread_rng().gen_range(0..all.len())];
        let now = TIMES[thread_rng().gen_range(0..TIMES.len())][0];
        Play { act, now }
    };
    race::<L>(scene, &(0..callers).map(draw).collect::<Vec<_>>());
}

fn crowds<L: Line>(queue: &str) {
    for callers in [3, 4] {
        explore(&format!("{queue}, {callers} callers"), move || {
            let burst = thread_rng().gen_range(1..3);
            let room = if thread_rng().gen_ratio(1, 4) { 1 } else { Scene::PLAIN.room };
            drawn::<L>(Scene { burst, room, wakers_ask: thread_rng().gen_ratio(1, 2) }, callers);
        });
    }
}

#[test]
fn queues() {
    crowds::<Of<TokenBucket>>("token bucket");
    crowds::<Of<FixedWindow>>("fixed window");
    crowds::<Of<Both<TokenBucket, FixedWindow>>>("both");
    crowds::<Of<Adjustable<TokenBucket>>>("adjustable token bucket");
    crowds::<Of<Adjustable<FixedWindow>>>("adjustable fixed window");
    crowds::<Of<SlidingWindow>>("sliding window");
}

macro_rules! refuted {
    ($($bug:ident, $verdict:literal, [$($act:ident)*], $micros:literal;)*) => {
        $(refute(concat!("seeded: ", stringify!($bug)), $verdict, || {
            let now = Timestamp::from_nanos($micros * 1_000);
            let plays = [$(Play { act: Act::$act, now }),*];
            race::<WrongQueue<{ QueueBug::$bug as u8 }>>(ASKING, &plays);
        });)*
    };
}

#[test]
fn wrong_queues_are_refuted() {
    refuted! {
        LostWakeUp, "woken late", [DropFront PollFront PollBack], 500;
        BlockedHead, "waits forever", [DropFront PollFront PollBack], 500;
        LostPermit, "a permit is lost", [DropFront PollBack Arrive], 1_000;
        BurntPlace, "a permit is lost", [DropFront PollBack Arrive], 500;
        WokenUnderLock, "deadlock", [DropFront PollFront Arrive], 500;
        DroppedUnderLock, "deadlock", [PollFront PollFront Arrive], 500;
        OldWaker, "woken late", [DropFront PollFront Arrive], 500;
        Barging, "out of order", [Arrive PollBack PollBack], 3_000;
        SilentClose, "woken late", [Close PollBack Arrive], 500;
    }
    explore("small queue", || drawn::<WrongQueue<{ QueueBug::None as u8 }>>(ASKING, 3));
}
