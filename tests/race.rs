//! A race reports whoever fails, and never hangs.

use casgate::testing::{Failure, race, race_within};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::Duration;

/// Long enough for callers that are not stuck, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(20);
/// For races in which somebody is.
const SHORT: Duration = Duration::from_millis(500);

fn panicked(message: &str) -> Failure {
    Failure::Panicked(message.to_owned())
}

#[test]
fn values_come_in_the_order_of_the_callers() {
    assert_eq!(race(8, |caller| caller * caller), [0, 1, 4, 9, 16, 25, 36, 49]);
    assert_eq!(race(0, |caller| caller), []);
}

#[test]
fn nobody_begins_before_all_have_arrived() {
    // A barrier for all of them: passed only if they run at the same time.
    let barrier = Arc::new(Barrier::new(5));
    let leaders = race(5, move |_| barrier.wait().is_leader());
    assert_eq!(leaders.iter().filter(|&&leader| leader).count(), 1);
}

#[test]
fn a_panic_before_the_others_wait_is_reported() {
    let (go, waiting) = mpsc::channel::<()>();
    let (go, waiting) = (Mutex::new(Some(go)), Mutex::new(waiting));
    let outcomes = race_within(PATIENCE, 3, move |caller| {
        if caller == 1 {
            // Unwinding drops the sender, and only then do the others wait on it to no avail.
            let _go = go.lock().unwrap().take();
            panic!("first");
        }
        waiting.lock().unwrap().recv().unwrap_err();
        caller
    });
    assert_eq!(outcomes, [Ok(0), Err(panicked("first")), Ok(2)]);
}

#[test]
fn a_panic_while_the_others_wait_for_it_names_the_culprit_and_the_stuck() {
    // The hang that this module exists for: the others wait for somebody who has failed.
    let barrier = Arc::new(Barrier::new(3));
    let freed = Arc::clone(&barrier);
    let outcomes = race_within(SHORT, 3, move |caller| {
        assert_ne!(caller, 2, "the expectation of caller {caller}");
        barrier.wait();
    });
    assert_eq!(outcomes[..2], [Err(Failure::Stuck), Err(Failure::Stuck)]);
    let Err(Failure::Panicked(message)) = &outcomes[2] else { panic!("{outcomes:?}") };
    assert!(message.contains("the expectation of caller 2"), "{message}");
    freed.wait(); // the test thread went on, and lets them go
}

#[test]
fn a_panic_after_the_others_have_returned_is_reported() {
    let done = AtomicUsize::new(0);
    let outcomes = race_within(PATIENCE, 3, move |caller| {
        if caller == 0 {
            while done.load(Ordering::Acquire) < 2 {
                std::thread::yield_now();
            }
            panic!("last");
        }
        done.fetch_add(1, Ordering::Release);
        caller
    });
    assert_eq!(outcomes, [Err(panicked("last")), Ok(1), Ok(2)]);
}

#[test]
fn a_caller_that_blocks_for_ever_is_named() {
    let (keep, never) = mpsc::channel::<()>();
    let never = Mutex::new(never);
    let outcomes = race_within(SHORT, 4, move |caller| {
        if caller == 3 {
            never.lock().unwrap().recv().unwrap_err();
        }
        caller
    });
    assert_eq!(outcomes, [Ok(0), Ok(1), Ok(2), Err(Failure::Stuck)]);
    drop(keep);
}

#[test]
fn a_race_with_failures_panics_with_their_indices_and_messages() {
    let panic = catch_unwind(|| {
        race(4, |caller| match caller {
            1 => panic!("a plain message"),
            3 => std::panic::panic_any(7),
            _ => (),
        })
    })
    .unwrap_err();
    assert_eq!(
        panic.downcast_ref::<String>().unwrap(),
        "2 of 4 callers failed:\
         \n  caller 1 panicked: a plain message\
         \n  caller 3 panicked: a payload that is not text"
    );
}

#[test]
fn a_deadline_beyond_the_clock_is_no_deadline() {
    assert_eq!(race_within(Duration::MAX, 2, |caller| caller), [Ok(0), Ok(1)]);
}
