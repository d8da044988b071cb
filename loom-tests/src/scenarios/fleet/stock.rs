//! Every operation of a process's leases next to every other.

use crate::scenarios::join;
use crate::turn::Turn;
use casgate::Timestamp;
use casgate_redis::model::{Spent, Stock};
use std::sync::Arc;

/// The leases of one process, of which there are two at a time.
pub trait Leases: Send + Sync + 'static {
    /// None.
    fn none() -> Self;

    /// Spends so many of one lease.
    fn spend(&self, permits: u32, now: Timestamp) -> Option<Spent>;

    /// What each has left.
    fn left(&self, now: Timestamp) -> [u32; 2];

    /// What both have, over or not.
    fn permits(&self) -> u64;

    /// Puts another in the place of the one with fewest permits. Returns those that lost their place.
    fn put(&self, permits: u32, ends: Timestamp, now: Timestamp) -> u32;

    /// Takes what is left of those that are over.
    fn take_over(&self, now: Timestamp) -> u32;

    /// Takes up to so many, and returns whether a lease is low by that.
    fn drain(&self, permits: u32, now: Timestamp) -> (u32, bool);

    /// Gives permits back to the lease that ends in that tick.
    fn give_back(&self, permits: u32, tick: u64, now: Timestamp) -> bool;
}

impl Leases for Stock {
    fn none() -> Self {
        Self::new()
    }

    fn spend(&self, permits: u32, now: Timestamp) -> Option<Spent> {
        self.spend(permits, now)
    }

    fn left(&self, now: Timestamp) -> [u32; 2] {
        self.left(now)
    }

    fn permits(&self) -> u64 {
        self.permits()
    }

    fn put(&self, permits: u32, ends: Timestamp, now: Timestamp) -> u32 {
        self.put(permits, ends, now)
    }

    fn take_over(&self, now: Timestamp) -> u32 {
        self.take_over(now)
    }

    fn drain(&self, permits: u32, now: Timestamp) -> (u32, bool) {
        self.drain(permits, now)
    }

    fn give_back(&self, permits: u32, tick: u64, now: Timestamp) -> bool {
        self.give_back(permits, tick, now)
    }
}

/// What one thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Spends so many.
    Spend(u32),
    /// Puts [`THIRD`].
    Put,
    /// Takes what is over.
    TakeOver,
    /// Takes up to so many.
    Drain(u32),
    /// Gives a permit back to [`FIRST`].
    GiveBack,
    /// Looks at what each has left.
    Left,
    /// Looks at what both have.
    Permits,
}

/// All deeds.
pub const DEEDS: [Deed; 8] = [
    Deed::Spend(1),
    Deed::Spend(3),
    Deed::Put,
    Deed::TakeOver,
    Deed::Drain(5),
    Deed::GiveBack,
    Deed::Left,
    Deed::Permits,
];

/// A lease: its permits, and the tick in which it ends.
pub type Lease = (u32, u64);

/// The lease that every race begins with.
pub const FIRST: Lease = (4, 10);
/// The lease that some begin with besides.
pub const SECOND: Lease = (4, 20);
/// The lease that is put in a race.
pub const THIRD: Lease = (6, 30);

const fn at(tick: u64) -> Timestamp {
    Timestamp::from_nanos(tick << 20)
}

/// What all deeds of a race come to.
#[derive(Debug, Default)]
struct Ledger {
    /// What was put and given back.
    come: u64,
    /// What was spent, taken and drained.
    gone: u64,
    /// What was given back to the first lease.
    given: u32,
    /// What was spent of each lease.
    spent: Vec<Lease>,
    /// The spends, by the tick of the lease, that saw it low; and whether a drain did.
    low: Vec<u64>,
    is_drained_low: bool,
    /// The leases that were put.
    put: Vec<Lease>,
    /// Whether a lease got permits back, or lost them to a deed that takes no heed of the low mark.
    is_changed: bool,
}

impl Ledger {
    fn append(&mut self, other: Self) {
        self.come += other.come;
        self.gone += other.gone;
        self.given += other.given;
        self.spent.extend(other.spent);
        self.low.extend(other.low);
        self.is_drained_low |= other.is_drained_low;
        self.put.extend(other.put);
        self.is_changed |= other.is_changed;
    }

    fn note_spent(&mut self, permits: u32, tick: u64, spent: Option<Spent>) {
        let Some(spent) = spent else { return };
        assert!(tick < spent.tick, "spent at {tick} of a lease that ends at {}", spent.tick);
        self.gone += u64::from(permits);
        self.spent.push((permits, spent.tick));
        self.low.extend(spent.is_low.then_some(spent.tick));
    }

    fn note_put(&mut self, lease: Lease, lost: u32) {
        self.come += u64::from(lease.0);
        self.gone += u64::from(lost);
        self.put.push(lease);
    }
}

fn run<L: Leases>(leases: &L, deed: Deed, tick: u64) -> Ledger {
    let (now, mut ledger) = (at(tick), Ledger::default());
    match deed {
        Deed::Spend(permits) => ledger.note_spent(permits, tick, leases.spend(permits, now)),
        Deed::Put => ledger.note_put(THIRD, leases.put(THIRD.0, at(THIRD.1), now)),
        Deed::TakeOver => {
            ledger.gone = leases.take_over(now).into();
            ledger.is_changed = ledger.gone > 0;
            assert!(tick >= FIRST.1 || ledger.gone == 0, "{} taken of no lease", ledger.gone);
        }
        Deed::Drain(permits) => {
            let (taken, is_low) = leases.drain(permits, now);
            assert!(taken <= permits, "{taken} drained for {permits}");
            (ledger.gone, ledger.is_drained_low) = (taken.into(), is_low);
        }
        Deed::GiveBack => {
            let is_back = leases.give_back(1, FIRST.1, now);
            assert!(tick < FIRST.1 || !is_back, "given back to a lease that is over");
            (ledger.come, ledger.given) = (is_back.into(), is_back.into());
            ledger.is_changed = is_back;
        }
        Deed::Left => {
            let alive = [FIRST, SECOND, THIRD].into_iter().filter(|lease| tick < lease.1);
            let most: u32 = alive.map(|lease| lease.0).sum();
            let left: u32 = leases.left(now).iter().sum();
            assert!(left <= most, "{left} left of {most}");
        }
        Deed::Permits => {
            let permits = leases.permits();
            assert!(permits <= u64::from(FIRST.0 + SECOND.0 + THIRD.0), "{permits} permits");
        }
    }
    ledger
}

/// The deeds at once, each at its tick, of a process that has one lease or two.
///
/// # Panics
///
/// If a permit is spent twice or after the deadline of its lease, if one is lost that no put
/// reports, if what is left cannot be spent, or if the lease that was put last falls to half and
/// not exactly one caller learns of it.
pub fn deeds_race<L: Leases>(deeds: &[(Deed, u64)], has_second: bool) {
    let leases = Arc::new(L::none());
    let mut ledger = Ledger::default();
    for lease in [Some(FIRST), has_second.then_some(SECOND)].into_iter().flatten() {
        ledger.note_put(lease, leases.put(lease.0, at(lease.1), at(0)));
    }
    ledger.note_spent(1, 0, leases.spend(1, at(0)));

    let turn = Turn::default();
    let callers = deeds
        .iter()
        .map(|&(deed, tick)| turn.spawn(&leases, move |leases| run(leases, deed, tick)));
    for its in join(callers.collect::<Vec<_>>()) {
        ledger.append(its);
    }

    let left = leases.permits();
    let accounted = ledger.gone + left;
    assert!(accounted <= ledger.come, "{accounted} spent and left of {}", ledger.come);
    let lost = ledger.come - accounted;
    assert!(lost == 0, "{lost} permits lost");
    // The rest, one by one: all of it can be spent, of the leases that it is of.
    for _ in 0..left {
        let spent = leases.spend(1, at(0));
        assert!(spent.is_some(), "what is left cannot be spent");
        ledger.note_spent(1, 0, spent);
    }
    // Of two that end in one tick, as of one.
    for (_, tick) in [FIRST, SECOND, THIRD] {
        let sum = |leases: &[Lease]| -> u32 {
            leases.iter().filter(|lease| lease.1 == tick).map(|lease| lease.0).sum()
        };
        let given = if tick == FIRST.1 { ledger.given } else { 0 };
        let most = sum(&ledger.put) + given;
        let spent = sum(&ledger.spent);
        assert!(spent <= most, "{spent} spent of {most} that end at {tick}");
    }
    let last = ledger.put.iter().map(|lease| lease.1).max().expect("one at least");
    let leases = ledger.put.iter().filter(|lease| lease.1 == last).count();
    let told = ledger.low.iter().filter(|&&tick| tick == last).count();
    if !ledger.is_changed {
        let is_told = told == leases || told + 1 == leases && ledger.is_drained_low;
        assert!(is_told, "{told} told that it is low");
    }
}

/// All pairs of deeds, before and after the deadlines. `run` is given a name, the two, and whether there are two leases
/// at first.
pub fn deed_pairs(run: impl Fn(String, [(Deed, u64); 2], bool)) {
    for (index, &first) in DEEDS.iter().enumerate() {
        for &second in &DEEDS[index..] {
            // 9 is the last tick of the first lease.
            for ticks in [[9, 9], [9, 10], [10, 9], [10, 10], [9, 20], [20, 10]] {
                for has_second in [false, true] {
                    let pair = [(first, ticks[0]), (second, ticks[1])];
                    let leases = if has_second { 2 } else { 1 };
                    run(format!("{pair:?} of {leases}"), pair, has_second);
                }
            }
        }
    }
}
