use super::Lease;
use casgate::Timestamp;

/// The leases of one holder: the one it spends, and the next.
///
/// Two leases are never merged. One deadline for both would let the permits of one be spent too
/// late.
///
/// ```
/// use casgate::Timestamp;
/// use casgate_redis::protocol::{Lease, Leases};
/// use std::time::Duration;
///
/// let (zero, second) = (Timestamp::ZERO, Duration::from_secs(1));
/// let mut leases = Leases::new();
/// assert!(leases.add(Lease::new(2, zero, second), zero).is_ok());
/// assert!(leases.add(Lease::new(5, zero, second), zero).is_ok());
/// assert!(leases.spend(1, zero));
/// assert!(leases.spend(5, zero)); // of the next: the permit that the first has left is given up
/// assert!(!leases.spend(1, zero));
/// ```
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct Leases {
    current: Option<Lease>,
    next: Option<Lease>,
}

impl Leases {
    /// Makes a holder without a lease.
    ///
    /// ```
    /// # use casgate::Timestamp;
    /// assert_eq!(casgate_redis::protocol::Leases::new().left(Timestamp::ZERO), 0);
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self { current: None, next: None }
    }

    /// Adds a lease, as the next one if the current has permits. A lease that has none is dropped.
    ///
    /// ```
    /// # use casgate::Timestamp;
    /// # use casgate_redis::protocol::{Lease, Leases};
    /// # use std::time::Duration;
    /// let lease = || Lease::new(2, Timestamp::ZERO, Duration::from_secs(1));
    /// let mut leases = Leases::new();
    /// assert!(leases.add(lease(), Timestamp::ZERO).is_ok());
    /// assert!(leases.add(lease(), Timestamp::ZERO).is_ok());
    /// assert_eq!(leases.add(lease(), Timestamp::ZERO), Err(lease()));
    /// ```
    ///
    /// # Errors
    ///
    /// The lease, if the holder has two with permits. A holder that has a next lease had better not
    /// ask.
    pub fn add(&mut self, lease: Lease, now: Timestamp) -> Result<(), Lease> {
        self.drop_spent(now);
        if lease.left(now) == 0 {
            return Ok(());
        }
        let place = if self.current.is_none() { &mut self.current } else { &mut self.next };
        match place {
            Some(_) => Err(lease),
            None => {
                *place = Some(lease);
                Ok(())
            }
        }
    }

    /// Returns whether the holder has a next lease at `now`.
    ///
    /// ```
    /// # use casgate::Timestamp;
    /// # use casgate_redis::protocol::Leases;
    /// assert!(!Leases::new().has_next(Timestamp::ZERO));
    /// ```
    #[must_use]
    pub fn has_next(&self, now: Timestamp) -> bool {
        self.current.as_ref().is_some_and(|lease| lease.left(now) > 0)
            && self.next.as_ref().is_some_and(|lease| lease.left(now) > 0)
    }

    /// Returns the permits of both leases at `now`.
    ///
    /// ```
    /// # use casgate::Timestamp;
    /// # use casgate_redis::protocol::Leases;
    /// assert_eq!(Leases::new().left(Timestamp::ZERO), 0);
    /// ```
    #[must_use]
    pub fn left(&self, now: Timestamp) -> u64 {
        let left = |lease: &Option<Lease>| lease.as_ref().map_or(0, |lease| lease.left(now).into());
        left(&self.current) + left(&self.next)
    }

    /// Spends `permits` of one lease at `now`, and returns whether one had so many. When the
    /// current lease has fewer and the next has enough, the next becomes the current one, and the
    /// rest of the other is given up.
    ///
    /// ```
    /// # use casgate::Timestamp;
    /// # use casgate_redis::protocol::Leases;
    /// assert!(!Leases::new().spend(1, Timestamp::ZERO));
    /// ```
    #[must_use]
    pub fn spend(&mut self, permits: u32, now: Timestamp) -> bool {
        let spends = |lease: &mut Option<Lease>| {
            lease.as_mut().is_some_and(|lease| lease.spend(permits, now))
        };
        if spends(&mut self.current) {
            return true;
        }
        let spent = spends(&mut self.next);
        if spent {
            self.current = self.next.take();
        }
        spent
    }

    /// Drops leases without permits, and moves the next one up.
    fn drop_spent(&mut self, now: Timestamp) {
        for place in [&mut self.current, &mut self.next] {
            if place.as_ref().is_some_and(|lease| lease.left(now) == 0) {
                *place = None;
            }
        }
        if self.current.is_none() {
            self.current = self.next.take();
        }
    }
}
