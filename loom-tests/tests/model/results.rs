//! Which results of a small program the model checker finds.

use loom_tests::explore::atomic::{AtomicU64, Ordering::Relaxed};
use loom_tests::explore::{explore, thread};
use loom_tests::turn::Turn;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// Adds one, and returns all that it saw.
fn add_one(word: &AtomicU64) -> Vec<u64> {
    let mut seen = vec![word.load(Relaxed)];
    let mut last = seen[0];
    while let Err(newer) = word.compare_exchange(last, last + 1, Relaxed, Relaxed) {
        seen.push(newer);
        last = newer;
    }
    seen
}

/// How many results are found of three callers that add one each. The n-th to succeed may have seen any
/// of the numbers before its own, and they come in any order: 3! · 1 · 2 · 4.
fn results(name: &str, has_turns: bool) -> usize {
    let results = Arc::new(Mutex::new(BTreeSet::new()));
    let found = Arc::clone(&results);
    explore(name, move || {
        let (word, turn) = (Arc::new(AtomicU64::new(0)), Turn::default());
        let callers = [(); 3].map(|()| {
            let (word, turn) = (Arc::clone(&word), turn.clone());
            thread::spawn(move || {
                if has_turns {
                    turn.take();
                }
                add_one(&word)
            })
        });
        let result = callers.map(|caller| caller.join().expect("no caller panics"));
        found.lock().expect("no execution panics").insert(result);
    });
    let results = results.lock().expect("no execution panics");
    results.len()
}

#[test]
fn all_are_found_with_turns() {
    assert_eq!(results("results, with turns", true), 48);
}

#[test]
fn not_all_are_found_without_turns() {
    assert!(results("results, without turns", false) < 48, "turns are not needed any more");
}
