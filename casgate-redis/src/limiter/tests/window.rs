//! A limit for each window.

use super::*;
use crate::outage::OnUnavailable;

/// 100 in a second, leases of 100 ms.
fn window() -> Alone {
    Alone::new(FleetQuota::window(Quota::per_second(100)).lifetime(millis(100)))
}

impl Alone {
    /// A reply of so many permits in that window, which ends so many milliseconds later.
    fn grant_in(&self, window: i64, permits: i64, now: u64, ends_in: i64) -> Timestamp {
        let trip = Trip { sent: at(now - 1), received: at(now), random: 0.5 };
        let left = if permits == 0 { 0 } else { 50 };
        self.shared.settle(&[permits, window, 1_000 * ends_in, left], trip).unwrap()
    }

    /// What it wants of a window script, and what it returns of which window.
    fn want_in(&self, now: u64) -> [i64; 3] {
        let arguments = self.asks(now);
        [arguments[2], arguments[5], arguments[6]]
    }
}

#[test]
fn a_lease_of_a_window_ends_with_it() {
    let limit = window();
    let _ = limit.miss(40, 10);
    let Step::Ask { script, .. } = limit.look(10) else { panic!() };
    assert_eq!(script, Script::WINDOW);
    assert_eq!(limit.grant_in(7, 40, 11, 50), at(60));
    assert!(limit.spend(1, 58).is_some() && limit.spend(1, 60).is_none());
}

#[test]
fn what_is_left_of_a_window_is_returned_in_it() {
    let limit = window();
    let _ = limit.miss(40, 10);
    assert_eq!(limit.want_in(10), [40, 0, 0]);
    limit.grant_in(7, 40, 11, 500);
    assert!(limit.spend(1, 12).is_some());
    assert_eq!(limit.want_in(111), [0, 39, 7]);
    // Again if there is no reply, the same.
    limit.fail(120);
    assert_eq!(limit.want_in(121), [0, 39, 7]);
    limit.grant_in(7, 0, 122, 400);
    assert_eq!(limit.look(123), Step::Rest);
    assert_eq!(limit.shared.stock.permits(), 0);
}

/// Else they would be granted again in a window that they are not of.
#[test]
fn what_is_left_of_a_window_is_not_returned_in_the_next() {
    let limit = window();
    let _ = limit.miss(2, 10);
    limit.asks(10);
    limit.grant_in(7, 2, 11, 80);
    let _ = limit.miss(40, 12);
    limit.asks(12);
    limit.grant_in(7, 40, 13, 78);
    // Of the first of two places: a lease of the next window comes there.
    assert!(limit.spend(2, 14).is_some());
    let _ = limit.miss(50, 85);
    assert_eq!(limit.want_in(85)[1..], [0, 0]);
    limit.grant_in(8, 50, 92, 999);
    assert_eq!(limit.shared.stock.permits(), 50);
    let _ = limit.miss(60, 93);
    assert_eq!(limit.want_in(93)[1..], [0, 0]);
}

#[test]
fn a_lease_that_a_reply_replaces_is_returned() {
    let limit = window();
    let _ = limit.miss(40, 10);
    limit.asks(10);
    limit.grant_in(7, 40, 11, 900);
    let _ = limit.miss(50, 105);
    assert_eq!(limit.want_in(105)[1..], [0, 0]);
    limit.grant_in(7, 50, 112, 800); // the first is over by then
    assert_eq!(limit.shared.stock.permits(), 50);
    let _ = limit.miss(60, 113);
    assert_eq!(limit.want_in(113)[1..], [40, 7]);
}

#[test]
fn a_window_without_permits_denies_until_it_ends() {
    let limit = window();
    let _ = limit.miss(1, 10);
    limit.asks(10);
    assert_eq!(limit.grant_in(7, 0, 11, 600), at(110));
    assert_eq!(limit.denied(1, 11).retry_after(), Some(millis(602)));
    assert_eq!(limit.look(110), Step::LookAt(at(611)));
}

/// A window in an outage in which everything is allowed, of which the process has had 40.
fn in_an_outage() -> Alone {
    let quota = FleetQuota::window(Quota::per_second(100)).lifetime(millis(100));
    let limit = Alone::new(quota.on_unavailable(OnUnavailable::allow()));
    let _ = limit.miss(40, 10);
    limit.asks(10);
    limit.grant_in(7, 40, 11, 900); // ends at 910
    assert!(limit.spend(40, 12).is_some());
    limit.fail(120);
    limit
}

#[test]
fn what_is_spent_in_an_outage_is_paid_with_leases_of_the_window() {
    let limit = in_an_outage();
    assert!((0..30).all(|_| limit.miss(1, 121).is_ok()));
    assert!(limit.shared.is_owing(at(122)));
    // A probe asks for as little as it can, and after it the rest is asked for at once.
    let Step::Ask { arguments, .. } = limit.shared.look(at(122), true) else { panic!() };
    assert_eq!(arguments[2], 1);
    assert_eq!(limit.grant_in(7, 1, 123, 787), at(123));
    assert_eq!(limit.want_in(123), [29, 0, 0]);
    // Of a reply that is short, what there is.
    limit.grant_in(7, 25, 124, 786);
    assert_eq!(limit.shared.stock.permits(), 0);
    assert!(limit.shared.is_owing(at(125)) && limit.denied(1, 125).retry_after().is_some());
    assert_eq!(limit.want_in(160), [4, 0, 0]);
    limit.grant_in(7, 4, 161, 749);
    assert!(!limit.shared.is_owing(at(162)));
    assert_eq!(limit.shared.stock.permits(), 0);
}

#[test]
fn what_was_spent_in_a_window_is_not_paid_in_the_next() {
    let limit = in_an_outage();
    assert!(limit.miss(30, 121).is_ok());
    assert!(limit.shared.is_owing(at(909)) && !limit.shared.is_owing(at(910)));
    let _ = limit.miss(40, 930);
    assert_eq!(limit.want_in(930)[0], 40);
    limit.grant_in(8, 40, 931, 979);
    assert_eq!(limit.shared.stock.permits(), 40);
}

/// Else a key of a full map would keep its place until the window ends.
#[test]
fn what_a_window_cannot_pay_is_forgotten() {
    let limit = in_an_outage();
    assert!(limit.miss(500, 121).is_err() && limit.miss(100, 121).is_ok());
    let Step::Ask { .. } = limit.shared.look(at(122), true) else { panic!() };
    limit.grant_in(7, 0, 123, 787);
    assert!(!limit.shared.is_owing(at(124)));
    assert_eq!(limit.denied(1, 124).retry_after(), Some(millis(788)));
}
