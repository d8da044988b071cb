use super::stock::{Spent, Stock};
use super::{Buckets, Lease, Parent};
use crate::algorithm::{Machine, Rule, Sharded, TokenBucket};
use crate::cell::Attempt;
use crate::{Quota, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

fn rule() -> TokenBucket {
    TokenBucket::new(Quota::per_second(1_000))
}

/// Spends all permits of a cell, at `now` and then every `step` nanoseconds: when the last one was spent.
fn spend_all(cell: &Stock, now: u64, step: u64) -> u64 {
    for later in (now..).step_by(step as usize) {
        match cell.spend(Timestamp::from_nanos(later), &rule()) {
            Spent::Won(0) => return later,
            Spent::Won(_) => {}
            other => panic!("{other:?} at {later}"),
        }
    }
    unreachable!("a cell has an end")
}

/// If no timestamp serves two permits.
#[test]
fn no_lease_waits_for_a_timestamp_that_was_noted_in_advance() {
    for step in [1, 2, 3, 5, 25, 63, 100, 254, 255, 256, 1_000, 1_000_000] {
        let cell = Stock::new(255);
        let mut now = 1_000_000;
        for stamp in 1..20 {
            let last = spend_all(&cell, now, step);
            assert!(!cell.prepare(Timestamp::from_nanos(last - 1)), "older than the last");
            assert!(cell.prepare(Timestamp::from_nanos(last)), "every {step} ns");
            cell.complete(stamp, 255);
            now = last + step;
        }
    }
}

proptest! {
    /// What the proof of the bound rests on.
    #[test]
    fn a_lease_is_never_older_than_a_spend(times in vec(1_000_000..1_000_300_u64, 255)) {
        let cell = Stock::new(255);
        for &now in &times {
            let spent = cell.spend(Timestamp::from_nanos(now), &rule());
            prop_assert!(matches!(spent, Spent::Won(_)));
        }
        let newest = times.into_iter().max().expect("a permit");
        prop_assert!(!cell.prepare(Timestamp::from_nanos(newest - 1)));
        prop_assert!(cell.prepare(Timestamp::from_nanos(newest + 255)));
    }
}

/// Of a clock that shows the same timestamp for as long as many permits take.
#[test]
fn no_lease_waits_at_a_coarse_timestamp() {
    let cell = Stock::new(255);
    for (stamp, now) in (1..20).map(|stamp| (stamp, stamp / 3 * 4_000_000)) {
        let now = Timestamp::from_nanos(now);
        while matches!(cell.spend(now, &rule()), Spent::Won(_)) {}
        assert!(cell.prepare(now));
        cell.complete(stamp, 255);
    }
}

/// Leases into a cell of `most` permits that had to wait, if a permit takes so many tenths of a nanosecond,
/// and the caller looks at a clock with such ticks for as many permits at a time.
fn waits(most: u32, tenths: u64, tick: u64, batch: u64) -> u32 {
    let (cell, mut real, mut waits) = (Stock::new(most), 10_000_000, 0);
    let mut now = Timestamp::ZERO;
    for i in 0..20_000 {
        real += tenths;
        if i % batch == 0 {
            now = Timestamp::from_nanos(real / tick * tick / 10);
        }
        if let Spent::Empty(stamp) = cell.spend(now, &rule()) {
            if cell.prepare(now) { cell.complete(stamp, most) } else { waits += 1 }
        }
    }
    waits
}

/// As long as spending a permit takes five nanoseconds.
#[test]
fn no_lease_waits_for_a_tick_of_the_clock() {
    for most in [1, 8, 16, 255] {
        for tick in [10, 50, 90, 150, 417, 700, 1_000, 1_100, 2_000, 2_550, 2_560, 10_000] {
            for batch in [1, 3, 8, 20, 40, 50, 60, 100, 128, 255, 1_000] {
                let waits = waits(most, 50, tick, batch);
                assert_eq!(waits, 0, "{most} permits, ticks of {tick} / 10 ns, {batch} at a time");
            }
        }
    }
    assert!(waits(255, 20, 1_000, 1) > 0, "a permit in two nanoseconds, at ticks of a hundred");
}

/// "One note serves all calls at a timestamp, and several that are some nanoseconds apart. Calls that are
/// 255 ns apart and more make one each."
#[test]
fn a_spend_notes_its_timestamp_seldom_if_timestamps_are_near() {
    let notes = |step: u64| {
        let (cell, mut notes) = (Stock::new(255), 0);
        for i in 0..255 {
            let before = cell.until.load();
            let now = Timestamp::from_nanos(1_000_000 + i * step);
            assert!(matches!(cell.spend(now, &rule()), Spent::Won(_)));
            notes += u32::from(cell.until.load() != before);
        }
        notes
    };
    let counted = [0, 1, 5, 50, 255, 1_000].map(notes);
    assert_eq!(counted, [1, 2, 22, 115, 255, 255]);
}

/// Otherwise a timestamp that is not served would keep leases away from the cell.
#[test]
fn a_timestamp_out_of_range_leaves_no_trace() {
    let cell = Stock::new(255);
    assert!(matches!(cell.spend(Timestamp::MAX, &rule()), Spent::Late));
    spend_all(&cell, 0, 1);
    assert!(cell.prepare(Timestamp::from_nanos(254)));
}

/// Nothing is noted past the range, so no spend beyond it passes for one that was noted.
#[test]
fn near_the_end_of_the_range_a_spend_past_it_is_late() {
    let (cell, end) = (Stock::new(255), rule().horizon());
    for _ in 0..2 {
        assert!(matches!(cell.spend(Timestamp::from_nanos(end - 1), &rule()), Spent::Won(_)));
        assert!(matches!(cell.spend(Timestamp::from_nanos(end), &rule()), Spent::Won(_)));
        assert!(matches!(cell.spend(Timestamp::from_nanos(end + 1), &rule()), Spent::Late));
    }
}

/// One that refills by one permit a second.
fn full(burst: u32, cells: usize) -> (Sharded<TokenBucket>, Buckets) {
    let state = Buckets::with_cells(burst, cells);
    let quota = Quota::per_second(1).with_burst(state.burst_of_parent());
    (Sharded::new(TokenBucket::new(quota)), state)
}

/// A thread that has exchanged the parent, with a lease for a cell, and stops there.
fn stop_after_a_lease(sharded: &Sharded<TokenBucket>, state: &Buckets, at: usize, now: Timestamp) {
    let seen = Parent::from_bits(state.top.parent.load());
    let taken = Rule::decide(sharded.rule(), seen.word, 1 + state.lease, now);
    let lease = Lease::new(at, state.cells[at].load().stamp());
    assert!(state.cells[at].prepare(now));
    let next = Parent { word: taken.expect("so many are there"), lease };
    let _ = state.top.parent.update(|_| Some(next.bits()));
}

/// "The state shows a later timestamp than the caller's", if others have been admitted at one since.
#[test]
fn who_is_served_from_the_lease_of_a_stopped_thread_makes_others_late() {
    let (sharded, state) = full(16, 2);
    let (first, later) = (Timestamp::ZERO, Timestamp::from_secs(100));
    while sharded.decide(&state, 1, first, true).is_ok() {}
    crate::sync::move_home(0);
    stop_after_a_lease(&sharded, &state, 0, later);
    assert!(sharded.decide(&state, 1, later, true).is_ok());
    crate::sync::move_home(1);
    let denied = sharded.decide(&state, 1, first, true).expect_err("no cell has one for it");
    assert!(sharded.is_late(&state, denied, first));
}

/// A thread asks its own cell, the one that served it last, or the next one if it came too late there.
#[test]
fn a_thread_goes_where_it_is_served() {
    let (sharded, state) = full(64, 4);
    let (first, later) = (Timestamp::ZERO, Timestamp::from_secs(1_000));
    let homes = || crate::sync::home() & 3;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The last one until it has a cell.
            assert_eq!(homes(), 3);
            assert!((0..3).all(|_| sharded.decide(&state, 1, first, true).is_ok()));
            assert_ne!(crate::sync::home(), crate::sync::NO_HOME);
        });
    });
    for cell in &state.cells {
        while matches!(cell.spend(first, sharded.rule()), Spent::Won(_)) {}
    }
    // With a lease.
    crate::sync::move_home(2);
    assert!(sharded.decide(&state, 1, later, true).is_ok());
    assert_eq!(homes(), 2);
    // Too late there, and the parent has nothing.
    let denied = sharded.decide(&state, 1, first, true).expect_err("nothing for it");
    assert!(sharded.is_late(&state, denied, first));
    assert_eq!(homes(), 3);
    // The parent has no more, and cell 2 has two.
    assert_eq!(state.cells[2].load().permits(), 2);
    crate::sync::move_home(0);
    let word = crate::word::Word::from_bits(u64::MAX);
    let lease = Parent::from_bits(state.top.parent.load()).lease;
    let _ = state.top.parent.update(|_| Some(Parent { word, lease }.bits()));
    assert!(sharded.decide(&state, 1, later, true).is_ok());
    assert_eq!(homes(), 2, "where there was a permit");
}

/// So that the next denials read two words.
#[test]
fn a_denial_notes_that_nothing_is_left() {
    let (sharded, state) = full(64, 4);
    while sharded.decide(&state, 1, Timestamp::ZERO, true).is_ok() {}
    let alone = sharded.attempt_alone(&state, Timestamp::ZERO);
    assert!(matches!(alone, Attempt::Declined(_)), "{alone:?}");
}

/// Who was about to take a lease, and lost its exchange, leaves its timestamp.
#[test]
fn no_lease_is_older_than_one_that_was_about_to_be_taken() {
    let cell = Stock::new(1);
    let [early, late] = [50, 100].map(Timestamp::from_nanos);
    assert!(matches!(cell.spend(early, &rule()), Spent::Won(0)));
    assert!(cell.prepare(late));
    assert!(!cell.prepare(early), "nobody could spend it before {late}");
    assert!(cell.prepare(late));
}

/// "Nobody can spend the permits of a lease at that timestamp before then. The same holds for a lease that another
/// thread takes to that cell meanwhile."
#[test]
fn a_lease_next_to_one_that_was_about_to_be_taken_has_the_later_timestamp() {
    let (sharded, state) = full(16, 1);
    let [now, far] = [100, 1_000_000].map(Timestamp::from_secs);
    while sharded.decide(&state, 1, Timestamp::ZERO, true).is_ok() {}
    stop_after_a_lease(&sharded, &state, 0, now);
    // As a thread that found the cell empty before, and was stopped.
    assert!(state.cells[0].prepare(far));
    let served = (0..).take_while(|_| sharded.decide(&state, 1, now, true).is_ok()).count() as u32;
    assert_eq!((served, state.lease), (state.burst_of_parent() - 1 - state.lease, 2));
    let denied = sharded.decide(&state, 1, now, true).expect_err("the cell has none for it");
    assert!(sharded.is_late(&state, denied, now));
    assert_eq!(state.cells[0].load().permits(), 2);
    assert!(sharded.decide(&state, 1, far, true).is_ok());
    assert_eq!(state.cells[0].load().permits(), 1);
}

/// The bits of a cell's number have room for the last of the most cells, and no lease has the name of the first.
#[test]
fn no_lease_is_named_like_another() {
    for cells in [1, 2, 256] {
        let state = Buckets::with_cells(16 * cells, cells as usize);
        let mut names = vec![Lease(state.top.done.load(crate::sync::Ordering::Relaxed))];
        assert_eq!(names, [Parent::from_bits(state.top.parent.load()).lease]);
        for (at, cell) in state.cells.iter().enumerate() {
            for stamp in cell.load().stamp()..4 {
                let lease = Lease::new(at, stamp);
                assert_eq!((lease.at(), lease.stamp()), (at, stamp));
                while matches!(cell.spend(Timestamp::ZERO, &rule()), Spent::Won(_)) {}
                cell.complete(stamp, 1);
                assert_eq!(cell.load().stamp(), stamp + 1);
                names.push(lease);
            }
        }
        let all = names.len();
        names.sort_unstable_by_key(|lease| lease.0);
        names.dedup();
        assert_eq!(names.len(), all);
    }
}

/// "It may overwrite a later one, and then others look at the cell."
#[test]
fn a_note_of_an_older_lease_hides_no_permits() {
    let (sharded, state) = full(64, 4);
    while sharded.decide(&state, 1, Timestamp::ZERO, true).is_ok() {}
    let note = |lease: Lease| state.top.done.store(lease.0, crate::sync::Ordering::Relaxed);
    let first = Lease(state.top.done.load(crate::sync::Ordering::Relaxed));
    let mut now = 0;
    for round in 0..20 {
        let (at, is_peeked) = (round % 4, round % 8 < 4);
        // The lease, one for who takes it, and one more for the parent or none.
        let more = u64::from(is_peeked);
        now += u64::from(state.lease) + 1 + more;
        let now = Timestamp::from_secs(now);
        crate::sync::move_home(at + 1);
        let before = Parent::from_bits(state.top.parent.load()).lease;
        stop_after_a_lease(&sharded, &state, at, now);
        note(if round % 2 == 0 { first } else { before });
        let left = u64::from(state.lease) + more;
        if is_peeked {
            assert_eq!(u64::from(sharded.peek(&state, now).remaining), left);
            note(before);
        }
        let served = (0..).take_while(|_| sharded.decide(&state, 1, now, true).is_ok()).count();
        assert_eq!(served as u64, left);
        assert!(state.cells.iter().all(|cell| cell.load().permits() == 0));
    }
}
