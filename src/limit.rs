use crate::algorithm::{Algorithm, Weighted};
use crate::clock::Clock;
use crate::decision::{Admitted, Denied, Snapshot};
use crate::limiter::Limiter;
use crate::timestamp::Timestamp;
use core::convert::identity;

/// The operations of every limiter, as a trait for `dyn`: for an algorithm that is chosen at run
/// time.
///
/// Implemented by a [`Limiter`] with any algorithm and by a [`Key`](crate::Key) of a keyed limiter,
/// and by references to them. The methods are those of the limiter.
///
/// ```
/// use casgate::{Limit, Limiter, Quota};
///
/// fn from_config(algorithm: &str, quota: &str) -> Result<Box<dyn Limit>, Box<dyn std::error::Error>> {
///     let quota: Quota = quota.parse()?;
///     Ok(match algorithm {
///         "token_bucket" => Box::new(Limiter::token_bucket(quota)),
///         "sliding_window" => Box::new(Limiter::sliding_window(quota)),
///         _ => Box::new(Limiter::fixed_window(quota)),
///     })
/// }
///
/// let limiter = from_config("token_bucket", "100/min burst 20")?;
/// assert_eq!(limiter.check()?.remaining(), 19);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Limit {
    /// Asks for one permit now.
    ///
    /// ```
    /// # use casgate::{Limit, Limiter, Quota};
    /// let limiter: &dyn Limit = &Limiter::token_bucket(Quota::per_hour(1));
    /// assert!(limiter.check().is_ok() && limiter.check().is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the permit does not fit; nothing is spent.
    fn check(&self) -> Result<Admitted, Denied>;

    /// Asks for one permit at `now`.
    ///
    /// ```
    /// # use casgate::{Limit, Limiter, Quota, Timestamp};
    /// let limiter: &dyn Limit = &Limiter::sliding_window(Quota::per_hour(1));
    /// assert!(limiter.check_at(Timestamp::ZERO).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the permit does not fit; nothing is spent.
    fn check_at(&self, now: Timestamp) -> Result<Admitted, Denied>;

    /// Returns what is left now.
    ///
    /// ```
    /// # use casgate::{Limit, Limiter, Quota};
    /// let limiter: &dyn Limit = &Limiter::token_bucket(Quota::per_hour(3));
    /// assert_eq!(limiter.peek().remaining(), 3);
    /// ```
    fn peek(&self) -> Snapshot;

    /// Returns what is left at `now`.
    ///
    /// ```
    /// # use casgate::{Limit, Limiter, Quota, Timestamp};
    /// let limiter: &dyn Limit = &Limiter::token_bucket(Quota::per_hour(3));
    /// assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 3);
    /// ```
    fn peek_at(&self, now: Timestamp) -> Snapshot;
}

/// A [`Limit`] that takes several permits together and takes them back: all limiters but the
/// sliding window and the sharded ones.
///
/// ```
/// use casgate::{LimitN, Limiter, Quota, Timestamp};
///
/// let budget: Box<dyn LimitN> = Box::new(Limiter::token_bucket(Quota::per_second(64)));
/// let spent = budget.check_n_at(40, Timestamp::ZERO)?;
/// assert!(budget.check_n_at(40, Timestamp::ZERO).is_err());
/// budget.refund(&spent);
/// assert!(budget.check_n_at(40, Timestamp::ZERO).is_ok());
/// # Ok::<(), casgate::Denied>(())
/// ```
pub trait LimitN: Limit {
    /// Asks for `n` permits now: all or none.
    ///
    /// ```
    /// # use casgate::{LimitN, Limiter, Quota};
    /// let limiter: &dyn LimitN = &Limiter::token_bucket(Quota::per_hour(5));
    /// assert!(limiter.check_n(4).is_ok() && limiter.check_n(2).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the permits don't fit; nothing is spent.
    fn check_n(&self, n: u32) -> Result<Admitted, Denied>;

    /// Asks for `n` permits at `now`: all or none.
    ///
    /// ```
    /// # use casgate::{LimitN, Limiter, Quota, Timestamp};
    /// let limiter: &dyn LimitN = &Limiter::token_bucket(Quota::per_hour(5));
    /// assert!(limiter.check_n_at(4, Timestamp::ZERO).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if the permits don't fit; nothing is spent.
    fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied>;

    /// Gives back the permits of an admission whose work was not done. See [`Limiter::refund`].
    ///
    /// ```
    /// # use casgate::{LimitN, Limiter, Quota};
    /// let limiter: &dyn LimitN = &Limiter::token_bucket(Quota::per_hour(5));
    /// limiter.refund(&limiter.check_n(5)?);
    /// assert!(limiter.check_n(5).is_ok());
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    fn refund(&self, admitted: &Admitted);

    /// Spends `n` permits now, into debt if need be: for a cost that is known afterwards. See
    /// [`Limiter::charge`].
    ///
    /// ```
    /// # use casgate::{LimitN, Limiter, Quota};
    /// let limiter: &dyn LimitN = &Limiter::token_bucket(Quota::per_hour(5));
    /// limiter.charge(9)?;
    /// assert!(limiter.check().is_err());
    /// # Ok::<(), casgate::Denied>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Denied`] if it is a [`Key`](crate::Key) that has no slot and gets none with
    /// [`WhenFull::DenyNewKeys`](crate::WhenFull::DenyNewKeys); nothing is charged. A limiter keeps
    /// every charge.
    fn charge(&self, n: u32) -> Result<Admitted, Denied>;
}

/// The methods of `$to`, which `$this` is, or points at.
macro_rules! limit {
    ([$($generics:tt)*] $limiter:ty, $this:ident => $to:expr) => {
        impl<$($generics)*> Limit for $limiter {
            fn check(&self) -> Result<Admitted, Denied> {
                let $this = self;
                $to.check()
            }

            fn check_at(&self, now: Timestamp) -> Result<Admitted, Denied> {
                let $this = self;
                $to.check_at(now)
            }

            fn peek(&self) -> Snapshot {
                let $this = self;
                $to.peek()
            }

            fn peek_at(&self, now: Timestamp) -> Snapshot {
                let $this = self;
                $to.peek_at(now)
            }
        }
    };
}

macro_rules! limit_n {
    ([$($generics:tt)*] $limiter:ty, $this:ident => $to:expr, $charge:expr) => {
        impl<$($generics)*> LimitN for $limiter {
            fn check_n(&self, n: u32) -> Result<Admitted, Denied> {
                let $this = self;
                $to.check_n(n)
            }

            fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
                let $this = self;
                $to.check_n_at(n, now)
            }

            fn refund(&self, admitted: &Admitted) {
                let $this = self;
                $to.refund(admitted);
            }

            fn charge(&self, n: u32) -> Result<Admitted, Denied> {
                let $this = self;
                $charge($to.charge(n))
            }
        }
    };
}

limit!([A: Algorithm, C: Clock] Limiter<A, C>, this => this);
limit_n!([A: Weighted, C: Clock] Limiter<A, C>, this => this, Ok);
#[cfg(feature = "alloc")]
limit!([C: Clock, S] crate::Key<'_, C, S>, this => this);
#[cfg(feature = "alloc")]
limit_n!([C: Clock, S] crate::Key<'_, C, S>, this => this, identity);

limit!([L: Limit + ?Sized] &L, this => (**this));
limit_n!([L: LimitN + ?Sized] &L, this => (**this), identity);
#[cfg(feature = "alloc")]
limit!([L: Limit + ?Sized] alloc::boxed::Box<L>, this => (**this));
#[cfg(feature = "alloc")]
limit_n!([L: LimitN + ?Sized] alloc::boxed::Box<L>, this => (**this), identity);
#[cfg(feature = "std")]
limit!([L: Limit + ?Sized] std::sync::Arc<L>, this => (**this));
#[cfg(feature = "std")]
limit_n!([L: LimitN + ?Sized] std::sync::Arc<L>, this => (**this), identity);
