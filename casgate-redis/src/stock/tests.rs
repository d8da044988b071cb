use super::*;

/// The beginning of a tick.
const fn at(tick: u64) -> Timestamp {
    Timestamp::from_nanos(tick << 20)
}

/// A stock of leases: their permits, and the ticks in which they end.
fn stock(leases: &[(u32, u64)]) -> Stock {
    let stock = Stock::new();
    for &(permits, ends) in leases {
        assert_eq!(stock.put(Word::new(permits, at(ends)), at(0)), 0);
    }
    stock
}

#[test]
fn a_lease_takes_the_place_of_the_one_with_fewest_permits() {
    let stock = stock(&[(4, 10), (6, 20)]);
    // If it has no more, it is lost itself.
    assert_eq!(stock.put(Word::new(4, at(30)), at(9)), 4);
    assert_eq!(stock.left(at(9)), [4, 6]);
    assert_eq!(stock.put(Word::new(5, at(30)), at(9)), 4);
    assert_eq!((stock.left(at(9)), stock.permits()), ([5, 6], 11));
    // One that is over has none.
    assert_eq!(stock.put(Word::new(1, at(40)), at(20)), 6);
    assert_eq!(stock.left(at(20)), [5, 1]);
}

#[test]
fn a_spend_is_of_one_lease_and_tells_which() {
    let stock = stock(&[(4, 10), (6, 20)]);
    assert_eq!(stock.spend(7, at(0)), None);
    assert_eq!(stock.spend(5, at(0)), Some(Spent { left: 1, tick: 20, is_low: true }));
    assert_eq!(stock.spend(4, at(0)), Some(Spent { left: 0, tick: 10, is_low: true }));
    assert_eq!(stock.spend(1, at(0)), Some(Spent { left: 0, tick: 20, is_low: false }));
    assert_eq!(stock.spend(1, at(0)), None);
}

#[test]
fn one_spend_of_a_lease_sees_that_it_is_low() {
    for permits in 1..10 {
        let stock = stock(&[(permits, 10)]);
        let low: Vec<u32> = (0..permits)
            .filter_map(|_| stock.spend(1, at(0)))
            .filter(|spent| spent.is_low)
            .map(|spent| spent.left)
            .collect();
        assert_eq!(low, [permits / 2]);
    }
}

#[test]
fn a_drain_takes_of_both_and_no_more_than_it_is_asked_for() {
    let stock = stock(&[(4, 10), (6, 20)]);
    assert_eq!(stock.drain(0, at(0)), (0, false));
    assert_eq!(stock.drain(1, at(0)), (1, true)); // of the first, which is at its mark by that
    assert_eq!(stock.drain(5, at(0)), (5, true));
    assert_eq!(stock.permits(), 4);
    assert_eq!(stock.drain(9, at(0)), (4, false));
    assert_eq!(stock.drain(1, at(0)), (0, false));
}

#[test]
fn what_is_over_is_taken_with_its_deadline() {
    let stock = stock(&[(4, 10), (6, 20)]);
    assert_eq!(stock.take_over(at(9)), 0);
    assert_eq!((stock.take_over(at(10)), stock.permits()), (4, 6));
    // Nothing comes back to it, even by a timestamp from before its end.
    assert!(!stock.give_back(1, 10, at(9)));
    assert_eq!((stock.take_over(at(20)), stock.take_over(at(20))), (6, 0));
}

#[test]
fn permits_go_back_to_their_own_lease_while_it_lives() {
    let stock = stock(&[(4, 10), (6, 20)]);
    assert!(stock.spend(2, at(0)).is_some());
    assert!(stock.give_back(1, 10, at(9)));
    assert_eq!(stock.left(at(9)), [3, 6]);
    assert!(!stock.give_back(1, 10, at(10)) && !stock.give_back(1, 11, at(9)));
    assert!(!stock.give_back(Word::MOST, 20, at(9)));
    assert!(stock.give_back(1, 20, at(19)));
    assert_eq!(stock.permits(), 10);
    // A stock without leases has none that ends in tick 0.
    assert!(!Stock::new().give_back(1, 0, at(0)));
}

/// Of a lease that is spent too. [`Stock::take_over`] left its deadline: a refund by a thread that
/// stood still since before its end was then taken in the next window, as of that one.
#[test]
fn what_is_given_back_late_is_lost() {
    for spent in [3, 10] {
        let stock = stock(&[(10, 10)]);
        assert!(stock.spend(spent, at(5)).is_some());
        assert_eq!(stock.take_over(at(9)), 0);
        assert!(stock.give_back(1, 10, at(9)) && stock.spend(1, at(9)).is_some());
        assert_eq!(stock.take_over(at(10)), 10 - spent);
        assert!(!stock.give_back(spent, 10, at(9)));
        assert_eq!(stock.take_over(at(11)), 0);
    }
}
