//! Limiters with a cell for each core.

use super::Limiter;
use crate::algorithm::{Buckets, FixedWindow, Private, Sharded, TokenBucket, Windows};
use crate::clock::SystemClock;
use crate::quota::Quota;

impl Limiter<Sharded<FixedWindow>> {
    /// Makes a fixed window for many cores that ask at once. See [`Sharded`]. On x86-64 and AArch64 it
    /// allocates 128 bytes for each cell, here and never again. The limiter itself has 384 bytes there.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::sharded_fixed_window(Quota::per_second(1_000_000));
    /// assert!(limiter.is_allowed());
    /// ```
    #[must_use]
    pub fn sharded_fixed_window(quota: Quota) -> Self {
        let state = Windows::new(quota.permits());
        Self { state, algorithm: Sharded::new(FixedWindow::new(quota)), clock: SystemClock }
    }
}

impl<C> Limiter<Sharded<FixedWindow>, C> {
    /// Returns the same limiter on another clock.
    ///
    /// ```
    /// use casgate::clock::ManualClock;
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::sharded_fixed_window(Quota::per_second(1));
    /// assert!(limiter.with_clock(ManualClock::new()).is_allowed());
    /// ```
    #[must_use]
    pub fn with_clock<C2>(self, clock: C2) -> Limiter<Sharded<FixedWindow>, C2> {
        Limiter { state: self.state, algorithm: self.algorithm, clock }
    }

    /// Returns the same limiter, full, with so many cells, rounded up to a power of two: for threads that are
    /// bound to fewer cores than the machine has, or for a test.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::sharded_fixed_window(Quota::per_second(10)).with_cells(2);
    /// assert_eq!(limiter.peek().remaining(), 10);
    /// ```
    ///
    /// # Panics
    ///
    /// If there are more than 2¹⁶ cells.
    #[must_use]
    pub fn with_cells(mut self, cells: usize) -> Self {
        assert!(cells <= 1 << 16, "a sharded limiter has at most 65,536 cells");
        self.state = Windows::with_cells(cells.next_power_of_two());
        self
    }

    /// Returns the same limiter with `batch` permits at a time taken for each thread: for threads that ask all the
    /// time. See [`Private`] for what a thread may strand.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::sharded_fixed_window(Quota::per_hour(1_000)).private(16);
    /// assert!(limiter.is_allowed() && limiter.is_allowed()); // the first opens a cell
    /// assert_eq!(limiter.peek().remaining(), 1_000 - 1 - 16);
    /// ```
    #[must_use]
    pub fn private(self, batch: u32) -> Limiter<Private, C> {
        let algorithm = Private::new(self.algorithm, batch);
        Limiter { state: self.state, algorithm, clock: self.clock }
    }
}

impl Limiter<Sharded<TokenBucket>> {
    /// Makes a token bucket for many cores that ask at once. See [`Sharded`]. On x86-64 and AArch64 it
    /// allocates 128 bytes for each cell, here and never again. The limiter itself has 512 bytes there.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::sharded_token_bucket(Quota::per_second(1_000_000));
    /// assert!(limiter.is_allowed());
    /// ```
    #[must_use]
    pub fn sharded_token_bucket(quota: Quota) -> Self {
        let state = Buckets::new(quota.burst());
        let rule = TokenBucket::new(quota.with_burst(state.burst_of_parent()));
        Self { state, algorithm: Sharded::new(rule), clock: SystemClock }
    }
}

impl<C> Limiter<Sharded<TokenBucket>, C> {
    /// Returns the same limiter on another clock.
    ///
    /// ```
    /// use casgate::clock::ManualClock;
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::sharded_token_bucket(Quota::per_second(1));
    /// assert!(limiter.with_clock(ManualClock::new()).is_allowed());
    /// ```
    #[must_use]
    pub fn with_clock<C2>(self, clock: C2) -> Limiter<Sharded<TokenBucket>, C2> {
        Limiter { state: self.state, algorithm: self.algorithm, clock }
    }

    /// Returns the same limiter, full, with so many cells, rounded up to a power of two: for threads that are
    /// bound to fewer cores than the machine has, or for a test.
    ///
    /// ```
    /// use casgate::{Limiter, Quota};
    /// let limiter = Limiter::sharded_token_bucket(Quota::per_second(100)).with_cells(2);
    /// assert_eq!(limiter.peek().remaining(), 100);
    /// ```
    ///
    /// # Panics
    ///
    /// If there are more than 256 cells.
    #[must_use]
    pub fn with_cells(self, cells: usize) -> Self {
        assert!(cells <= 256, "a sharded token bucket has at most 256 cells");
        let state = Buckets::with_cells(self.state.burst(), cells.next_power_of_two());
        let rule = self.algorithm.rule().with_burst(state.burst_of_parent());
        Self { state, algorithm: Sharded::new(rule), clock: self.clock }
    }
}
