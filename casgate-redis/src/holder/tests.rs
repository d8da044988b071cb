//! What a holder asks for, and what it makes of replies.

use super::*;
use crate::protocol::{LeaseQuota, Returned, ServerTime, WindowQuota, WindowRequest};
use casgate::Quota;
use core::time::Duration;

const LIFETIME: Duration = Duration::from_millis(100);

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Nobody has asked, and there is no lease.
const QUIET: Look = Look {
    now: at(1_000),
    left: [0, 0],
    stock: 0,
    wanted: None,
    debt: 0,
    overspent: false,
    probing: false,
};

const fn wanting(least: u32, most: u32) -> Look {
    Look { wanted: Some(Wanted { least, most }), ..QUIET }
}

/// 1,000 per second, a burst of 400, of which the server grants 300 at once.
fn rate() -> Rate {
    Rate::new(LeaseQuota::new(Quota::per_second(1_000).with_burst(400), LIFETIME).unwrap())
}

/// 100 in a second, by holder 5.
fn window() -> Window {
    Window::new(WindowQuota::new(Quota::per_second(100)).unwrap(), LIFETIME, 5)
}

fn asked(step: Step) -> Vec<i64> {
    match step {
        Step::Ask { arguments, .. } => arguments,
        step => panic!("{step:?}"),
    }
}

fn trip(sent: u64, received: u64, random: f64) -> Trip {
    Trip { sent: at(sent), received: at(received), random }
}

/// What a rate wants, at least, carries, and was counted in.
fn asks(rate: &mut Rate, look: &Look) -> [i64; 4] {
    asked(rate.look(look))[9..].try_into().unwrap()
}

fn grant(rate: &mut Rate, permits: i64, received: u64) -> Reply {
    let reply = [permits, 5_000_000, 4_900_000, 24, 3, 0];
    rate.settle(&reply, trip(received - 2, received, 0.0)).unwrap()
}

#[test]
fn a_holder_asks_when_it_is_asked() {
    for holder in [&mut rate() as &mut dyn Holder, &mut window()] {
        assert_eq!(holder.look(&QUIET), Step::Rest);
        assert!(matches!(holder.look(&wanting(1, 1)), Step::Ask { .. }));
        assert!(matches!(holder.look(&Look { debt: 1, ..QUIET }), Step::Ask { .. }));
    }
}

#[test]
fn a_request_has_what_it_is_for() {
    let unknown = -1;
    assert_eq!(asks(&mut rate(), &wanting(1, 1)), [50, 1, 0, unknown]);
    assert_eq!(asks(&mut rate(), &wanting(2, 70)), [70, 2, 0, unknown]);
    assert_eq!(asks(&mut rate(), &Look { debt: 80, ..QUIET }), [80, 1, 0, unknown]);
    // No more than the server ever has.
    assert_eq!(asks(&mut rate(), &Look { debt: 5_000, ..QUIET }), [300, 1, 0, unknown]);
    // A probe asks for the smallest.
    assert_eq!(asks(&mut rate(), &Look { probing: true, ..wanting(2, 70) }), [2, 2, 0, unknown]);
    let overspent = Look { overspent: true, ..wanting(1, 1) };
    assert_eq!(asks(&mut rate(), &overspent)[2], ServerTime::MAX.as_micros() as i64);
}

#[test]
fn a_request_carries_the_last_reply() {
    let mut rate = rate();
    asks(&mut rate, &wanting(1, 1));
    grant(&mut rate, 50, 1_010);
    rate.count(50, at(1_010));
    let next = Look { now: at(1_020), ..wanting(1, 1) };
    assert_eq!(asks(&mut rate, &next)[2..], [5_000_000, 24]);
    // Not the largest of all.
    rate.settle(&[0, 3_000_000, 2_900_000, 14, 3, 0], trip(1_020, 1_021, 0.0)).unwrap();
    let next = Look { now: at(1_100), ..wanting(1, 1) };
    assert_eq!(asks(&mut rate, &next)[2..], [3_000_000, 14]);
}

#[test]
fn requests_that_found_too_few_are_kept_until_they_are_asked_for() {
    let mut rate = rate();
    asks(&mut rate, &wanting(1, 1));
    let reply = grant(&mut rate, 0, 1_010);
    assert_eq!(reply.look_at, at(1_030)); // a quarter of a lifetime, less a fifth
    let wait = Step::LookAt(reply.look_at);
    assert_eq!(rate.look(&Look { now: at(1_011), ..wanting(7, 9) }), wait);
    assert_eq!(rate.look(&Look { now: at(1_029), ..wanting(60, 60) }), wait);
    assert_eq!(asks(&mut rate, &Look { now: at(1_030), ..QUIET })[..2], [60, 7]);
    grant(&mut rate, 60, 1_031);
    assert_eq!(rate.look(&Look { now: at(1_032), ..QUIET }), Step::Rest);
}

#[test]
fn a_lease_is_asked_for_when_there_is_room_or_neither_can_serve() {
    for holder in [&mut rate() as &mut dyn Holder, &mut window()] {
        let [both, one] = [[5, 9], [5, 0]].map(|left| Look { left, ..wanting(9, 9) });
        assert!(!matches!(holder.look(&both), Step::Ask { .. }));
        assert!(matches!(holder.look(&one), Step::Ask { .. }));
        let none_has_ten = Look { left: [5, 9], ..wanting(10, 10) };
        assert!(matches!(holder.look(&none_has_ten), Step::Ask { .. }));
    }
}

/// More than one permit was spent in a lifetime, so the next lease is fetched before it is missed.
#[test]
fn a_holder_in_demand_asks_before_it_is_asked() {
    for spent in [0, 1, 2, 25] {
        let mut rate = rate();
        asks(&mut rate, &wanting(1, 1));
        grant(&mut rate, 50, 1_010);
        rate.count(50, at(1_010));
        let left = 50 - spent;
        let look = Look { now: at(1_060), left: [left, 0], stock: left.into(), ..QUIET };
        assert_eq!(matches!(rate.look(&look), Step::Ask { .. }), spent > 1, "{spent} spent");
    }
}

#[test]
fn a_full_reply_is_looked_at_again_before_its_lease_ends() {
    let mut rate = rate();
    asks(&mut rate, &wanting(1, 1));
    let reply = grant(&mut rate, 50, 1_010);
    let ends = at(1_008) + LIFETIME - Duration::from_micros(1);
    let expected = Reply {
        permits: 50,
        least: 1,
        denied_from: 1,
        soonest: Timestamp::ZERO,
        ends,
        standing: Standing::Ask,
        look_at: ends - LIFETIME / 4,
        holders: 3,
        full_at: at(1_110),
        lost: false,
        is_used_up: false,
        is_new_window: false,
    };
    assert_eq!(reply, expected);
    assert!(matches!(rate.look(&Look { now: at(1_011), ..wanting(1, 1) }), Step::Ask { .. }));
}

#[test]
fn a_short_reply_waits_for_permits_and_spreads() {
    for (random, wait) in [(0.0, 20), (0.5, 25), (1.0, 30)] {
        let mut rate = rate();
        asks(&mut rate, &wanting(1, 1));
        let reply = [49, 5_000_000, 4_900_000, 24, 3, 0];
        let reply = rate.settle(&reply, trip(1_008, 1_010, random)).unwrap();
        let until = at(1_010 + wait);
        assert_eq!((reply.look_at, reply.standing), (until, Standing::Denied { until }));
    }
    // The server has 60 permits 60 ms after it had none: that is longer.
    let mut rate = rate();
    asks(&mut rate, &wanting(60, 60));
    let reply = rate.settle(&[0, 5_300_000, 5_000_000, 24, 3, 0], trip(1_008, 1_010, 0.0)).unwrap();
    assert_eq!(reply.look_at, at(1_070));
}

/// A window's request.
fn request(want: u32, least: u32, returned: Option<(u32, u64, u64)>) -> Vec<i64> {
    let mut request = WindowRequest::new(want, 5).at_least(least);
    if let Some((permits, window, sequence)) = returned {
        request = request.returning(Returned { permits, window, sequence });
    }
    let quota = WindowQuota::new(Quota::per_second(100)).unwrap();
    request.arguments(&quota).map(|n| n as i64).to_vec()
}

fn grant_in(holder: &mut Window, window: i64, permits: i64, received: u64) -> Reply {
    // All that the window has left.
    let reply = [permits, window, 500_000, 0];
    holder.settle(&reply, trip(received - 2, received, 0.0)).unwrap()
}

#[test]
fn a_window_asks_for_the_largest_and_a_probe_for_the_smallest() {
    assert_eq!(asked(window().look(&wanting(2, 30))), request(30, 2, None));
    // Of a debt any permit pays a part.
    assert_eq!(asked(window().look(&Look { debt: 40, ..wanting(2, 30) })), request(40, 1, None));
    let probe = Look { probing: true, ..wanting(2, 30) };
    assert_eq!(asked(window().look(&probe)), request(2, 2, None));
}

#[test]
fn each_return_has_the_next_number_and_counts_once() {
    let mut window = window();
    asked(window.look(&wanting(9, 9)));
    let reply = grant_in(&mut window, 7, 9, 1_010);
    assert_eq!((reply.ends, reply.look_at), (at(1_108), at(1_108)));
    assert_eq!((reply.full_at, reply.standing), (at(1_508), Standing::Ask));
    window.count(9, at(1_010));
    window.take_back(4);
    window.take_back(3);
    assert_eq!(
        asked(window.look(&Look { now: at(1_110), ..QUIET })),
        request(2, 1, Some((7, 7, 1)))
    );
    // No reply: the same again, and what has come since in the next.
    window.take_back(1);
    assert_eq!(asked(window.look(&Look { now: at(1_200), ..QUIET }))[5..8], [7, 7, 1]);
    grant_in(&mut window, 7, 2, 1_210);
    assert_eq!(asked(window.look(&Look { now: at(1_220), ..QUIET }))[5..8], [1, 7, 2]);
    grant_in(&mut window, 7, 0, 1_230);
    window.count(0, at(1_230));
    assert_eq!(window.look(&Look { now: at(1_400), ..QUIET }), Step::Rest);
}

#[test]
fn what_was_not_returned_in_a_window_is_forgotten_in_the_next() {
    let mut window = window();
    asked(window.look(&wanting(9, 9)));
    grant_in(&mut window, 7, 9, 1_010);
    asked(window.look(&Look { now: at(1_050), ..wanting(9, 9) }));
    window.take_back(4);
    grant_in(&mut window, 8, 9, 1_110);
    assert_eq!(asked(window.look(&Look { now: at(1_111), ..wanting(9, 9) }))[5..8], [0, 0, 0]);
}

/// A denied holder still returns, and asks for nothing with it. A reply to that leaves the denial
/// as it is.
#[test]
fn a_denied_window_returns_without_asking() {
    let mut window = window();
    asked(window.look(&wanting(9, 9)));
    let reply = grant_in(&mut window, 7, 0, 1_010);
    let until = at(1_510); // the end of the window
    assert_eq!(reply.standing, Standing::Denied { until });
    assert_eq!(window.look(&Look { now: at(1_011), ..wanting(1, 1) }), Step::LookAt(until));
    window.take_back(4);
    let look = Look { now: at(1_100), ..wanting(1, 1) };
    assert_eq!(asked(window.look(&look)), request(0, 0, Some((4, 7, 1))));
    assert_eq!(grant_in(&mut window, 7, 0, 1_110).standing, Standing::Denied { until });
    // While leases live, it looks at their end.
    let look = Look { now: at(1_120), stock: 5, left: [5, 0], ..wanting(9, 9) };
    assert_eq!(window.look(&look), Step::LookAt(at(1_220)));
    let look = Look { now: at(1_450), stock: 5, left: [5, 0], ..wanting(9, 9) };
    assert_eq!(window.look(&look), Step::LookAt(until));
}

#[test]
fn some_permits_of_a_window_are_more_soon() {
    let mut window = window();
    asked(window.look(&wanting(9, 9)));
    let reply = grant_in(&mut window, 7, 5, 1_010);
    assert_eq!(reply.standing, Standing::Denied { until: at(1_030) });
    assert_eq!(reply.look_at, at(1_030));
}

#[test]
fn a_window_with_leases_looks_at_their_end() {
    let mut window = window();
    let look = Look { stock: 5, left: [5, 0], ..QUIET };
    assert_eq!(window.look(&look), Step::LookAt(at(1_100)));
    assert_eq!(window.look(&QUIET), Step::Rest);
    assert!(window.returns() && !rate().returns());
}
