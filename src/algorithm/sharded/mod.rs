mod home;
mod share;
mod window;

pub(crate) use window::Windows;

/// An algorithm whose permits lie in several words, one for each core, so that threads seldom write to the
/// same cache line.
///
/// [`Limiter::sharded_fixed_window`](crate::Limiter::sharded_fixed_window) makes one, for limits that many
/// cores ask at once. One word serves some 50 million checks a second, however many cores there are; here
/// each core adds as many. With one thread a check costs as much as that of the plain algorithm. The bound
/// is as exact.
///
/// # How it works
///
/// Each window's L permits are dealt out to S *cells* in advance: L/S each, the remainder one by
/// one. S is the number of cores, rounded up to a power of two, or fewer, so that a cell gets at
/// least 64 permits. A cell is a word like that of the plain algorithm, in a cache line of its own.
/// A thread spends from one cell. When that has no permits it goes through the others, and stays with the
/// first that has some. So nothing moves between the cells, and the sum of what they admit in one window is
/// at most L.
///
/// The *parent* is one word more. A thread that finds no permit in any cell writes there that the
/// window is spent. Until the window ends, a denial is then two loads of lines that nobody writes.
///
/// A request for several permits that no cell has, a refund and a reset *gather*: they freeze the
/// cells, one after another, and then put what is left of them into the parent in one exchange. A
/// thread that meets a frozen cell helps, so a thread that stops stops nobody. For the rest of the
/// window the parent is all there is, and costs what the plain algorithm costs.
///
/// # Guarantees
///
/// - **Each window admits at most L permits**, for timestamps in any order.
/// - **A denial means that no permit was left**: there was an instant between call and return at which
///   neither a cell nor the parent had one. A request for n permits is denied if there were fewer than n. A
///   timestamp of an older window than a cell's may be denied too.
/// - **Linearizable**: checks, refunds and resets take effect at one instant, with one exception. A late
///   timestamp may still be admitted within the limit of its own window after a newer window has begun in
///   another cell, where the plain algorithm denies it.
/// - A reset gives back what was spent in the newest window. It does not undo a timestamp from the
///   far future, which makes one cell useless until then.
///
/// # What is left out
///
/// - [`charge`](crate::Limiter::charge), [`deny_until`](crate::Limiter::deny_until), reservations, leases and
///   [`save`](crate::Limiter::save): they spend permits of windows to come, of which a cell knows nothing.
/// - Tickets: the cells have no common order. [`Admitted::ticket`](crate::Admitted::ticket) is 0.
/// - [`Admitted::remaining`](crate::Admitted::remaining) counts one cell, so it is a lower bound. For the sum,
///   [`peek`](crate::Limiter::peek) reads all cells. It reads them one after another: while others spend, it
///   reports a number between what was left when it began and when it ended.
/// - A `static`: the cells are on the heap, as many as the machine has cores. Use a
///   [`LazyLock`](std::sync::LazyLock).
///
/// ```
/// use casgate::algorithm::Sharded;
/// use casgate::{FixedWindow, Limiter, Quota};
/// use std::sync::LazyLock;
///
/// static API: LazyLock<Limiter<Sharded<FixedWindow>>> =
///     LazyLock::new(|| Limiter::sharded_fixed_window(Quota::per_second(1_000_000)));
///
/// assert!(API.is_allowed());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharded<R> {
    rule: R,
}

impl<R> Sharded<R> {
    pub(crate) const fn new(rule: R) -> Self {
        Self { rule }
    }
}
