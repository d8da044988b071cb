use casgate::Quota;

/// The bound, as a bucket that leaks: what was admitted flows in, and the rate flows out. It never has more than the
/// burst in it if no interval of time has more than `burst + rate · time`.
///
/// It counts in parts: as many of them as the quota has permits leak in a nanosecond, and a permit is as many as the
/// period has nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    leaks: u128,
    permit: u128,
    level: u128,
    at: u64,
}

impl Bucket {
    pub(crate) fn new(quota: &Quota) -> Self {
        let (leaks, permit) = (quota.permits().into(), quota.period().as_nanos());
        Self { leaks, permit, level: 0, at: 0 }
    }

    /// What is in it at that nanosecond, in permits. Time does not go back.
    pub(crate) fn level(&mut self, at: u64) -> f64 {
        self.level = self.level.saturating_sub(u128::from(at - self.at) * self.leaks);
        self.at = at;
        self.level as f64 / self.permit as f64
    }

    /// Adds permits, and returns what is in it then.
    pub(crate) fn add(&mut self, at: u64, permits: u32) -> f64 {
        self.level(at);
        self.level += u128::from(permits) * self.permit;
        self.level as f64 / self.permit as f64
    }
}

#[cfg(test)]
#[test]
fn it_holds_the_most_of_any_interval() {
    let mut bucket = Bucket::new(&Quota::per_second(1_000).with_burst(10));
    let millis = |at: u64| at * 1_000_000;
    assert_eq!(bucket.add(millis(5), 10), 10.0);
    assert_eq!(bucket.add(millis(6), 1), 10.0);
    // One more than the bound has.
    assert_eq!(bucket.add(millis(6), 1), 11.0);
    assert_eq!(bucket.level(millis(16)), 1.0);
    // What has leaked by then makes no room below empty.
    assert_eq!(bucket.add(millis(900), 11), 11.0);
}
