mod bucket;
mod home;
mod private;
mod share;
mod window;

pub(crate) use bucket::Buckets;
pub use private::Private;
pub(crate) use window::Windows;

/// An algorithm whose permits lie in several words, so that cores seldom write to the same cache line.
///
/// For a limit that many cores ask at once. One word serves no more checks a second if more cores
/// ask. Here each core has a word of its own, and the bound is as exact. With one thread a check costs
/// about as much as that of the plain algorithm.
/// [Performance](crate::guide::performance#scaling) has the figures.
/// [`Limiter::sharded_fixed_window`] and [`Limiter::sharded_token_bucket`] make one.
///
/// The words are one for each core, the *cells*, and a *parent*. A thread asks one cell, and
/// another one if it meets other threads there, or their later timestamps. So it needs no handle.
/// There are as many cells as cores, up to 64 and rounded up to a power of two, and fewer for a small
/// limit. They are on the heap, so a `static` needs a [`LazyLock`](std::sync::LazyLock).
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
///
/// # The fixed window
///
/// Each window's L permits are dealt out to the cells in advance, L/S to each of S. A thread whose
/// cell is spent goes through the others, and stays at the first that has permits. Nothing moves
/// between cells. So what they admit in one window is at most L.
///
/// A thread that finds all cells spent notes that in the parent. Until the window ends a denial is
/// then two loads, of lines that nobody writes.
///
/// A refund, a reset, and a request for several permits that only several cells have together
/// *gather*: they freeze the cells, one after another, and then put what is left into the parent in
/// one exchange. A thread that meets a frozen cell helps, so a thread that stops stops nobody. For
/// the rest of the window the parent is all there is. It costs then what the plain algorithm costs.
///
/// - **Each window admits at most L permits**, for timestamps in any order. Permits that were given back can be
///   spent again.
/// - **A denial means that nothing was left.** Between call and return there was an instant at
///   which the cells and the parent together had fewer permits than were asked for. A late
///   timestamp, of an older window than a cell's or the parent's, may be denied all the same. Then
///   [`retry_after`](crate::Denied::retry_after) may be too short.
/// - **Linearizable**, with one exception. A late timestamp may be admitted within the limit of its
///   own window, where the plain algorithm denies it.
/// - **Range**: 146 years for one permit per nanosecond, and more for slower quotas. A timestamp from
///   the far future takes a cell out of service until then. Meanwhile nothing can be gathered, and a
///   reset takes the other cells out of service too, for it resets the newest window.
///
/// # The token bucket
///
/// A bucket cannot be dealt out: an idle cell would overflow while another one is empty. So the
/// permits are in the parent, and a thread that finds its cell empty takes a *lease* of some of
/// them to the cell, with one more for itself. The parent names the lease, the cell and the cell's
/// stamp in the same 128-bit exchange. A thread that changes the parent completes the lease
/// first. So no permits are on their way unseen, and a thread that stops strands none.
///
/// Call the burst b, the rate r, and the permits that a cell can hold A. A is b/8 divided by the
/// number of cells, and at most 255. K = S·A is what all cells can hold.
///
/// - **The bound is that of the plain algorithm**: for every s ≤ e, the permits admitted with
///   timestamps in [s, e] are N ≤ b + ⌊(e − s)·r⌋, for timestamps in any order. Where that of the
///   plain one counts half a nanosecond more, so does this.
/// - **A denial means that nothing was left**: between call and return there was an instant at which
///   all cells were empty, no lease was on its way, and the parent had less than one permit at the
///   request's timestamp. A timestamp may be denied all the same if it is older than one at which a
///   cell got a lease, or a thread was about to take one.
///   To one that is older than one that the limiter has seen,
///   [`retry_after`](crate::Denied::retry_after) may be too short or too long.
/// - **Never less than a plain bucket with the burst b − K**, in sum and for timestamps in order. The
///   parent is one, and permits of a cell are additional. After a pause with empty cells the parent
///   refills to b − K and no further, so a burst finds b − K. If the cells are full it finds b. K is
///   at most an eighth of b. A timestamp older than a cell's lease cannot have what the cell holds: up to K
///   less.
/// - **Range**: that of a plain bucket with the burst b − K. After a timestamp from the far future its cell
///   gets no lease until then, nor does a cell at which its thread lost an exchange. Nobody can spend
///   the permits of a lease at that timestamp before then. The same holds for a lease that another
///   thread takes to that cell meanwhile. If the permit came from the parent, the parent serves
///   nobody until then. Nothing undoes that.
///
/// *Proof of the bound.* A permit is taken from the parent at a timestamp c, and spent at τ ≥ c.
/// The parent is a plain bucket with the burst b − K. So of the permits with c in [s, e] there
/// are at most b − K + ⌊(e − s)·r⌋. The others have c < s ≤ τ, and come from cells. A cell takes a
/// lease only when it is empty, and only at a timestamp that is not older than any at which its
/// permits were spent. So once a permit with τ ≥ s was spent from it, it takes no lease with c < s.
/// Hence all of its permits with c < s ≤ τ are of one lease, and these are at most A. The cells
/// together have at most K. The sum is b + ⌊(e − s)·r⌋. ∎
///
/// With b below 64 there is one cell, and with b below 8 none that holds anything. Then the plain algorithm is
/// faster.
///
/// # What is left out
///
/// - [`charge`](crate::Limiter::charge), [`deny_until`](crate::Limiter::deny_until), reservations, leases of the caller's own and
///   [`save`](crate::Limiter::save): they spend permits of a time to come, of which a cell knows nothing.
/// - Of the bucket also `check_n`, `refund` and `reset`. Several permits would have to leave several
///   cells in one step. And permits that come back could make a word what it was before, while
///   another thread still relies on the word never being the same again.
/// - [`All`](crate::All) and [`LimitN`](crate::LimitN), which need `charge`.
/// - Tickets: the cells have no common order. [`Admitted::ticket`](crate::Admitted::ticket) is 0.
/// - [`Admitted::remaining`](crate::Admitted::remaining) counts one cell or the parent, so it is a lower
///   bound. For the sum, [`peek`](crate::Limiter::peek) reads all cells, one after another. While
///   others spend, it reports no more than was left when it began, and no less than when it ended. Of
///   a bucket it may be up to K less, for permits of leases that were made meanwhile.
/// - Of a bucket, [`reset_after`](crate::Admitted::reset_after) says when the parent is full, or a later
///   instant. To a timestamp that is older than one that the limiter has seen, it may name an earlier one.
///   Cells don't refill by waiting, so up to K permits may be missing then, even if it is zero.
///
/// [`Limiter`]: crate::Limiter
/// [`Limiter::sharded_fixed_window`]: crate::Limiter::sharded_fixed_window
/// [`Limiter::sharded_token_bucket`]: crate::Limiter::sharded_token_bucket
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharded<R> {
    rule: R,
}

impl<R> Sharded<R> {
    pub(crate) const fn new(rule: R) -> Self {
        Self { rule }
    }

    pub(crate) const fn rule(&self) -> &R {
        &self.rule
    }
}
