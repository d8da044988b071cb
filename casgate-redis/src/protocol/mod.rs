//! How a fleet leases permits from Redis: the scripts, the same decisions as pure functions, and
//! the proof.
//!
//! - [`LeaseQuota`] is a rate for the fleet. A holder sends a [`Request`] to [`Script::LEASE`], and
//!   reads a [`Grant`] from the reply. [`State::grant`] decides the same.
//! - [`Lease`] is what the holder has then, and [`Leases`] are the two that it may have at a time.
//! - [`WindowQuota`] is a quota per day or hour, with [`Script::WINDOW`], [`WindowRequest`],
//!   [`WindowGrant`] and [`WindowState`].
//!
//! Nothing here opens a connection, reads a clock or waits.
//!
//! # Leases at a rate
//!
//! The server keeps one number of a limit: the *theoretical arrival time*, TAT, which is when all
//! that it granted has refilled (GCRA). A grant of `g` permits moves it on by the time in which `g`
//! permits refill, rounded up to a microsecond. It is never moved beyond `now + tau`, where `tau`
//! is how long the server's burst takes to refill.
//!
//! ## Why the bound holds
//!
//! Let `B` be the burst of the quota, `r` its rate, `E` the lifetime of a lease. The fleet spends
//! at most `B + r · (y − x)` permits in any interval `[x, y]` of real time.
//!
//! 1. *The server grants at most `tau · r + r · (y − x)` permits between two instants `x` and `y`
//!    of its clock.* Each grant moves the TAT by what it costs, nothing moves it back, and it ends
//!    at `y + tau` or before. It begins at `x` or after, since a TAT in the past is raised to the
//!    clock.
//! 2. *A permit is spent less than `E − 1 µs` after its grant.* The deadline counts from the
//!    instant of sending, which comes before the grant. It is by the holder's clock alone: no clock
//!    of a holder is compared with the server's.
//! 3. *So the permits spent in `[x, y]` were granted after `x − (E − 1 µs)`.* The server's clock is
//!    rounded down to microseconds, which makes that interval seem longer by less than one. By 1,
//!    they are at most `tau · r + r · (y − x) + r · E`.
//! 4. *`tau` is `B / r − E`, rounded down,* and the sum is `B + r · (y − x)`.
//!
//! A crash, a dropped call, a timeout, a lost reply and a request that runs twice or late only
//! leave permits unspent. That is why no request needs a mark of its own, and why a lease is never
//! returned: a returned permit would be granted again while its time was not over.
//!
//! The checks of each sentence are in the model (`casgate-redis/model` in the repository) and in
//! the tests of this crate. Lines with `wrong, …` are faults that a search of the model finds:
//!
//! | sentence | check |
//! |---|---|
//! | the bound, over every interval | **a** of the model; `the_fleet_obeys_its_curve` |
//! | it is tight | `wrong, BoundLessByOne` |
//! | 1. the server's grants | `the_server_obeys_its_curve`; `wrong, WholeBurst` |
//! | 2. the deadline | `wrong, SpendsLate`; `wrong, FromArrival`; `wrong, Merges`; `wrong, Assumes` |
//! | 3. the rounding | `wrong, NotRounded` |
//! | no returns | `wrong, Returns` |
//! | the script decides as [`State::grant`] | `the_script_decides_as_its_twin_does`, `the_script_is_exact_at_the_ends_of_its_range` |
//! | a denial's [wait](Grant::retry_after) is exact | `the_wait_is_exact`; **c** of the model |
//!
//! ## Where it does not
//!
//! The proof assumes that a script is atomic, that a holder's clock is monotonic and as fast as
//! real time, and that a permit is spent at the timestamp by which its deadline was checked. What
//! each exception adds:
//!
//! | exception | permits more, for each | check |
//! |---|---|---|
//! | a thread stops between its timestamp and spending | those that it spends | – |
//! | holders' clocks are slow by a part `ρ` | `r · E · ρ`, at any time | – |
//! | a clock that stops while the machine sleeps | what the machine held: use a clock that counts sleep | – |
//! | the server's clock steps forward by `J` | `r · J`, at most the server's burst | `the clock steps forward` |
//! | it steps back | none. It denies until a permit refills, once | `the clock steps back` |
//! | a failover that lost grants | those lost, at most the server's burst. None, once a holder that knows the last of them calls | `a failover`; `wrong, CarriesNothing` |
//! | a server that lost all, [`StartFull`](StateLoss::StartFull) | the server's burst | `a loss, then full` |
//! | a server that lost all, [`StartEmpty`](StateLoss::StartEmpty) | none | `a loss, then empty` |
//! | two servers for a time `D` (split brain) | `B + r · D` | `two primaries`, in `tests/faults` |
//!
//! Each holds for intervals that contain the event, or begin less than `E` after it.
//!
//! **A failover is mended by the holders.** Each [carries](Request::carrying) the TAT of its last
//! reply, and the server takes the larger. It must be that of the *last* reply: the largest of all
//! would deny for as long as the server's clock once stepped back (`wrong, CarriesLargest`). A TAT
//! beyond `now + tau` counts as `now + tau`.
//!
//! **All holders of a key must have the same quota.** A holder whose burst is smaller takes the TAT
//! of the others for one of a clock that stepped back, and shortens it. While a change of quota is
//! under way, that drops debts. So the quota belongs in the name of the key; then a change adds a
//! burst once.
//!
//! ## What it denies
//!
//! - A crash strands the permits of its leases. They refill at the rate (**c** of the model).
//! - Rounding costs less than a microsecond of the rate for each lease.
//! - `B − r · E` is what one moment can have. Short leases leave more of the burst, and cost more
//!   calls.
//!
//! # Leases in windows
//!
//! For quotas per day or month. [`Script::WINDOW`] counts the permits of an aligned window, and
//! unspent ones can be returned within it. A return has a sequence number, so that it counts once;
//! a request that runs twice strands its permits until the window ends.
//!
//! At most the limit is spent in each aligned window, by the server's clock, and at most twice the
//! limit in any interval as long as a window. A server that lost its state grants up to the limit
//! again. So does a clock that stepped forward over a boundary. A clock that stepped back over one
//! boundary stays in the later window. One that stepped back over more takes what is used along, so
//! it denies until the next boundary at most. The windows that come again then have their limit
//! again.
//!
//! Checks: `the_script_decides_as_its_twin_does` of the windows, and `a_window_obeys_its_limit`.

mod grant;
mod interval;
mod lease;
mod leases;
mod quota;
mod reply_error;
mod request;
mod script;
mod server_time;
mod state;
mod window;

pub use grant::Grant;
pub use lease::Lease;
pub use leases::Leases;
pub use quota::{LeaseQuota, LeaseQuotaError, StateLoss};
pub use reply_error::ReplyError;
pub use request::Request;
pub use script::Script;
pub use server_time::ServerTime;
pub use state::State;
pub use window::{
    Returned, WindowGrant, WindowQuota, WindowQuotaError, WindowRequest, WindowState,
};

/// The largest number that a double distinguishes from both its neighbours: 2⁵³ − 1.
const MOST: u64 = (1 << 53) - 1;
