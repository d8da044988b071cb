use super::KeyedLimiter;
use super::key::Key;
use super::place::Place;
use crate::Timestamp;
use crate::clock::Clock;
use crate::decision::{Admitted, Denied};
use core::hash::{BuildHasher, Hash};

/// Keys whose memory is asked for together: about as many lines as a core can wait for at once.
const TOGETHER: usize = 16;

impl<C, S: BuildHasher> KeyedLimiter<C, S> {
    /// Asks for one permit of each of many keys at `now`, and hands each answer to `each` with the
    /// key's index.
    ///
    /// The same decisions as one by one, in that order. Where the table is larger than the cache it
    /// takes a fraction of the time, since the memory of sixteen keys is asked for at once.
    ///
    /// ```
    /// use casgate::{KeyedLimiter, Quota, Timestamp};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(2), 100);
    /// let mut passed = Vec::new();
    /// limiter.check_many_at(&["a", "a", "b", "a"], Timestamp::ZERO, |i, answer| {
    ///     if answer.is_ok() {
    ///         passed.push(i);
    ///     }
    /// });
    /// assert_eq!(passed, [0, 1, 2]);
    /// ```
    pub fn check_many_at<Q: Hash>(
        &self,
        keys: &[Q],
        now: Timestamp,
        mut each: impl FnMut(usize, Result<Admitted, Denied>),
    ) {
        self.together(keys, || now, |i, key, now| each(i, key.check_at(now)));
    }

    /// `now` is called once for all that are taken together.
    #[inline(always)]
    fn together<Q: Hash>(
        &self,
        keys: &[Q],
        now: impl Fn() -> Timestamp,
        mut each: impl FnMut(usize, Key<'_, C, S>, Timestamp),
    ) {
        let mut first = 0;
        for keys in keys.chunks(TOGETHER) {
            let mut places = [Place::default(); TOGETHER];
            // Hashed first: so many instructions between two loads would keep the second from being on its
            // way with the first.
            for (place, key) in places.iter_mut().zip(keys) {
                *place = self.locate(key);
            }
            for place in &places[..keys.len()] {
                self.table.touch(*place);
            }
            let now = now();
            for (i, place) in places[..keys.len()].iter().enumerate() {
                each(first + i, Key::new(self, *place), now);
            }
            first += keys.len();
        }
    }
}

impl<C: Clock, S: BuildHasher> KeyedLimiter<C, S> {
    /// Asks for one permit of each of many keys now. See [`check_many_at`](Self::check_many_at).
    /// Reads the clock once for sixteen keys, and again for each that its quota would deny.
    ///
    /// ```
    /// # use casgate::{KeyedLimiter, Quota};
    /// let limiter = KeyedLimiter::token_bucket(Quota::per_hour(2), 100);
    /// let mut passed = 0;
    /// limiter.check_many(&[7, 7, 7], |_, answer| passed += u32::from(answer.is_ok()));
    /// assert_eq!(passed, 2);
    /// ```
    pub fn check_many<Q: Hash>(
        &self,
        keys: &[Q],
        mut each: impl FnMut(usize, Result<Admitted, Denied>),
    ) {
        self.together(keys, || self.clock.recent(), |i, key, now| each(i, key.check_as_of(now)));
    }
}
