//! What the layer tells, counted for the page.

use crate::top::Top;
use casgate_tower::fields::Name;
use casgate_tower::observe::{Event, Observer, Outcome};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, TryLockError};

/// Counts for each policy, by its name. A name stays when a reload drops the policy.
///
/// An admitted request costs one atomic addition. A row is found without a lock, and never moves.
#[derive(Debug)]
pub(crate) struct Tally {
    rows: Box<[OnceLock<Row>]>,
}

/// How many names there can be. What comes after them is not counted.
const NAMES: usize = 255;

#[derive(Debug)]
struct Row {
    name: Name,
    admitted: AtomicU64,
    denied: AtomicU64,
    shadow_denied: AtomicU64,
    denied_keys: Mutex<Top>,
}

/// The counts of one policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) admitted: u64,
    pub(crate) denied: u64,
    pub(crate) shadow_denied: u64,
    /// The keys denied most often, with how often, in shadow too. When two requests are denied at once, one may be missed.
    pub(crate) denied_keys: Vec<(u64, u64)>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { rows: (0..NAMES).map(|_| OnceLock::new()).collect() }
    }

    /// The counts of the policy of that name, with so many keys.
    pub(crate) fn counts(&self, name: &Name, keys: usize) -> Counts {
        let row = self.rows.iter().map_while(OnceLock::get).find(|row| row.name == *name);
        row.map_or_else(Counts::default, |row| row.counts(keys))
    }

    /// The row of that name, made at first sight.
    fn row(&self, name: &Name) -> Option<&Row> {
        let rows = self.rows.iter().map(|row| row.get_or_init(|| Row::new(name.clone())));
        rows.into_iter().find(|row| row.name == *name)
    }
}

impl Row {
    const fn new(name: Name) -> Self {
        Self {
            name,
            admitted: AtomicU64::new(0),
            denied: AtomicU64::new(0),
            shadow_denied: AtomicU64::new(0),
            denied_keys: Mutex::new(Top::new()),
        }
    }

    fn counts(&self, keys: usize) -> Counts {
        // Relaxed: each count is a number of its own.
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            admitted: load(&self.admitted),
            denied: load(&self.denied),
            shadow_denied: load(&self.shadow_denied),
            denied_keys: match self.denied_keys.lock() {
                Ok(top) => top.most(keys),
                Err(poisoned) => poisoned.into_inner().most(keys),
            },
        }
    }

    /// Counts a denied key, unless another thread is at it: then this one is missed. A request waits for nobody.
    fn count_key(&self, key: u64) {
        match self.denied_keys.try_lock() {
            Ok(mut top) => top.count(key),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().count(key),
            Err(TryLockError::WouldBlock) => {}
        }
    }
}

impl Observer for Tally {
    fn observe(&self, event: &Event<'_>) {
        let Some(row) = self.row(event.policy()) else { return };
        let count = match event.outcome() {
            Outcome::Admitted => &row.admitted,
            Outcome::ShadowDenied => &row.shadow_denied,
            Outcome::Exempt | Outcome::Cancelled => return,
            _ => &row.denied,
        };
        // Relaxed: nothing else is read by what it counts.
        count.fetch_add(1, Ordering::Relaxed);
        if event.outcome() == Outcome::Admitted {
            return;
        }
        if let Some(key) = event.key_hash() {
            row.count_key(key);
        }
    }
}

#[cfg(test)]
#[test]
fn a_name_keeps_its_row_and_the_table_has_an_end() {
    let (tally, name) = (Tally::new(), |i: usize| Name::new(&format!("policy {i}")).unwrap());
    for i in 0..NAMES {
        tally.row(&name(i)).unwrap().admitted.fetch_add(1, Ordering::Relaxed);
    }
    assert!(tally.row(&name(NAMES)).is_none());
    assert_eq!(tally.counts(&name(NAMES), 1), Counts::default());
    for i in 0..NAMES {
        assert_eq!(tally.counts(&name(i), 1).admitted, 1, "{i}");
    }
}
