//! A change that stops halfway, and what others make of it.

use super::*;
use crate::keyed::owner::Id;
use crate::keyed::pace::{Ask, Kind};
use crate::keyed::seat::Found;
use crate::{Allowance, Quota, Timestamp};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const NOW: Timestamp = Timestamp::from_secs(40_000);
// A key of the full set, and two that are not in it.
const KNOWN: u64 = 3;
const NEW: u64 = 1_000;
const OTHER: u64 = 1_001;

/// One set, full of keys in two tiers with two to four permits outstanding.
fn full(kind: Kind) -> Table {
    let mut table = Table::new(kind, Quota::per_hour(5), 1).unwrap();
    table.tiers.add(kind, [Allowance::from(Quota::per_minute(7))].into_iter()).unwrap();
    for key in 0..WAYS as u64 {
        let n = 2 + key as u32 % 3;
        assert!(table.ask(table.place(key), tier(key), Ask::Charge(n), NOW).decided.is_admitted());
    }
    table
}

fn tier(key: u64) -> u16 {
    u16::from(key % 5 == 4)
}

/// Who would get out if that key came in.
fn victim(table: &Table, key: u64) -> (usize, Owner) {
    match table.scan(table.asker(table.place(key), tier(key)).0) {
        Found::Victim { way, owner, .. } => (way, owner),
        Found::Key { .. } => panic!("key {key} has a slot"),
    }
}

/// The key that has this tag.
fn key_of(table: &Table, owner: Owner) -> u64 {
    (0..2_000).find(|&key| table.place(key).tag() == owner.tag()).expect("one of the keys")
}

fn id_of(table: &Table, key: u64, tier: u16) -> Id {
    table.asker(table.place(key), tier).0.own.id()
}

/// All that a set is, but the marks, which are hints.
fn state(table: &Table) -> (Vec<(Word, Owner)>, Watermark) {
    let slots = (0..WAYS).map(|way| table.slot(0, way).both());
    (slots.collect(), table.heads[0].watermark())
}

/// Each change of one set that there is.
fn changes(table: &Table) -> [Change; 4] {
    let (slot, _) = victim(table, NEW);
    let tag = |key| table.place(key).tag();
    let way = table.find(table.place(KNOWN)).unwrap();
    [
        Change::Seat { slot, tag: tag(NEW), id: id_of(table, NEW, tier(NEW)) },
        Change::Retier { tag: tag(KNOWN), id: id_of(table, KNOWN, 1), at: NOW },
        Change::Reset { slot: way, owner: table.slot(0, way).owner() },
        Change::Clear { epoch: table.heads[0].watermark().epoch() + 1 },
    ]
}

fn announce(table: &Table, change: Change) -> Record {
    let head = &table.heads[0];
    let (seen, next) = (head.record(), head.record().next(change));
    while !head.announce(seen, next) {}
    next
}

/// The steps that lead from one state to the other, in the order in which a change takes them.
#[derive(Clone, Copy, Debug)]
enum Step {
    Word(usize),
    Watermark,
    Owner(usize),
}

fn steps(change: Change, before: &Table, after: &Table) -> Vec<Step> {
    let (before, after) = (state(before).0, state(after).0);
    let changed = (0..WAYS).filter(|&way| before[way] != after[way]);
    let of_slot = |way| [Step::Word(way), Step::Watermark, Step::Owner(way)];
    let mut steps: Vec<_> = changed.flat_map(of_slot).collect();
    if let Change::Clear { .. } = change {
        steps.retain(|step| !matches!(step, Step::Watermark));
        steps.push(Step::Watermark);
    }
    steps
}

/// Takes a step towards the state of `after`.
fn take(table: &Table, step: Step, after: &Table) {
    match step {
        Step::Word(way) => {
            let (slot, (word, _)) = (table.slot(0, way), after.slot(0, way).both());
            assert!(slot.pass_word(slot.word(), word));
        }
        Step::Watermark => {
            let head = &table.heads[0];
            assert!(head.set_watermark(head.watermark(), after.heads[0].watermark()));
        }
        Step::Owner(way) => {
            let (slot, (_, owner)) = (table.slot(0, way), after.slot(0, way).both());
            assert!(slot.pass_owner(slot.owner(), owner));
        }
    }
}

/// What can be asked next to a change, and what it answers.
#[derive(Clone, Copy, Debug)]
enum Op {
    Spend,
    SpendInTier1,
    Charge,
    Peek,
    PeekInTier1,
    GiveBack,
    Reset,
    Clear,
    SetTier,
    Nothing,
}

const OPS: [Op; 10] = [
    Op::Spend,
    Op::SpendInTier1,
    Op::Charge,
    Op::Peek,
    Op::PeekInTier1,
    Op::GiveBack,
    Op::Reset,
    Op::Clear,
    Op::SetTier,
    Op::Nothing,
];

impl Op {
    fn perform(self, table: &Table, key: u64) -> String {
        let (at, tier) = (table.place(key), tier(key));
        match self {
            Self::Spend => format!("{:?}", table.spend(at, tier, 1, NOW)),
            Self::SpendInTier1 => format!("{:?}", table.spend(at, 1, 1, NOW)),
            Self::Charge => format!("{:?}", table.ask(at, tier, Ask::Charge(2), NOW).decided),
            Self::Peek => format!("{:?}", table.peek(at, tier, NOW)),
            Self::PeekInTier1 => format!("{:?}", table.peek(at, 1, NOW)),
            Self::GiveBack => {
                table.give_back(at, |pace, state| pace.refund(state, 1));
                String::new()
            }
            Self::Reset => {
                table.reset(at);
                String::new()
            }
            Self::Clear => {
                table.clear();
                String::new()
            }
            Self::SetTier => {
                let quota = Quota::per_hour(1 + key as u32 % 90);
                format!("{:?}", table.set_tier(0, quota.into(), NOW))
            }
            Self::Nothing => String::new(),
        }
    }
}

/// What comes of the operation and the change, the change complete.
fn outcome(table: &Table, op: Op, key: u64) -> (String, (Vec<(Word, Owner)>, Watermark)) {
    let answer = op.perform(table, key);
    table.complete(0, table.heads[0].record());
    (answer, state(table))
}

/// Whatever step a change stops at, each operation finds it complete; or comes before it, if the
/// slot's word has not been passed, or what is given back is that of a key that is not there yet.
#[test]
fn a_change_that_stops_is_completed_by_the_next_caller() {
    for kind in [Kind::TokenBucket, Kind::FixedWindow] {
        let model = full(kind);
        let evicted = key_of(&model, victim(&model, NEW).1);
        for index in 0..changes(&model).len() {
            let changed = || {
                let table = full(kind);
                let change = changes(&table)[index];
                let record = announce(&table, change);
                table.complete(0, record);
                (table, change)
            };
            let (after, change) = changed();
            let steps = steps(change, &model, &after);
            let stops = (0..=steps.len()).filter(|&n| n < 5 || n % 97 == 0 || n + 3 > steps.len());
            for n in stops {
                for op in OPS {
                    for key in [KNOWN, evicted, NEW, OTHER] {
                        let stopped = full(kind);
                        announce(&stopped, change);
                        steps[..n].iter().for_each(|&step| take(&stopped, step, &after));
                        let seen = outcome(&stopped, op, key);
                        if seen == outcome(&changed().0, op, key) {
                            continue;
                        }
                        let table = full(kind);
                        let answer = op.perform(&table, key);
                        table.complete(0, announce(&table, change));
                        let is_before = seen == (answer, state(&table));
                        let may_be =
                            n == 0 || index == 3 || matches!((op, key), (Op::GiveBack, NEW));
                        let at = format!("{kind:?}: {change:?} after {n}: {op:?} of {key}");
                        assert!(is_before && may_be, "{at}");
                    }
                }
            }
        }
    }
}

/// A thread that has slept over any number of changes completes the one that it knows.
#[test]
fn a_late_helper_changes_nothing() {
    for kind in [Kind::TokenBucket, Kind::FixedWindow] {
        for seed in 0..20 {
            let (table, mut rng) = (full(kind), SmallRng::seed_from_u64(seed));
            let mut records = vec![table.heads[0].record()];
            for _ in 0..150 {
                let key = rng.random_range(0..4) * rng.random_range(0..80);
                let op = OPS[if rng.random_ratio(1, 2) { 0 } else { rng.random_range(0..10) }];
                op.perform(&table, key);
                records.push(table.heads[0].record());
            }
            let now = state(&table);
            for record in records {
                table.complete(0, record);
                assert_eq!(state(&table), now, "{kind:?}, {seed}: {:?}", record.change());
            }
        }
    }
}

/// A key that was given a slot and has spent nothing yet, in its tier or in the one that it was
/// carried to, is evicted with a debt that is one unit larger. Else two that evict each other would
/// leave no trace.
#[test]
fn a_key_that_has_spent_nothing_leaves_a_trace() {
    for kind in [Kind::TokenBucket, Kind::FixedWindow] {
        for carried in [false, true] {
            let table = full(kind);
            let seat = changes(&table)[0];
            table.complete(0, announce(&table, seat));
            let Change::Seat { slot, tag, mut id } = seat else { unreachable!("the first") };
            if carried {
                id = id_of(&table, NEW, 1);
                table.complete(0, announce(&table, Change::Retier { tag, id, at: NOW }));
            }
            let (word, owner) = table.slot(0, slot).both();
            assert!(word.is_unspent() && owner.id() == id);
            let (pace, at) = (table.pace_of(id), table.heads[0].watermark());
            if !carried {
                let start = table.start(owner, word, at, &pace, id);
                assert_eq!(start, pace.next(word.state()), "{kind:?}");
            }
        }
    }
}

/// A key that takes the slot of one with as much outstanding as the watermark, in another tier's
/// units, does not raise it.
#[test]
fn rounding_does_not_raise_the_watermark() {
    let table = full(Kind::TokenBucket);
    let (first, second) = (id_of(&table, NEW, 0), id_of(&table, NEW, 1));
    let head = &table.heads[0];
    let low = head.watermark().at(table.pace_of(first).to_fields()[0] * 3, first);
    let state = table.converted(low.state(), first, second, &table.pace_of(second));
    let seat = Change::Seat { slot: 0, tag: 1, id: second };
    let word = |state| Word::of_bits(0).with(state);
    assert_eq!(table.raised(seat, word(state), low), None);
    let next = table.pace_of(second).next(state);
    assert_eq!(table.raised(seat, word(next), low), Some(low.at(next, second)));
}

/// The slot is given to another key while it is computed what its owner is given back.
#[test]
fn what_is_given_back_is_not_given_to_the_next_owner() {
    for kind in [Kind::TokenBucket, Kind::FixedWindow] {
        let table = full(kind);
        let (_, owner) = victim(&table, NEW);
        let (at, late) = (table.place(key_of(&table, owner)), core::cell::Cell::new(true));
        table.give_back(at, |pace, state| {
            if late.replace(false) {
                Op::Spend.perform(&table, NEW);
            }
            pace.refund(state, 1)
        });
        let alone = full(kind);
        Op::Spend.perform(&alone, NEW);
        assert_eq!(state(&table), state(&alone), "{kind:?}");
    }
}
