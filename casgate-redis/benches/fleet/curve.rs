use crate::bound::Bucket;
use casgate::Quota;

/// The most that a fleet admitted beyond `rate · time`, over every interval, in permits.
///
/// `admitted` has an instant for each permit, in nanoseconds and in order.
pub(crate) fn greatest_burst(admitted: &[u64], quota: &Quota) -> f64 {
    let mut bucket = Bucket::new(quota);
    admitted.iter().map(|&at| bucket.add(at, 1)).fold(0.0, f64::max)
}

/// Shown what it must find, before it is trusted.
pub(crate) fn check_itself() {
    let quota = Quota::per_second(1_000).with_burst(10);
    let millis = |list: &[u64]| list.iter().map(|at| at * 1_000_000).collect::<Vec<_>>();
    assert_eq!(greatest_burst(&[], &quota), 0.0);
    // Ten at once, and one in each millisecond after that.
    let exact = millis(&[5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 7, 8]);
    assert_eq!(greatest_burst(&exact, &quota), 10.0);
    // One more, late.
    let one_more = millis(&[5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 7, 8, 8]);
    assert_eq!(greatest_burst(&one_more, &quota), 11.0);
    // What refilled before is no excuse for what is beyond the burst.
    let after_a_pause = millis(&[5, 900, 900, 900, 900, 900, 900, 900, 900, 900, 900, 900]);
    assert_eq!(greatest_burst(&after_a_pause, &quota), 11.0);
}
