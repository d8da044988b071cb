//! Every operation of a queue next to every other, in every interleaving, and the refutation of the wrong queues.

use casgate::algorithm::{Adjustable, Both};
use casgate::wait::Queue;
use casgate::{FixedWindow, SlidingWindow, TokenBucket};
use loom_tests::explore::{explore, explore_bounded, refute};
use loom_tests::scenarios::queue::*;
use loom_tests::seeded::*;

type Of<A> = Queue<A, Time, Time>;

const TWO: Scene = Scene { burst: 2, ..Scene::PLAIN };
const ASKING: Scene = Scene { wakers_ask: true, ..Scene::PLAIN };

fn all<L: Line>(queue: &str, scene: Scene) {
    bounded::<L>(queue, scene, None);
}

fn bounded<L: Line>(queue: &str, scene: Scene, preemptions: Option<usize>) {
    pairs::<L>(|name, plays| {
        let name = format!("{queue}: {name}");
        explore_bounded(&name, preemptions, move || race::<L>(scene, &plays));
    });
}

#[test]
fn token_bucket() {
    all::<Of<TokenBucket>>("token bucket", Scene::PLAIN);
    all::<Of<TokenBucket>>("token bucket of 2", TWO);
}

#[test]
fn room_for_one() {
    all::<Of<TokenBucket>>("room for one", Scene { room: 1, ..Scene::PLAIN });
}

#[test]
fn wakers_that_ask() {
    all::<Of<TokenBucket>>("wakers that ask", ASKING);
}

#[test]
fn fixed_window() {
    all::<Of<FixedWindow>>("fixed window", Scene::PLAIN);
    all::<Of<FixedWindow>>("fixed window of 2", TWO);
}

#[test]
fn both() {
    all::<Of<Both<TokenBucket, FixedWindow>>>("both", Scene::PLAIN);
}

/// A check reads a quota in seven words, each of which may be an older one: with at most two preemptions.
#[test]
fn adjustable() {
    bounded::<Of<Adjustable<TokenBucket>>>("adjustable token bucket", Scene::PLAIN, Some(2));
    bounded::<Of<Adjustable<FixedWindow>>>("adjustable fixed window", Scene::PLAIN, Some(2));
}

/// Its state is several words: with at most two preemptions.
#[test]
fn sliding_window() {
    bounded::<Of<SlidingWindow>>("sliding window", Scene::PLAIN, Some(2));
}

/// The plays that refute each bug, at this time. A queue without one passes them.
macro_rules! judged {
    ($($test:ident: $bug:ident, $verdict:literal, $scene:expr, $first:ident, $second:ident, $micros:literal;)*) => {$(
        #[test]
        fn $test() {
            const RIGHT: u8 = QueueBug::None as u8;
            const WRONG: u8 = QueueBug::$bug as u8;
            let now = casgate::Timestamp::from_nanos($micros * 1_000);
            let plays = [Play { act: Act::$first, now }, Play { act: Act::$second, now }];
            refute(concat!("seeded: ", stringify!($bug)), $verdict, move || {
                race::<WrongQueue<WRONG>>($scene, &plays);
            });
            explore(concat!("without ", stringify!($bug)), move || {
                race::<WrongQueue<RIGHT>>($scene, &plays);
            });
        }
    )*};
}

const PLAIN: Scene = Scene::PLAIN;

judged! {
    a_lost_wake_up: LostWakeUp, "woken late", PLAIN, DropFront, PollFront, 500;
    a_cancelled_head_that_blocks: BlockedHead, "waits forever", PLAIN, DropFront, PollFront, 500;
    a_granted_permit_that_is_lost: LostPermit, "a permit is lost", PLAIN, DropFront, PollBack, 1_000;
    a_burnt_place: BurntPlace, "a permit is lost", PLAIN, DropFront, PollBack, 500;
    a_waker_woken_under_the_lock: WokenUnderLock, "deadlock", ASKING, DropFront, PollBack, 500;
    a_waker_dropped_under_the_lock: DroppedUnderLock, "deadlock", ASKING, PollFront, Count, 500;
    an_old_waker: OldWaker, "woken late", PLAIN, DropFront, PollFront, 500;
    one_that_does_not_queue: Barging, "out of order", PLAIN, Arrive, PollBack, 3_000;
    a_close_that_wakes_nobody: SilentClose, "woken late", PLAIN, Close, PollBack, 500;
}

#[test]
fn a_pause_that_stops_nobody() {
    let now = casgate::Timestamp::from_nanos(500_000);
    let plays = [Play { act: Act::Pause, now }, Play { act: Act::PollBack, now }];
    refute("seeded: a pause that stops nobody", "in the pause", move || {
        race::<WrongQueue<{ QueueBug::None as u8 }>>(PLAIN, &plays);
    });
}

/// A queue without a bug passes all.
#[test]
fn a_small_queue_of_its_own() {
    const RIGHT: u8 = QueueBug::None as u8;
    all::<WrongQueue<RIGHT>>("small queue", ASKING);
}
