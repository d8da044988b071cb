//! The keyed table on real threads, and whether its table of operations is complete.

use loom_tests::explore::explore;
use loom_tests::scenarios::*;
use std::collections::BTreeSet;

/// The names of the public methods in a file of the crate.
fn methods(source: &str) -> impl Iterator<Item = &str> {
    let names = source.lines().filter_map(|line| {
        let line = line.trim_start();
        let rest = line.strip_prefix("pub fn ").or_else(|| line.strip_prefix("pub const fn "))?;
        rest.split(['(', '<']).next()
    });
    names.map(str::trim)
}

/// The table of operations names all public methods of the sources, and no others.
pub(crate) fn assert_complete<'a>(sources: &[&str], table: impl Iterator<Item = &'a str>) {
    let public: BTreeSet<&str> = sources.iter().flat_map(|source| methods(source)).collect();
    let known: BTreeSet<&str> = table.collect();
    let missing: Vec<_> = public.difference(&known).collect();
    assert!(missing.is_empty(), "not in the table of pairs: {missing:?}");
    let gone: Vec<_> = known.difference(&public).collect();
    assert!(gone.is_empty(), "in the table of pairs, but not public: {gone:?}");
}

#[test]
fn every_public_operation_is_in_the_table_of_pairs() {
    let sources = [
        include_str!("../../../src/keyed/key.rs"),
        include_str!("../../../src/keyed/ask.rs"),
        include_str!("../../../src/keyed/many.rs"),
        include_str!("../../../src/keyed/mod.rs"),
        include_str!("../../../src/keyed/whole.rs"),
        include_str!("../../../src/keyed/charge.rs"),
        include_str!("../../../src/keyed/give_back.rs"),
        include_str!("../../../src/keyed/peek.rs"),
        include_str!("../../../src/keyed/reservation.rs"),
    ];
    let raced = OPERATIONS.iter().flat_map(|operation| operation.methods);
    assert_complete(&sources, raced.chain(NO_OPERATIONS).copied());
}

#[test]
fn pairs() {
    for kind in [Kind::Window, Kind::Bucket] {
        for (i, &first) in OPERATIONS.iter().enumerate().filter(|(_, operation)| !operation.alike) {
            for &second in OPERATIONS[i..].iter().filter(|operation| !operation.alike) {
                let name = format!("{kind:?}: {} beside {}", first.name, second.name);
                explore(&name, move || pair(kind, Keys::OneKnown, first, second));
            }
        }
    }
}

#[test]
fn keys_that_fit() {
    for kind in [Kind::Window, Kind::Bucket] {
        let rules = Rules::new(kind, 2);
        explore("one key, 4 callers", move || {
            let one: &[Step] = &[check(1, 0)];
            keys_race::<Table>(rules, &[], &[one; 4]);
        });
        explore("two keys, crossing", move || {
            let (forth, back) = ([check(1, 0), check(2, 0)], [check(2, 0), check(1, 0)]);
            keys_race::<Table>(rules, &[], &[&forth, &back, &[check(1, 0)]]);
        });
    }
}

#[test]
fn changes_and_clears() {
    explore("set twice", changed_twice::<Table>);
    explore("cleared", || cleared::<Table>(Kind::Window));
    explore("cleared, bucket", || cleared::<Table>(Kind::Bucket));
}

/// Keys of all 160 slots, and more, at timestamps that cross.
#[test]
fn keys_that_do_not_fit() {
    let asks = |by: usize| -> Vec<Step> {
        (0..100).map(|i| check(1 + i * by % 197, (i * by % 3) as u64 * 10)).collect()
    };
    let scripts = [1, 5, 7, 11].map(asks);
    for kind in [Kind::Window, Kind::Bucket] {
        let scripts = scripts.clone();
        explore("more keys than slots", move || {
            let scripts: Vec<&[Step]> = scripts.iter().map(Vec::as_slice).collect();
            keys_race::<Table>(Rules::new(kind, 3), &[], &scripts);
        });
    }
}

/// What was reserved before a clear is not given back twice.
#[test]
fn a_reservation_cancelled_after_a_clear() {
    cancelled_after_a_clear(Kind::Window);
    cancelled_after_a_clear(Kind::Bucket);
}
