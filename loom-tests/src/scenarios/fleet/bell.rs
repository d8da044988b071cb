//! How callers wake the refresher.

use crate::explore::atomic::{AtomicUsize, Ordering};
use crate::scenarios::join;
use crate::turn::Turn;
use casgate_redis::model::Bell;
use std::sync::Arc;

/// A bell that callers ring, and what it reports.
pub trait Rung: Send + Sync + 'static {
    /// One at rest.
    fn at_rest() -> Self;

    /// Takes note of a request.
    fn note(&self, permits: u32);

    /// Whether the caller must ask the refresher.
    fn ring(&self) -> bool;

    /// The smallest and the largest request that was noted.
    fn hear(&self) -> Option<[u32; 2]>;
}

impl Rung for Bell {
    fn at_rest() -> Self {
        Self::new()
    }

    fn note(&self, permits: u32) {
        self.note(permits);
    }

    fn ring(&self) -> bool {
        self.ring()
    }

    fn hear(&self) -> Option<[u32; 2]> {
        self.hear()
    }
}

/// A bell, and the queue to the refresher.
#[derive(Debug)]
struct World<B> {
    bell: B,
    told: AtomicUsize,
    /// An order of the looks and wants, which makes none of them see the other.
    order: AtomicUsize,
}

/// What a look heard, and when it was over.
type Look = (Option<[u32; 2]>, usize);

impl<B: Rung> World<B> {
    /// Wants so many permits, and returns since when.
    fn want(&self, permits: u32) -> usize {
        let since = self.order.fetch_add(1, Ordering::Relaxed);
        self.bell.note(permits);
        if self.bell.ring() {
            // Release: as the lock of the true queue.
            self.told.fetch_add(1, Ordering::Release);
        }
        since
    }

    /// Looks, if it was asked.
    fn look(&self) -> Option<Look> {
        // Acquire: as the lock of the true queue.
        (self.told.swap(0, Ordering::Acquire) > 0)
            .then(|| (self.bell.hear(), self.order.fetch_add(1, Ordering::Relaxed)))
    }
}

/// One caller wants 5, and a refresher hears it. Meanwhile others want `wants`. Then the refresher looks as often as it
/// is asked.
///
/// # Panics
///
/// If no look that ended after a request heard it, or the bell is left rung.
pub fn callers_ring<B: Rung>(wants: &'static [u32]) {
    let (told, order) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let world = Arc::new(World { bell: B::at_rest(), told, order });
    let mut wanted = vec![(5, world.want(5))];
    let turn = Turn::default();
    let want = |&permits: &u32| turn.spawn(&world, move |world| (permits, world.want(permits)));
    let callers: Vec<_> = wants.iter().map(want).collect();
    let refresher = turn.spawn(&world, World::look);
    wanted.extend(join(callers));
    let mut looks: Vec<Look> = join([refresher]).into_iter().flatten().collect();
    looks.extend(world.look());
    for (permits, since) in wanted {
        let is_heard = looks.iter().any(|(heard, over)| {
            *over > since && heard.is_some_and(|[least, most]| least <= permits && permits <= most)
        });
        assert!(is_heard, "{permits} was not heard: {looks:?}");
    }
    assert!(world.bell.ring(), "the bell is left rung");
}
