use casgate::clock::ManualClock;
use casgate::{Limit, Limiter, Quota, QuotaError, StrictQuota, Timestamp};
use std::collections::VecDeque;
use std::fmt;
use wasm_bindgen::prelude::wasm_bindgen;

/// One algorithm with one quota, which decides requests at the timestamps that it is given.
///
/// ```
/// let mut trial = playground::Trial::new("fixed window", "2/s").unwrap();
/// trial.begin(3);
/// assert_eq!([trial.ask(0.0, 0), trial.ask(0.0, 1), trial.ask(0.0, 2)], [0.0, 0.0, 999_999_998.0]);
/// assert_eq!((trial.most(), trial.bound()), (2, 4.0));
/// ```
#[wasm_bindgen]
pub struct Trial {
    algorithm: Algorithm,
    quota: Quota,
    limiter: Box<dyn Limit>,
    /// The admissions of the last period.
    recent: VecDeque<Timestamp>,
    most: usize,
}

#[derive(Clone, Copy, Debug)]
enum Algorithm {
    TokenBucket,
    FixedWindow,
    SlidingWindow,
    StrictWindow(StrictQuota),
}

#[wasm_bindgen]
impl Trial {
    /// Makes a trial of an algorithm, by its name, with the text of a quota. Call [`begin`](Self::begin) next.
    ///
    /// A strict window admits so many at once as the quota's burst says, or one if the quota has no burst of its own.
    ///
    /// ```
    /// # use playground::Trial;
    /// assert!(Trial::new("strict window", "10/s burst 4").is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// A text for the reader if there is no such algorithm, or if the text is no quota, or none for this algorithm.
    #[wasm_bindgen(constructor)]
    pub fn new(algorithm: &str, quota: &str) -> Result<Trial, String> {
        let quota: Quota = quota.parse().map_err(text)?;
        let algorithm = match algorithm {
            "token bucket" => Algorithm::TokenBucket,
            "fixed window" => Algorithm::FixedWindow,
            "sliding window" => Algorithm::SlidingWindow,
            "strict window" => Algorithm::StrictWindow(strict(quota).map_err(text)?),
            other => return Err(format!("there is no algorithm {other:?}")),
        };
        let limiter = limiter(algorithm, quota, 1);
        Ok(Self { algorithm, quota, limiter, recent: VecDeque::new(), most: 0 })
    }

    /// Begins with a full limiter, which will be asked at most so many times.
    ///
    /// ```
    /// # use playground::Trial;
    /// let mut trial = Trial::new("sliding window", "1/s")?;
    /// trial.begin(2);
    /// assert_eq!(trial.ask(5.0, 0), 0.0);
    /// trial.begin(2);
    /// assert_eq!(trial.ask(5.0, 0), 0.0);
    /// # Ok::<(), String>(())
    /// ```
    pub fn begin(&mut self, requests: u32) {
        self.limiter = limiter(self.algorithm, self.quota, requests);
        self.recent.clear();
        self.most = 0;
    }

    /// Asks for a permit at so many seconds and nanoseconds. Returns 0 if it is admitted, and the nanoseconds of
    /// `retry_after` if it is denied: infinity if no wait helps.
    ///
    /// ```
    /// # use playground::Trial;
    /// let mut trial = Trial::new("token bucket", "2/s burst 1")?;
    /// trial.begin(2);
    /// assert_eq!([trial.ask(1.0, 250), trial.ask(1.0, 250)], [0.0, 5e8]);
    /// # Ok::<(), String>(())
    /// ```
    pub fn ask(&mut self, secs: f64, nanos: u32) -> f64 {
        let nanos = (secs as u64).saturating_mul(1_000_000_000).saturating_add(nanos.into());
        let now = Timestamp::from_nanos(nanos);
        match self.limiter.check_at(now) {
            Ok(_) => {
                self.count(now);
                0.0
            }
            Err(denied) => {
                denied.retry_after().map_or(f64::INFINITY, |wait| wait.as_nanos() as f64)
            }
        }
    }

    /// Returns the most permits that it has admitted in any half-open interval of a period, since it began. The
    /// timestamps must be in order.
    ///
    /// ```
    /// # use playground::Trial;
    /// let mut trial = Trial::new("fixed window", "2/s")?;
    /// trial.begin(4);
    /// assert!([0.8, 0.9, 1.1, 1.2].iter().all(|secs| trial.ask(0.0, (secs * 1e9) as u32) == 0.0));
    /// assert_eq!(trial.most(), 4);
    /// # Ok::<(), String>(())
    /// ```
    #[must_use]
    pub fn most(&self) -> u32 {
        self.most as u32
    }

    /// Returns the most permits that the documentation allows it to admit in any half-open interval of a period.
    ///
    /// ```
    /// # use playground::Trial;
    /// for (algorithm, bound) in [
    ///     ("token bucket", 13.0),
    ///     ("fixed window", 20.0),
    ///     ("sliding window", 10.0),
    ///     ("strict window", 10.0),
    /// ] {
    ///     assert_eq!(Trial::new(algorithm, "10/s burst 4")?.bound(), bound);
    /// }
    /// # Ok::<(), String>(())
    /// ```
    #[must_use]
    pub fn bound(&self) -> f64 {
        let limit = f64::from(self.quota.permits());
        match self.algorithm {
            // Its timestamps are at most W − 1 ns apart: b + ⌊(W − 1)·L/W⌋, and L is at most W in nanoseconds. Half a
            // nanosecond more does not reach L either.
            Algorithm::TokenBucket => f64::from(self.quota.burst()) + limit - 1.0,
            Algorithm::FixedWindow => 2.0 * limit,
            Algorithm::SlidingWindow | Algorithm::StrictWindow(_) => limit,
        }
    }

    /// Returns the quota's shortest text.
    ///
    /// ```
    /// assert_eq!(playground::Trial::new("token bucket", "60 per 60s")?.quota(), "60/min");
    /// # Ok::<(), String>(())
    /// ```
    #[must_use]
    pub fn quota(&self) -> String {
        self.quota.to_string()
    }

    /// Returns the quota's permits.
    ///
    /// ```
    /// assert_eq!(playground::Trial::new("token bucket", "60/min")?.permits(), 60);
    /// # Ok::<(), String>(())
    /// ```
    #[must_use]
    pub fn permits(&self) -> u32 {
        self.quota.permits()
    }

    /// Returns how many permits the algorithm admits at once.
    ///
    /// ```
    /// # use playground::Trial;
    /// assert_eq!(Trial::new("token bucket", "60/min burst 5")?.burst(), 5);
    /// assert_eq!(Trial::new("fixed window", "60/min burst 5")?.burst(), 60);
    /// assert_eq!(Trial::new("strict window", "60/min")?.burst(), 1);
    /// # Ok::<(), String>(())
    /// ```
    #[must_use]
    pub fn burst(&self) -> u32 {
        match self.algorithm {
            Algorithm::TokenBucket => self.quota.burst(),
            Algorithm::FixedWindow | Algorithm::SlidingWindow => self.quota.permits(),
            Algorithm::StrictWindow(strict) => strict.burst(),
        }
    }

    /// Returns the nanoseconds of the quota's period.
    ///
    /// ```
    /// assert_eq!(playground::Trial::new("token bucket", "60/min")?.period(), 60e9);
    /// # Ok::<(), String>(())
    /// ```
    #[must_use]
    pub fn period(&self) -> f64 {
        self.quota.period().as_nanos() as f64
    }
}

impl Trial {
    fn count(&mut self, now: Timestamp) {
        let is_old = |&at: &Timestamp| now.saturating_duration_since(at) >= self.quota.period();
        while self.recent.front().is_some_and(is_old) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        self.most = self.most.max(self.recent.len());
    }
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { algorithm, quota, most, .. } = self;
        f.debug_struct("Trial")
            .field("algorithm", algorithm)
            .field("quota", quota)
            .field("most", most)
            .finish_non_exhaustive()
    }
}

fn limiter(algorithm: Algorithm, quota: Quota, requests: u32) -> Box<dyn Limit> {
    // No clock is read. The trait wants one all the same.
    let clock = ManualClock::new();
    match algorithm {
        Algorithm::TokenBucket => Box::new(Limiter::token_bucket(quota).with_clock(clock)),
        Algorithm::FixedWindow => Box::new(Limiter::fixed_window(quota).with_clock(clock)),
        Algorithm::SlidingWindow => {
            let quota = enough_slots(quota, requests);
            Box::new(Limiter::sliding_window(quota).with_clock(clock))
        }
        Algorithm::StrictWindow(quota) => Box::new(Limiter::strict(quota).with_clock(clock)),
    }
}

/// A quota of no more permits than there are requests. With as many slots as requests none is denied, so more slots
/// change no decision. They would take 8 bytes each, and a quota can have 4 billion.
fn enough_slots(quota: Quota, requests: u32) -> Quota {
    let permits = quota.permits().min(requests.max(1));
    Quota::new(permits, quota.period()).unwrap_or(quota)
}

/// The burst is one unless it is set: the default of [`Quota::at_most`].
fn strict(quota: Quota) -> Result<StrictQuota, QuotaError> {
    let (limit, burst) = (quota.permits(), quota.burst());
    let at_most = Quota::at_most(limit);
    let at_most = if burst == limit { at_most } else { at_most.with_burst(burst) };
    at_most.try_in_any(quota.period())
}

fn text(error: impl fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests;
