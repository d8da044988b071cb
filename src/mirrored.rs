use crate::cell::{Atom, Cell};
use crate::sync::{AtomicPair, Copies, const_unless_modelled};

/// Two words in one atomic, and a copy of each in an atomic of its own.
///
/// A load of 128 bits is dear: it takes longer than the exchange that follows it. So an attempt
/// begins from the copies. They are a guess: another thread may have changed the pair and not yet
/// the copies, or written them in another order, or one of the two. The exchange fails if they are
/// not what the pair holds. A step that declines is confirmed by a load of the pair. So the pair
/// alone decides, and what the copies hold costs time at most.
///
/// The alignment puts all four words in one line of the cache.
#[derive(Debug)]
#[repr(align(32))]
pub struct Mirrored {
    pair: AtomicPair,
    copies: Copies,
}

impl Mirrored {
    const_unless_modelled! {
        fn new(words: [u64; 2]) -> Self {
            Self { pair: AtomicPair::new(words), copies: Copies::new(words) }
        }
    }
}

impl Cell<Mirrored> {
    const_unless_modelled! {
        pub(crate) fn mirrored(words: [u64; 2]) -> Self {
            Self::of(Mirrored::new(words))
        }
    }
}

/// As the pair's. The first word may stand for memory apart, as in the pair, so its copy releases
/// and acquires that too.
impl Atom for Mirrored {
    type Bits = [u64; 2];

    #[inline(always)]
    fn load(&self) -> [u64; 2] {
        Atom::load(&self.pair)
    }

    #[inline(always)]
    fn guess(&self) -> [u64; 2] {
        self.copies.load()
    }

    #[inline(always)]
    fn confirm(&self, guess: [u64; 2]) -> Result<(), [u64; 2]> {
        let pair = Atom::load(&self.pair);
        if pair == guess { Ok(()) } else { Err(pair) }
    }

    #[inline(always)]
    fn exchange(&self, seen: [u64; 2], next: [u64; 2]) -> Result<(), [u64; 2]> {
        self.pair.exchange(seen, next)?;
        self.copies.change(seen, next);
        Ok(())
    }

    fn correct(&self, newer: [u64; 2]) {
        self.copies.correct(newer);
    }
}

#[cfg(test)]
impl Cell<Mirrored> {
    /// Makes attempts begin from that.
    pub(crate) fn mislead(&self, copies: [u64; 2]) {
        self.atom().copies.correct(copies);
    }
}

#[cfg(all(test, feature = "alloc", not(any(casgate_loom, casgate_shuttle))))]
mod tests {
    use crate::algorithm::{Adjustable, Both};
    use crate::{FixedWindow, Limiter, Quota, Timestamp, TokenBucket};
    use alloc::format;
    use alloc::string::String;
    use core::fmt::Debug;
    use core::time::Duration;

    type Two = Both<TokenBucket, FixedWindow>;

    const NOW: Timestamp = Timestamp::from_secs(50);

    const WORDS: [u64; 6] = [0, 1, 25 << 3, 50_000_000_000, 1 << 61, u64::MAX];

    /// Of an `Adjustable` that has been changed twice. With one of them comes any word: the copies
    /// can be of two instants.
    const GENERATIONS: [u64; 3] = [0, 1, 2];

    /// What each operation answers and leaves behind, on a limiter of its own.
    fn answers<T: Debug>(
        new: impl Fn() -> T,
        mislead: impl Fn(&T),
        operations: &[fn(&T) -> String],
    ) -> String {
        let answer = |operation: &fn(&T) -> String| {
            let limiter = new();
            mislead(&limiter);
            let answer = operation(&limiter);
            format!("{answer} {limiter:?}\n")
        };
        operations.iter().map(answer).collect()
    }

    macro_rules! operations {
        ($($more:expr),*) => {
            [
                |l| format!("{:?}", l.check_at(NOW)),
                |l| format!("{:?}", l.check_n_at(3, NOW)),
                |l| format!("{:?}", l.is_allowed_at(NOW)),
                |l| format!("{:?}", l.take_up_to_at(9, NOW)),
                |l| format!("{:?}", l.charge_at(30, NOW)),
                |l| format!("{:?}", l.deny_until(NOW + Duration::from_secs(2))),
                |l| format!("{:?}", l.refund_n(1)),
                |l| format!("{:?}", l.reset()),
                |l| format!("{:?}", l.restore_at(l.save_at(NOW), Duration::ZERO, NOW)),
                |l| format!("{:?}", l.peek_at(NOW)),
                $($more),*
            ]
        };
    }

    /// The answers are the same, whatever the copies hold.
    macro_rules! judge {
        ($new:expr, $firsts:expr, $mislead:expr, $operations:expr) => {
            let right = answers($new, |_| (), &$operations);
            for first in $firsts {
                for second in WORDS {
                    let mislead = |limiter: &_| $mislead(limiter, [first, second]);
                    let misled = answers($new, mislead, &$operations);
                    assert_eq!(misled, right, "misled by {first} and {second}");
                }
            }
        };
    }

    #[test]
    fn copies_decide_nothing() {
        let quota = Quota::per_second(7);
        let both = |spent| {
            move || {
                let (bucket, window) = (TokenBucket::new(quota), FixedWindow::new(quota));
                let limiter = Limiter::both(bucket, window);
                limiter.charge_at(spent, NOW);
                limiter
            }
        };
        let bucket = |spent| {
            move || {
                let limiter = Limiter::adjustable_token_bucket(Quota::per_hour(11));
                (0..2).for_each(|_| limiter.set_quota_at(quota, NOW));
                limiter.charge_at(spent, NOW);
                limiter
            }
        };
        let window = |spent| {
            move || {
                let limiter = Limiter::adjustable_fixed_window(Quota::per_hour(11));
                (0..2).for_each(|_| limiter.set_quota_at(quota, NOW));
                limiter.charge_at(spent, NOW);
                limiter
            }
        };
        for spent in [0, 1, 7, 40] {
            judge!(
                both(spent),
                WORDS,
                |l: &Limiter<Two>, pair| l.state().mislead(pair),
                operations!()
            );
            judge!(
                bucket(spent),
                GENERATIONS,
                |l: &Limiter<Adjustable<TokenBucket>>, pair| l.state().mislead(pair),
                operations!(|l| format!("{:?}", l.set_quota_at(Quota::per_second(3), NOW)))
            );
            judge!(
                window(spent),
                GENERATIONS,
                |l: &Limiter<Adjustable<FixedWindow>>, pair| l.state().mislead(pair),
                operations!(|l| format!("{:?}", l.set_quota_at(Quota::per_second(3), NOW)))
            );
        }
    }
}
