//! Wrong rules, at least one for each law, which must reject it. A law that rejects nothing proves nothing.

use crate::scene::judge;
use crate::subject::{Admission, Denial, Numbers};
use casgate::algorithm::Rule;
use casgate::word::Word;
use casgate::{FixedWindow, Timestamp, TokenBucket};
use std::cell::Cell;

/// Makes a wrong rule of a right one, and the test that the law rejects it for that reason.
macro_rules! wrong {
    ($(
        $(#[$doc:meta])*
        $name:ident($right:ident) breaks $part:ident::$law:ident: $reason:literal { $($method:item)+ }
    )+) => {
        $(
            $(#[$doc])*
            struct $name {
                right: $right,
            }

            impl crate::subject::Subject for $name {
                type Right = $right;

                fn right(&self) -> $right {
                    self.right
                }

                $($method)+
            }
        )+

        /// The laws that have been shown a wrong rule.
        const SHOWN: &[&str] = &[$(stringify!($law)),+];

        #[allow(non_snake_case)]
        mod rejected {
            use super::*;

            $(
                #[test]
                fn $name() {
                    let new = |quota| super::$name { right: $right::new(quota) };
                    match judge(new, crate::$part::$law) {
                        Err(broken) => assert!(broken.contains($reason), "otherwise: {broken}"),
                        Ok(()) => panic!("not rejected"),
                    }
                }
            )+
        }
    };
}

thread_local! {
    /// What a rule should not remember.
    static DENIALS: Cell<u32> = const { Cell::new(0) };
}

wrong! {
    /// Spends one permit more after each denial.
    DenialSpends(TokenBucket) breaks decisions::a_decision_is_pure: "a decision has left something" {
        fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word> {
            let next = Rule::decide(&self.right, word, n.saturating_add(DENIALS.get()), now);
            DENIALS.set(DENIALS.get() + u32::from(next.is_none()));
            next
        }
    }

    /// Admits without spending.
    Free(FixedWindow) breaks decisions::an_admission_makes_the_word_larger: "an admission left" {
        fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word> {
            Rule::decide(&self.right, word, n, now).map(|_| word)
        }
    }

    /// Counts down: what is spent makes its words smaller.
    CountsDown(FixedWindow) breaks decisions::a_larger_word_has_no_more_left: "the larger word has" {
        fn snapshot(&self, word: Word, now: Timestamp) -> Numbers {
            let split = self.right.split();
            let limit = Rule::snapshot(&self.right, word, now).limit();
            let spent = limit - split.count(word).min(limit);
            Rule::snapshot(&self.right, split.pack(split.index(word), spent), now).into()
        }
    }

    /// Begins empty.
    SlowStart(TokenBucket) breaks decisions::a_new_word_is_full: "a new limiter is not full" {
        fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word> {
            let limit = Rule::snapshot(&self.right, word, now).limit();
            let empty = Rule::charge(&self.right, Word::default(), limit, Timestamp::ZERO);
            Rule::decide(&self.right, word.max(empty), n, now)
        }
    }

    /// Has a last timestamp, and still something left after it.
    NoEnd(TokenBucket) breaks decisions::a_new_word_is_full: "something is left out of range" {
        fn snapshot(&self, word: Word, now: Timestamp) -> Numbers {
            Rule::snapshot(&self.right, word, now.min(Timestamp::from_nanos(1 << 60))).into()
        }
    }

    /// Sells in dozens.
    Wholesale(TokenBucket) breaks decisions::a_smaller_request_fits_too: "fit and" {
        fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word> {
            if n > 1 && n < 12 { None } else { Rule::decide(&self.right, word, n, now) }
        }
    }

    /// Admits one whole request more if anything is left.
    LastOneIn(TokenBucket) breaks decisions::no_instant_has_more_than_the_limit: "at one instant" {
        fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word> {
            let left = Rule::snapshot(&self.right, word, now).remaining();
            (left > 0).then(|| Rule::charge(&self.right, word, n, now))
        }
    }

    /// Rounds the price of a request up to a whole 16.
    PerCall(TokenBucket) breaks decisions::a_frozen_clock_admits_what_remains: "frozen" {
        fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word> {
            let limit = Rule::snapshot(&self.right, word, now).limit();
            Rule::decide(&self.right, word, n.div_ceil(16).saturating_mul(16).min(limit.max(n)), now)
        }
    }

    /// Keeps a permit back when only few are left.
    KeepsOne(FixedWindow) breaks decisions::a_frozen_clock_admits_what_remains: "frozen clock, one by one" {
        fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word> {
            let left = Rule::snapshot(&self.right, word, now).remaining();
            if n == 1 && left == 1 { None } else { Rule::decide(&self.right, word, n, now) }
        }
    }

    /// Takes a late timestamp for one after a long gap.
    LateIsLong(FixedWindow) breaks decisions::a_late_timestamp_is_stricter: "only for being late" {
        fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word> {
            let new = Rule::decide(&self.right, Word::default(), n, now)?;
            let index = |word| self.right.split().index(word);
            if index(new) < index(word) { Some(new) } else { Rule::decide(&self.right, word, n, now) }
        }
    }

    /// Spends late permits from a bucket of their own.
    LateIsFree(TokenBucket) breaks decisions::a_late_permit_counts_now: "late:" {
        fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word> {
            let next = Rule::decide(&self.right, word, n, now)?;
            let from_now = Rule::charge(&self.right, Word::default(), n, now);
            Some(if next > from_now { word.max(from_now) } else { next })
        }
    }

    /// Believes that every word is its own, so that a count is never beyond the limit.
    Trusting(FixedWindow) breaks decisions::any_word_is_decided_on: "Numbers" {
        fn denied(&self, word: Word, n: u32, now: Timestamp) -> Denial {
            let mut denial = Denial::from(Rule::denied(&self.right, word, n, now));
            let (limit, count) = (denial.numbers.limit, self.right.split().count(word));
            denial.numbers.remaining = limit.wrapping_sub(count);
            denial
        }
    }

    /// Tells one permit fewer than it has.
    Modest(TokenBucket) breaks numbers::remaining_is_the_largest_that_fits: "are left" {
        fn snapshot(&self, word: Word, now: Timestamp) -> Numbers {
            let mut numbers = Numbers::from(Rule::snapshot(&self.right, word, now));
            numbers.remaining = numbers.remaining.saturating_sub(1);
            numbers
        }
    }

    /// Reports what was left before the admission.
    Before(FixedWindow) breaks numbers::an_admission_reports_what_it_left: "not what it left" {
        fn admitted(&self, word: Word, n: u32, now: Timestamp) -> Admission {
            let mut admission = Admission::from(Rule::admitted(&self.right, word, n, now));
            admission.numbers.remaining += n;
            admission
        }
    }

    /// Charges each request a fee of one permit.
    Fee(TokenBucket) breaks numbers::an_admission_reports_what_it_left: "not so many fewer" {
        fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word> {
            Rule::decide(&self.right, word, n.checked_add(1)?, now)
        }
    }

    /// Says that nothing is left whenever it denies.
    AllOrNothing(FixedWindow) breaks numbers::a_denial_reports_what_is_left: "not what is left" {
        fn denied(&self, word: Word, n: u32, now: Timestamp) -> Denial {
            let mut denial = Denial::from(Rule::denied(&self.right, word, n, now));
            denial.numbers.remaining = 0;
            denial
        }
    }

    /// Is due one nanosecond early.
    Eager(TokenBucket) breaks numbers::retry_after_is_the_first_instant: "denied when it is due" {
        fn denied(&self, word: Word, n: u32, now: Timestamp) -> Denial {
            let mut denial = Denial::from(Rule::denied(&self.right, word, n, now));
            denial.retry_after = denial.retry_after.map(|wait| wait - 1);
            denial
        }
    }

    /// Is due when the limiter is full again, which may be later than it need be.
    WaitsForFull(TokenBucket) breaks numbers::retry_after_is_the_first_instant: "before it is due" {
        fn denied(&self, word: Word, n: u32, now: Timestamp) -> Denial {
            let mut denial = Denial::from(Rule::denied(&self.right, word, n, now));
            denial.retry_after = denial.retry_after.map(|_| denial.numbers.reset_after);
            denial
        }
    }

    /// Says "never" where it should say "later".
    GivesUp(FixedWindow) breaks numbers::retry_after_is_the_first_instant: "and never due" {
        fn denied(&self, word: Word, n: u32, now: Timestamp) -> Denial {
            Denial { retry_after: None, ..Rule::denied(&self.right, word, n, now).into() }
        }
    }

    /// Rounds the reset down to even nanoseconds.
    EvenReset(TokenBucket) breaks numbers::reset_after_is_the_first_full_instant: "after the reset" {
        fn snapshot(&self, word: Word, now: Timestamp) -> Numbers {
            let mut numbers = Numbers::from(Rule::snapshot(&self.right, word, now));
            numbers.reset_after &= !1;
            numbers
        }
    }

    /// Tells a nanosecond more, to be on the safe side.
    LateReset(FixedWindow) breaks numbers::reset_after_is_the_first_full_instant: "before the reset" {
        fn snapshot(&self, word: Word, now: Timestamp) -> Numbers {
            let mut numbers = Numbers::from(Rule::snapshot(&self.right, word, now));
            numbers.reset_after = numbers.reset_after.saturating_add(1);
            numbers
        }
    }

    /// Gives back one permit, however many were spent.
    GivesOneBack(TokenBucket) breaks changes::a_refund_undoes_its_admission: "not undone" {
        fn refund(&self, word: Word, n: u32) -> Word {
            Rule::refund(&self.right, word, n.min(1))
        }
    }

    /// Gives back one permit more.
    Generous(TokenBucket) breaks changes::a_refund_gives_back_no_more: "a refund of" {
        fn refund(&self, word: Word, n: u32) -> Word {
            Rule::refund(&self.right, word, n.saturating_add(1))
        }
    }

    /// Thinks that an admission is never of use again.
    NeverOfUse(FixedWindow) breaks changes::an_admission_is_refunded_whole: "not given back at once" {
        fn refund_of(&self, word: Word, _: (Word, u32, Timestamp)) -> Word {
            word
        }
    }

    /// Gives half back once others have come after the admission.
    Half(TokenBucket) breaks changes::an_admission_is_refunded_whole: "given back in part" {
        fn refund_of(&self, word: Word, (taken, n, _): (Word, u32, Timestamp)) -> Word {
            Rule::refund(&self.right, word, if word == taken { n } else { n / 2 })
        }
    }

    /// Gives permits of an old window back to a new one.
    OldIntoNew(FixedWindow) breaks changes::an_old_admission_is_refunded_as_stated: "not as stated" {
        fn refund_of(&self, word: Word, (_, n, _): (Word, u32, Timestamp)) -> Word {
            Rule::refund(&self.right, word, n)
        }
    }

    /// Charges what is spent already once more, if there is any.
    Twice(FixedWindow) breaks changes::a_charge_that_fits_is_a_decision: "charged otherwise" {
        fn charge(&self, word: Word, n: u32, now: Timestamp) -> Word {
            let spent = self.right.split().count(word);
            Rule::charge(&self.right, word, n.saturating_add(spent), now)
        }
    }

    /// A charge makes a debt of one permit at most.
    SmallDebts(FixedWindow) breaks changes::charges_add_up: "are not their sum" {
        fn charge(&self, word: Word, n: u32, now: Timestamp) -> Word {
            let left = Rule::snapshot(&self.right, word, now).remaining();
            Rule::charge(&self.right, word, n.min(left.saturating_add(1)), now)
        }
    }

    /// Charges only what fits, else nothing.
    OnlyIfItFits(TokenBucket) breaks changes::a_charge_leaves_so_many_fewer: "charged" {
        fn charge(&self, word: Word, n: u32, now: Timestamp) -> Word {
            Rule::decide(&self.right, word, n, now).unwrap_or(word)
        }
    }

    /// Charges one permit for a charge of none.
    MinimumCharge(FixedWindow) breaks changes::a_charge_leaves_so_many_fewer: "charged 0" {
        fn charge(&self, word: Word, n: u32, now: Timestamp) -> Word {
            Rule::charge(&self.right, word, n.max(1), now)
        }
    }

    /// Begins the window in which `until` lies, not the one after.
    SameWindow(FixedWindow) breaks changes::nothing_is_admitted_before_until: "admitted at" {
        fn deny_until(&self, word: Word, until: Timestamp) -> Word {
            word.max(Rule::decide(&self.right, Word::default(), 1, until).unwrap_or(word))
        }
    }

    /// Forgets a longer denial.
    Shortens(TokenBucket) breaks changes::nothing_is_admitted_before_until: "the word is smaller" {
        fn deny_until(&self, _: Word, until: Timestamp) -> Word {
            Rule::deny_until(&self.right, Word::default(), until)
        }
    }

    /// Denies until a full bucket would be there, not until its first permit.
    UntilFull(TokenBucket) breaks changes::a_permit_comes_after_until: "the first comes at" {
        fn deny_until(&self, word: Word, until: Timestamp) -> Word {
            let limit = Rule::snapshot(&self.right, word, until).limit();
            let denied = Rule::deny_until(&self.right, word, until);
            Rule::charge(&self.right, denied, limit.saturating_mul(2), Timestamp::ZERO)
        }
    }
}

macro_rules! shown {
    ([$($part:ident::$law:ident)*]) => {
        #[test]
        fn every_law_rejects_a_wrong_rule() {
            for law in [$(stringify!($law)),*] {
                assert!(SHOWN.contains(&law), "{law} has been shown no wrong rule");
            }
        }
    };
}

each_law! { shown! {} }
