//! How to add an algorithm: the laws that every [`Rule`](casgate::algorithm::Rule) must pass.
//!
//! A rule is a pure function on one word. The crate's atomic step, its limiters, leases and pairs of quotas are
//! generic over it, and so are these laws. A new rule touches eight places, and four tests of what only the crate calls:
//!
//! 1. `src/algorithm/NAME.rs` has the rule: the methods of `Rule`, and those of `RuleParts`, which only the crate calls.
//! 2. `src/algorithm/mod.rs` declares and exports it.
//! 3. `src/lib.rs` exports it at the top, as every algorithm.
//! 4. `src/limiter/build.rs` has the constructor of its limiter. `check_n`, `take_up_to`, `charge`, `refund`, `reset`,
//!    `deny_until`, `lease`, `save`, `Limiter::both`, `All` and `Box<dyn Limit>` need nothing more.
//! 5. This file has two items for it, at the end: what it [states](subject::Stated), and one line that judges it.
//! 6. `tests/rules` has its inequality (`bound.rs`) and a test that judges it by that (`main.rs`). The laws say that a
//!    rule is consistent. Only its own inequality says what it is for.
//! 7. `docs/choosing.md` has its row.
//! 8. `CHANGELOG.md` has its line.
//!
//! The laws judge the public methods. A limiter is needed to judge `RuleParts`, so these four files have a test for
//! the new one too: `tests/late.rs` (`is_late`), `tests/edges.rs` (`is_due_within`), `tests/save.rs` (`restore`) and
//! `tests/rules/lease.rs` (`lease`, `end_lease`).
//!
//! Two more are parts of their own, for rules that want them. `set_quota` needs the rule as five words and a `carry`
//! (`src/algorithm/adjust.rs`). A limit for each key has its own arithmetic (`src/keyed/units.rs`). The model
//! checker needs nothing: it has explored the atomic step, which is the same for every rule of one word.
//! `reserve` is a token bucket's alone.
//!
//! Begin with `decide`, `denied` and `snapshot`. Then read the laws from the top: [`decisions`], [`numbers`] and
//! [`changes`], a sentence each. Three of them carry the others. Words order as the limiter admits, so what is spent
//! makes them larger. `Word::default()` is full at every timestamp. A later timestamp never has less left.
//!
//! A law that rejects nothing proves nothing: [`wrong`] has a wrong rule for each.

/// The laws, in the order in which to read them.
macro_rules! each_law {
    ($then:ident! { $($arguments:tt)* }) => {
        $then! {
            [
                decisions::a_decision_is_pure
                decisions::an_admission_makes_the_word_larger
                decisions::a_larger_word_has_no_more_left
                decisions::a_new_word_is_full
                decisions::a_smaller_request_fits_too
                decisions::no_instant_has_more_than_the_limit
                decisions::a_frozen_clock_admits_what_remains
                decisions::a_late_timestamp_is_stricter
                decisions::a_late_permit_counts_now
                decisions::any_word_is_decided_on
                numbers::remaining_is_the_largest_that_fits
                numbers::an_admission_reports_what_it_left
                numbers::a_denial_reports_what_is_left
                numbers::retry_after_is_the_first_instant
                numbers::reset_after_is_the_first_full_instant
                changes::a_refund_undoes_its_admission
                changes::a_refund_gives_back_no_more
                changes::an_admission_is_refunded_whole
                changes::an_old_admission_is_refunded_as_stated
                changes::a_charge_that_fits_is_a_decision
                changes::charges_add_up
                changes::a_charge_leaves_so_many_fewer
                changes::nothing_is_admitted_before_until
                changes::a_permit_comes_after_until
            ]
            $($arguments)*
        }
    };
}

mod changes;
mod decisions;
mod numbers;
mod scene;
#[path = "../rules/step.rs"]
mod step;
mod subject;
#[allow(dead_code)] // Traces of requests alone are for `rules`.
#[path = "../rules/trace.rs"]
mod trace;
mod wrong;

use casgate::{FixedWindow, Quota, TokenBucket};
use subject::Stated;

/// Judges the rule that `$new` makes of a quota by every law, a test each.
macro_rules! uphold {
    ([$($part:ident::$law:ident)*] $rule:ident: $new:expr) => {
        mod $rule {
            use super::*;

            $(
                #[test]
                fn $law() {
                    if let Err(broken) = scene::judge($new, $part::$law) {
                        panic!("{broken}");
                    }
                }
            )*
        }
    };
}

/// Permits of an old window are of no use in a new one, and a denial ends with the beginning of one.
impl Stated for FixedWindow {
    const REFUNDS_EXPIRE: bool = true;

    fn late_by(quota: Quota) -> u64 {
        quota.period().as_nanos() as u64
    }
}

/// A bucket takes back permits at any time, and has its first one as soon as a denial ends.
impl Stated for TokenBucket {
    const REFUNDS_EXPIRE: bool = false;

    fn late_by(_: Quota) -> u64 {
        1
    }
}

fn strict(quota: Quota) -> TokenBucket {
    TokenBucket::strict(Quota::at_most(quota.permits()).in_any(quota.period()))
}

each_law! { uphold! { fixed_window: FixedWindow::new } }
each_law! { uphold! { token_bucket: TokenBucket::new } }
each_law! { uphold! { strict_window: strict } }
