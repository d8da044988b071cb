//! The interleavings of the keyed table in which threads are preempted at most as often as said, and the
//! refutation of the wrong tables.

use loom_tests::explore::{explore, explore_bounded, refute_bounded};
use loom_tests::scenarios::*;
use loom_tests::seeded::*;

const WINDOW: Rules = Rules::new(Kind::Window, 4);
const BUCKET: Rules = Rules::new(Kind::Bucket, 4);
const CLEAR: Step = step(Action::Clear, 0, 0);

/// All pairs, with at most one preemption. Not `set_quota`: a quota is read in seven words of which each may be an older
/// one, half a million executions for a pair. Those pairs run in random schedules and on real threads.
fn pairs(keys: Keys, skip: impl Fn(&Operation) -> bool) {
    for (i, &first) in OPERATIONS.iter().enumerate() {
        for &second in &OPERATIONS[i..] {
            let name = format!("{keys:?}: {} beside {}", first.name, second.name);
            if [first, second]
                .iter()
                .any(|operation| skip(operation) || operation.changes_the_quota())
            {
                continue;
            }
            explore_bounded(&name, Some(1), move || pair(Kind::Window, keys, first, second));
        }
    }
}

#[test]
fn pairs_on_one_known_key() {
    pairs(Keys::OneKnown, |_| false);
}

#[test]
fn pairs_on_two_known_keys() {
    pairs(Keys::TwoKnown, |operation| operation.alike);
}

#[test]
fn pairs_on_one_new_key() {
    pairs(Keys::OneNew, |operation| operation.alike);
}

#[test]
fn pairs_on_a_victim_and_a_new_key() {
    pairs(Keys::VictimAndNew, |operation| operation.alike);
}

#[test]
fn pairs_on_a_new_key_and_a_victim() {
    pairs(Keys::NewAndVictim, |operation| operation.alike);
}

#[test]
fn keys_that_fit() {
    for rules in [WINDOW, BUCKET, WINDOW.denying()] {
        explore_bounded("one key, 2 callers", Some(2), move || {
            keys_race::<Table>(rules, &[], &[&[check(1, 0)], &[check(1, 0)]]);
        });
        explore_bounded("a new key beside a known one", Some(2), move || {
            keys_race::<Table>(rules, &[check(1, 0)], &[&[check(2, 0)], &[check(2, 0)]]);
        });
    }
    explore_bounded("two keys, crossing", Some(1), || {
        let scripts: [&[Step]; 2] = [&[check(1, 0), check(2, 0)], &[check(2, 0), check(1, 0)]];
        keys_race::<Table>(WINDOW, &[], &scripts);
    });
}

/// An inserter that has read the slot of key 1 and stops, while the key is reset, the new one comes in, both spend,
/// and another is reset and gives its slot away in the next window.
#[test]
#[ignore = "more than a minute"]
fn a_stopped_inserter() {
    for (name, rules) in [("window", WINDOW), ("bucket", BUCKET)] {
        let name = format!("a stopped inserter, {name}");
        explore_bounded(&name, Some(1), move || {
            let before = [check_n(1, 3, 0), check_n(2, 4, 0)];
            let other = [reset(1), check(3, 0), check_n(1, 2, 0)];
            keys_race::<Table>(rules, &before, &[&[check(3, 0)], &other]);
        });
    }
}

#[test]
#[ignore = "more than a minute"]
fn changes_of_the_quota() {
    explore_bounded("set twice, a stopped caller", Some(1), changed_twice::<Table>);
    explore_bounded("set twice, a stopped inserter", Some(1), || {
        changed_twice_around_a_new_key::<Table>();
    });
}

#[test]
fn debts_that_were_forgiven() {
    explore_bounded("forgiven", Some(2), forgiven::<Table>);
    explore_bounded("lent", Some(1), lent::<Table>);
}

#[test]
#[ignore = "more than a minute"]
fn a_clear_beside_an_inserter() {
    explore_bounded("cleared, window", Some(1), || cleared::<Table>(Kind::Window));
    explore_bounded("cleared, bucket", Some(1), || cleared::<Table>(Kind::Bucket));
    explore_bounded("cleared, three callers", Some(1), || {
        let before = [check_n(1, 3, 0), check_n(2, 4, 0)];
        keys_race::<Table>(WINDOW, &before, &[&[check(3, 0)], &[CLEAR], &[check(1, 0)]]);
    });
}

#[test]
#[ignore = "more than a minute"]
fn a_reservation_cancelled_after_an_eviction() {
    for rules in [WINDOW, BUCKET] {
        explore_bounded("cancelled after an eviction", Some(1), move || {
            let before = [check(1, 0), check_n(2, 2, 0)];
            let cancel = [step(Action::ReserveAndCancel(1, 0), 1, 0)];
            keys_race::<Table>(rules, &before, &[&cancel, &[check(3, 0), check(1, 0)]]);
        });
    }
}

#[test]
fn far_timestamps() {
    explore_bounded("far ahead", Some(1), || {
        keys_race::<Table>(BUCKET, &[check(1, 0)], &[&[check(2, 300)], &[check(1, 0)]]);
    });
    explore_bounded("a new key from far ahead", Some(1), || {
        let before = [check_n(1, 2, 0), check_n(2, 1, 0)];
        keys_race::<Table>(WINDOW, &before, &[&[check(3, 300)], &[check(2, 0)]]);
    });
}

#[test]
#[ignore = "more than a minute"]
fn three_callers() {
    explore_bounded("three new keys", Some(1), || {
        let before = [check_n(1, 1, 0), check_n(2, 1, 0)];
        keys_race::<Table>(WINDOW, &before, &[&[check(3, 0)], &[check(4, 0)], &[reset(1)]]);
    });
}

/// What was reserved before a clear is not given back twice.
#[test]
fn a_reservation_cancelled_after_a_clear() {
    explore("cancelled after a clear", || {
        // Nothing races here, but a model must have two threads.
        let turn = std::sync::Arc::new(loom_tests::explore::atomic::AtomicU64::new(0));
        let other = {
            let turn = std::sync::Arc::clone(&turn);
            loom_tests::explore::thread::spawn(move || {
                turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
            })
        };
        turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        cancelled_after_a_clear(Kind::Window);
        other.join().expect("no caller panics");
    });
}

const fn set_quota(limit: u32) -> Step {
    step(Action::SetQuota(limit), 0, 0)
}

fn one_fits<T: Keyed>() {
    keys_race::<T>(WINDOW.denying(), &[check(1, 0)], &[&[check(2, 0)], &[check(2, 0)]]);
}

/// Key 3 evicts key 1 and is reset; key 1 comes back.
fn reset_and_back<T: Keyed>() {
    let before = [check_n(1, 3, 0), check_n(2, 4, 0)];
    keys_race::<T>(WINDOW, &before, &[&[check(3, 0), reset(3)], &[check(1, 0)]]);
}

/// Who brings key 3 stops; it is brought by another, evicted by key 4, and comes back in the other slot.
fn brought_twice<T: Keyed>() {
    let before = [check_n(1, 1, 0), check_n(2, 2, 0)];
    keys_race::<T>(WINDOW, &before, &[&[check(3, 0)], &[check(4, 0), check(3, 0)]]);
}

fn cleared_window<T: Keyed>() {
    cleared::<T>(Kind::Window);
}

fn no_key_of_a_quota_that_is_over<T: Keyed>() {
    // Of an empty table, since a key that is carried over moves the record on as well.
    let table = std::sync::Arc::new(T::with_rules(WINDOW));
    spread(&table, &[&[check(3, 0)], &[set_quota(9), step(Action::Stats, 0, 0)]]);
}

/// The scenario that refutes each bug, which the table without one passes.
macro_rules! judged {
        ($($test:ident: $bug:ident, $verdict:literal, $bound:literal, $right:literal, $scenario:ident;)*) => {$(
            #[test]
            fn $test() {
                const RIGHT: u8 = KeyedBug::None as u8;
                const WRONG: u8 = KeyedBug::$bug as u8;
                let name = stringify!($bug);
                refute_bounded(&format!("seeded: {name}"), $verdict, Some($bound), || {
                    $scenario::<WrongTable<WRONG>>();
                });
                // Not where that takes more than a minute.
                if $right > 0 {
                explore_bounded(&format!("without {name}"), Some($right), || {
                    $scenario::<WrongTable<RIGHT>>();
                }); }
            }
        )*};
    }

judged! {
    a_hit_without_stamps: NoStamp, "forgiven debt", 2, 1, forgiven;
    a_quota_read_once: NoSecondVersion, "left", 1, 1, changed_twice;
    a_word_of_the_same_stamp: SameStamp, "forgiven debt", 2, 1, forgiven;
    an_owner_loaded_before_the_word: OwnerFirst, "a new key starts with", 1, 1, lent;
    a_watermark_that_is_not_raised: NoWatermark, "admitted of", 1, 1, reset_and_back;
    a_watermark_raised_early: EarlyWatermark, "forgiven debt", 1, 1, forgiven;
    late_help: LateHelp, "has two slots", 1, 1, brought_twice;
    a_record_that_is_stored: RecordStored, "has two slots", 2, 1, brought_twice;
    a_clear_without_an_epoch: NoEpoch, "left after a clear", 1, 0, cleared_window;
    a_hit_that_does_not_release: RelaxedHit, "a new key starts with", 1, 1, lent;
    a_denial_without_a_second_look: NoSecondRecord, "admitted of", 1, 1, one_fits;
    a_record_that_is_not_moved_on: NoBump, "a quota that is over", 2, 1, no_key_of_a_quota_that_is_over;
}
