//! What one process asks the store for, and when. Pure: time and random numbers are given.

mod rate;
mod size;
#[cfg(all(test, not(casgate_loom)))]
mod tests;
mod wanted;
mod window;

pub(crate) use rate::Rate;
pub(crate) use wanted::Wanted;
pub(crate) use window::Window;

use crate::protocol::{ReplyError, Script};
use crate::standing::Standing;
use casgate::Timestamp;
use wanted::merge;

/// One limit in the hands of one process.
pub(crate) trait Holder: Send + core::fmt::Debug {
    /// Decides whether to ask the store.
    fn look(&mut self, look: &Look) -> Step;

    /// Reads the reply to what was asked last.
    fn settle(&mut self, reply: &[i64], trip: Trip) -> Result<Reply, ReplyError>;

    /// Counts the stock after the reply.
    fn count(&mut self, stock: u64, now: Timestamp);

    /// Whether what is left of a lease that is over is returned.
    fn returns(&self) -> bool;

    /// Takes permits back that are left of leases which are over. It learns of those before a reply
    /// that comes after their end.
    fn take_back(&mut self, permits: u32);
}

/// What the process knows when it looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    pub(crate) now: Timestamp,
    /// The permits that can be spent, of each lease.
    pub(crate) left: [u32; 2],
    /// The permits of both, whether or not they are over, and also those that were taken from them
    /// just now.
    pub(crate) stock: u64,
    /// Requests that found too few.
    pub(crate) wanted: Option<Wanted>,
    /// Permits that were charged and are not paid yet. Of a window, also those that were spent
    /// without a lease.
    pub(crate) debt: u32,
    /// Whether permits were spent without a lease that no reply accounts for yet. Never so of a
    /// window.
    pub(crate) overspent: bool,
    /// Whether the store has failed: then this is a probe, and asks for as little as it can.
    pub(crate) probing: bool,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Ask {
        script: Script,
        arguments: Vec<i64>,
    },
    /// Look again at that instant, if not before.
    LookAt(Timestamp),
    /// Nothing, until a caller asks.
    Rest,
}

/// The way of a request: when it was sent, and when its reply came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Trip {
    pub(crate) sent: Timestamp,
    pub(crate) received: Timestamp,
    /// From 0 to 1.
    pub(crate) random: f64,
}

/// What a reply comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) permits: u32,
    /// The fewest that were of use: a denial's wait is for so many.
    pub(crate) least: u32,
    /// A denial stands for so many permits and more. There may be fewer.
    pub(crate) denied_from: u32,
    /// And for at least so long, though fewer permits than `least` refill sooner than those.
    pub(crate) soonest: Timestamp,
    /// The deadline of the permits.
    pub(crate) ends: Timestamp,
    /// The answer to callers without permits now.
    pub(crate) standing: Standing,
    /// When to look again, if not before.
    pub(crate) look_at: Timestamp,
    /// About how many processes share the limit; 0 if that is not known.
    pub(crate) holders: u32,
    /// When the limit is full again, if nobody asks.
    pub(crate) full_at: Timestamp,
    /// The store lost what it knew of the limit.
    pub(crate) lost: bool,
    /// The window has no permits left.
    pub(crate) is_used_up: bool,
    /// Leases of earlier replies are of another window, and must not be spent or returned any more.
    pub(crate) is_new_window: bool,
}

/// The instant from which on a request is sent after one that got less than it wanted: not before
/// it could get any, and not at once. A fleet spreads by up to a fifth.
fn not_before(
    received: Timestamp,
    retry: core::time::Duration,
    lifetime: core::time::Duration,
    random: f64,
) -> Timestamp {
    received + retry.max((lifetime / 4).mul_f64(0.8 + 0.4 * random))
}

/// The requests that neither lease can serve. Others may have been served since they were noted.
fn unserved(left: [u32; 2], wanted: Option<Wanted>) -> Option<Wanted> {
    let most_left = left[0].max(left[1]);
    let wanted = wanted.filter(|wanted| wanted.most > most_left)?;
    // Of all that were noted, the smallest and the largest are known.
    let least = if wanted.least > most_left { wanted.least } else { wanted.most };
    Some(Wanted { least, ..wanted })
}

/// Whether a lease is wanted: there is room for one, or a request that neither lease can serve.
fn has_room(left: [u32; 2], unserved: Option<Wanted>) -> bool {
    left.contains(&0) || unserved.is_some()
}
