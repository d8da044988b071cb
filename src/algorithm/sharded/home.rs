//! Which cell a thread asks first.

use crate::sync;
use crossbeam_utils::CachePadded;

/// The calling thread's cell of `cells`, whose number is a power of two. Of a thread that has not
/// [settled](settle), the last: a window's is not open until another thread settles there.
#[inline(always)]
pub(super) fn of<T>(cells: &[CachePadded<T>]) -> usize {
    sync::home() & cells.len().wrapping_sub(1)
}

/// Gives the thread a cell, if it has none: the next one. Threads that seldom lose an exchange to each other would
/// not part.
pub(super) fn settle() {
    if sync::home() == sync::NO_HOME {
        sync::move_home(sync::next_home());
    }
}

/// To the next cell, if there is one: another thread is at this one, or was with a later timestamp.
/// A new thread gets its first cell, which may be this one. The thread's cells of other limiters change with it.
pub(super) fn move_on<T>(cells: &[CachePadded<T>]) {
    if cells.len() > 1 {
        let home = sync::home();
        let is_new = home == sync::NO_HOME;
        sync::move_home(if is_new { sync::next_home() } else { home.wrapping_add(1) });
    }
}

/// As many cells as there are cores, but no more than give each of `limit` permits at least `least`.
pub(super) fn cells_for(limit: u32, least: u32) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let filled = usize::try_from(limit / least).unwrap_or(usize::MAX).max(1);
    cores.min(MOST).next_power_of_two().min(1 << filled.ilog2())
}

/// Cells at most. More cores share them, and a denial that must look everywhere stays short.
const MOST: usize = 64;

/// All cells, from the calling thread's on.
pub(super) fn all<T>(cells: &[CachePadded<T>]) -> impl Iterator<Item = (usize, &CachePadded<T>)> {
    let first = of(cells);
    (0..cells.len()).map(move |i| (first + i) & (cells.len() - 1)).map(|at| (at, &cells[at]))
}

#[cfg(all(test, not(any(casgate_loom, casgate_shuttle))))]
mod tests {
    use super::*;

    /// They meet at the last cell, and would meet again.
    #[test]
    fn new_threads_that_move_on_part() {
        let cells = [0; 4].map(CachePadded::new);
        let first_home = || {
            assert_eq!(of(&cells), 3);
            move_on(&cells);
            sync::home()
        };
        let homes: Vec<usize> = std::thread::scope(|scope| {
            let threads = [0; 2].map(|_| scope.spawn(first_home));
            threads.into_iter().map(|thread| thread.join().expect("a home")).collect()
        });
        assert_ne!(homes[0], homes[1]);
        assert!(!homes.contains(&sync::NO_HOME));
    }

    #[test]
    fn a_thread_that_moves_on_goes_round() {
        let cells = [0; 4].map(CachePadded::new);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                sync::move_home(2);
                let homes = [0; 4].map(|_| {
                    move_on(&cells);
                    of(&cells)
                });
                assert_eq!(homes, [3, 0, 1, 2]);
                move_on(&cells[..1]);
                assert_eq!(of(&cells), 2, "one cell is no reason to move");
            });
        });
    }
}
