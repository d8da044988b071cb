//! Sentences of the documentation of the sharded limiters, and what broke them.

use casgate::algorithm::Sharded;
use casgate::clock::Clock;
use casgate::{FixedWindow, Limiter, Quota, Reason, Timestamp, TokenBucket};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn window(permits: u32, cells: usize) -> Limiter<Sharded<FixedWindow>> {
    Limiter::sharded_fixed_window(Quota::per_second(permits)).with_cells(cells)
}

fn bucket(burst: u32, cells: usize) -> Limiter<Sharded<TokenBucket>> {
    let quota = Quota::per_second(1).with_burst(burst);
    Limiter::sharded_token_bucket(quota).with_cells(cells)
}

/// A clock whose cheap timestamp a thread took long ago: it was stopped since.
struct Stopped {
    took: Timestamp,
    now: Timestamp,
}

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn recent(&self) -> Timestamp {
        self.took
    }

    fn max_lag(&self) -> Duration {
        Duration::ZERO
    }
}

/// "A denial means that nothing was left."
#[test]
fn the_last_window_of_a_new_limiter_is_full() {
    assert!(window(10, 2).check_at(Timestamp::MAX).is_ok());
    let longest = Quota::new(3, Duration::from_nanos(1 << 61)).unwrap();
    let limiter = Limiter::sharded_fixed_window(longest);
    assert!(limiter.check_at(Timestamp::from_nanos(7 << 61)).is_ok());
}

/// "No request panics or wraps."
#[test]
fn the_last_timestamp_of_the_shortest_window_is_out_of_range() {
    let fastest = Quota::new(1, Duration::from_nanos(1)).unwrap();
    let limiter = Limiter::sharded_fixed_window(fastest);
    let denied = limiter.check_at(Timestamp::MAX).unwrap_err();
    assert_eq!(denied.reason(), Reason::OutOfRange);
    assert_eq!(limiter.peek_at(Timestamp::MAX).remaining(), 0);
}

/// "`Admitted::remaining` counts one cell or the parent, so it is a lower bound", and `reset_after` is how long until the
/// limiter is full.
#[test]
fn a_request_for_nothing_reports_what_is_left_at_its_timestamp() {
    let limiter = window(10, 2);
    limiter.refund(&limiter.check_n_at(1, Timestamp::ZERO).unwrap());
    let now = Timestamp::ZERO + SECOND;
    for left in (0..10).rev() {
        assert!(limiter.check_at(now).is_ok());
        let nothing = limiter.check_n_at(0, now).unwrap();
        assert_eq!((nothing.remaining(), nothing.reset_after()), (left, SECOND));
    }
}

/// "The state shows a later timestamp than the caller's. The thread was stopped after it took its timestamp, and others
/// moved on. This holds for every clock. A fixed window shows it once somebody has been admitted in a later window."
fn a_stopped_thread_is_not_denied_in_a_new_window(cells: usize) {
    let limiter = window(4, cells);
    while limiter.is_allowed_at(Timestamp::ZERO) {}
    let later = Timestamp::ZERO + SECOND;
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(limiter.is_allowed_at(later)));
    });
    let limiter = limiter.with_clock(Stopped { took: Timestamp::ZERO, now: later });
    assert!(limiter.is_allowed());
    assert!(limiter.check().is_ok());
}

#[test]
fn a_stopped_thread_is_not_denied_in_a_new_window_that_its_cell_shows() {
    a_stopped_thread_is_not_denied_in_a_new_window(1);
}

#[test]
fn a_stopped_thread_is_not_denied_in_a_new_window_that_another_cell_shows() {
    a_stopped_thread_is_not_denied_in_a_new_window(4);
}

/// The same sentence, and "a token bucket while more than the burst is outstanding as of the old timestamp".
#[test]
fn a_stopped_thread_is_not_denied_by_a_bucket_that_has_refilled() {
    for cells in [1, 2] {
        let limiter = bucket(16, cells);
        while limiter.is_allowed_at(Timestamp::ZERO) {}
        let later = Timestamp::ZERO + 100 * SECOND;
        std::thread::scope(|scope| {
            // Two of a lease, and then another one.
            scope.spawn(|| assert!((0..5).all(|_| limiter.is_allowed_at(later))));
        });
        let limiter = limiter.with_clock(Stopped { took: Timestamp::ZERO, now: later });
        assert!(limiter.is_allowed(), "{cells} cells: {limiter:?}");
        assert!(limiter.check().is_ok());
    }
}

/// "refund: Gives back the permits of an admission, if its window is still the newest."
#[test]
fn a_refund_in_an_older_window_changes_nothing() {
    let limiter = window(10, 2);
    let old = limiter.check_at(Timestamp::ZERO).unwrap();
    assert!(limiter.check_at(Timestamp::from_secs(1)).is_ok());
    let before = limiter.peek_at(Timestamp::ZERO);
    limiter.refund(&old);
    assert_eq!(limiter.peek_at(Timestamp::ZERO), before);
}

/// "While others spend, it reports a number between what was left when it began and when it ended."
#[test]
fn a_peek_counts_no_permit_twice() {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    let (burst, cells) = (8 * 256 * 255, 256);
    let limiter = bucket(burst, cells);
    let spent = AtomicU32::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // To another cell than the first that is looked at.
            let walk = window(256, 256);
            while walk.is_allowed_at(Timestamp::ZERO) {}
            while limiter.is_allowed_at(Timestamp::ZERO) {
                spent.fetch_add(1, SeqCst);
            }
        });
        while spent.load(SeqCst) < burst {
            let before = burst - spent.load(SeqCst);
            let seen = limiter.peek_at(Timestamp::ZERO).remaining();
            assert!(seen <= before, "{seen} are more than {before}");
        }
    });
}

/// "The word represents timestamps for 146 years, minus the time in which b refills. Later timestamps are denied."
#[test]
fn a_bucket_admits_nothing_out_of_range() {
    let quota = Quota::per_second(1_000_000).with_burst(128);
    let limiter = Limiter::sharded_token_bucket(quota).with_cells(2);
    assert_eq!(
        Limiter::token_bucket(quota).check_at(Timestamp::MAX).unwrap_err().reason(),
        Reason::OutOfRange
    );
    assert_eq!(limiter.check_at(Timestamp::MAX).unwrap_err().reason(), Reason::OutOfRange);
    assert_eq!(limiter.peek_at(Timestamp::MAX).remaining(), 0);
    assert_eq!(limiter.peek_at(Timestamp::ZERO).remaining(), 128);
}

/// "Up to n − 1 permits a thread are lost until the window ends."
#[test]
fn a_thread_keeps_one_batch_whatever_the_order_of_its_timestamps() {
    let limiter = window(100, 4).private(16);
    let (old, new) = (Timestamp::ZERO, Timestamp::from_secs(1));
    let spent =
        (0..20).filter(|i| limiter.is_allowed_at(if i % 4 < 2 { new } else { old })).count();
    assert!(spent > 0);
    let count =
        |at| std::iter::repeat_with(|| limiter.is_allowed_at(at)).take_while(|ok| *ok).count();
    let of_new = 10 + count(new);
    assert!(of_new + 15 >= 100, "{of_new} of 100 in the new window");
}

/// The same at the last timestamp.
#[test]
fn a_thread_keeps_permits_of_the_last_window() {
    let limiter = window(100, 1).private(16);
    assert!(limiter.is_allowed_at(Timestamp::ZERO));
    let spent = (0..200).filter(|_| limiter.is_allowed_at(Timestamp::MAX)).count();
    assert!(spent + 15 >= 100, "{spent}");
}

/// "Never less than a plain bucket with the burst b − K, in sum and for timestamps in order." Without the order a late
/// timestamp found 46 permits where the plain bucket had 54.
#[test]
fn a_bucket_admits_no_less_than_a_plain_one_in_order() {
    for (burst, held) in [(64, 8), (200, 24), (1_000, 124)] {
        let quota = Quota::per_second(1).with_burst(burst - held);
        let (sharded, plain) = (bucket(burst, 4), Limiter::token_bucket(quota));
        // K is 4·⌊b/32⌋.
        assert_eq!(held, burst / 32 * 4);
        let (mut ours, mut theirs, mut now) = (0, 0, Timestamp::ZERO);
        for step in 0..2_000_u64 {
            // Most of the time more than one a second, and a pause now and then.
            now +=
                Duration::from_millis(if step % 97 == 0 { 300_000 } else { step * step % 1_700 });
            for _ in 0..step % 3 {
                ours += u32::from(sharded.is_allowed_at(now));
                theirs += u32::from(plain.is_allowed_at(now));
            }
            assert!(ours >= theirs, "{ours} and {theirs} at {now}");
        }
    }
}

/// "Of a bucket, `reset_after` says when the parent is full, or a later instant. Up to K permits may be missing then, and
/// also when it is zero."
#[test]
fn a_bucket_lacks_what_its_cells_lack_when_it_is_reset() {
    let limiter = bucket(64, 1);
    for spent in 1..=64 {
        let admitted = limiter.check_at(Timestamp::ZERO).unwrap();
        let seen = limiter.peek_at(Timestamp::ZERO);
        assert!(admitted.reset_after() >= seen.reset_after());
        assert_eq!(seen.reset_after().is_zero(), spent <= 8, "the cell has 8");
        let then = limiter.peek_at(Timestamp::ZERO + seen.reset_after());
        assert!(then.remaining() >= 64 - 8, "{then:?}");
    }
}

/// "Of a bucket, `reset_after` says when the parent is full, or a later instant." To a late timestamp it
/// named an earlier one, which the sentence did not say.
#[test]
fn a_bucket_is_full_after_its_reset_after_if_timestamps_are_in_order() {
    // Gives the thread a cell.
    let one = bucket(1, 1);
    while one.is_allowed_at(Timestamp::ZERO) {}
    let limiter = bucket(128, 2);
    let later = Timestamp::from_secs(1_000);
    for _ in 0..9 {
        let admitted = limiter.check_at(later).unwrap();
        assert!(admitted.reset_after() >= limiter.peek_at(later).reset_after());
    }
    // Eight came from a cell, and one from the parent, with a lease. The next is from the other cell.
    let admitted = limiter.check_at(Timestamp::ZERO).unwrap();
    assert_eq!(admitted.remaining(), 7);
    let of_parent = limiter.peek_at(Timestamp::ZERO).reset_after();
    assert!(admitted.reset_after() < 112 * SECOND + SECOND && of_parent > 1_000 * SECOND);
}

/// "Range: that of a plain bucket with the burst b − K." It said "that of the plain algorithm", whose range
/// ends earlier.
#[test]
fn the_range_of_a_bucket_is_that_of_its_parent() {
    let quota = Quota::new(1, Duration::from_nanos(1)).unwrap().with_burst(64);
    let plain = |burst| Limiter::token_bucket(quota.with_burst(burst));
    let sharded = || Limiter::sharded_token_bucket(quota).with_cells(1);
    // K is 8.
    let last = Timestamp::from_nanos(u64::MAX - 56);
    let beyond = Timestamp::from_nanos(u64::MAX - 55);
    assert!(!plain(64).is_allowed_at(last));
    assert!(plain(56).is_allowed_at(last) && sharded().is_allowed_at(last));
    for reason in [plain(56).check_at(beyond), sharded().check_at(beyond)] {
        assert_eq!(reason.unwrap_err().reason(), Reason::OutOfRange);
    }
}

/// "A thread asks one cell, and another one if it meets other threads there, or their later timestamps." It met them at
/// another limiter, of one cell, and went from cell to cell here.
#[test]
fn a_thread_keeps_its_cell_while_another_limiter_has_nowhere_to_send_it() {
    let (other, limiter) = (bucket(64, 1), bucket(8_000, 4));
    // The cell of the other one gets no lease until then.
    assert!((0..8).all(|_| other.is_allowed_at(Timestamp::from_secs(1 << 33))));
    assert!(limiter.is_allowed_at(Timestamp::ZERO));
    let mut left = Vec::new();
    for _ in 0..20 {
        assert!(other.is_allowed_at(Timestamp::ZERO));
        left.push(limiter.check_at(Timestamp::ZERO).unwrap().remaining());
    }
    assert!(left.windows(2).skip(1).all(|two| two[1] + 1 == two[0]), "{left:?}");
}
