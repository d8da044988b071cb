//! What each algorithm promises, in exact integers, for all intervals at once.

use crate::given::Kind;
use casgate::Quota;

/// The first interval that has more permits than the quota allows there, of a log of timestamps and permits in
/// any order. Permits that were given back count as credit.
pub(crate) fn broken(kind: Kind, quota: Quota, log: &[(u64, u32)], credit: u128) -> Option<String> {
    broken_by_more(kind, quota, log, credit, 0)
}

/// Likewise where timestamps in the log were rounded up to whole nanoseconds by less than `rounded`.
pub(crate) fn broken_by_more(
    kind: Kind,
    quota: Quota,
    log: &[(u64, u32)],
    credit: u128,
    rounded: u64,
) -> Option<String> {
    let mut log: Vec<(u64, u128)> = log.iter().map(|&(t, n)| (t, n.into())).collect();
    log.sort_unstable();
    let period = quota.period().as_nanos();
    for (i, &(from, _)) in log.iter().enumerate() {
        let mut sum = 0;
        for (j, &(to, n)) in log.iter().enumerate().skip(i) {
            sum += n;
            // All that was admitted at that timestamp counts.
            if log.get(j + 1).is_some_and(|&(t, _)| t == to) {
                continue;
            }
            let allowed = match kind {
                Kind::Bucket => {
                    let refilled =
                        u128::from(to - from + rounded) * u128::from(quota.permits()) / period;
                    u128::from(quota.burst()) + refilled
                }
                Kind::Window => {
                    let windows = u128::from(to) / period - u128::from(from) / period + 1;
                    u128::from(quota.permits()) * windows
                }
            };
            if sum > allowed + credit {
                return Some(format!("{sum} of {allowed} in [{from}, {to}] with {quota:?}"));
            }
        }
    }
    None
}

/// A checker that cannot fail proves nothing: each bound finds a log that breaks it by one.
#[test]
fn each_bound_finds_what_breaks_it() {
    let quota = Quota::new(3, std::time::Duration::from_nanos(10)).unwrap().with_burst(2);
    assert!(broken(Kind::Bucket, quota, &[(10, 2), (13, 1)], 0).is_some());
    assert!(broken(Kind::Bucket, quota, &[(10, 2), (13, 1)], 1).is_none());
    assert!(broken(Kind::Bucket, quota, &[(10, 2), (14, 1)], 0).is_none());
    assert!(broken(Kind::Bucket, quota, &[(14, 1), (10, 2), (15, 1)], 0).is_some());
    assert!(broken(Kind::Window, quota, &[(10, 3), (19, 1)], 0).is_some());
    assert!(broken(Kind::Window, quota, &[(9, 3), (10, 3)], 0).is_none());
    assert!(broken(Kind::Window, quota, &[(10, 1), (9, 3), (19, 3)], 0).is_some());
}
