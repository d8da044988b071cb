//! Every interleaving of the scenarios, and the refutation of the wrong limiters.

#[cfg(not(casgate_loom))]
compile_error!("built without `--cfg casgate_loom`: run `cargo loom`, with RUSTFLAGS unset");

#[cfg(casgate_loom)]
#[path = "model/fleet.rs"]
mod fleet;

#[cfg(casgate_loom)]
#[path = "model/keyed.rs"]
mod keyed;

#[cfg(casgate_loom)]
#[path = "model/pairs.rs"]
mod pairs;

#[cfg(casgate_loom)]
#[path = "model/queue.rs"]
mod queue;

#[cfg(casgate_loom)]
#[path = "model/results.rs"]
mod results;

#[cfg(casgate_loom)]
#[path = "model/sharded.rs"]
mod sharded;

#[cfg(casgate_loom)]
#[path = "model/stock.rs"]
mod stock;

#[cfg(casgate_loom)]
mod model {
    use casgate::algorithm::{Adjustable, Both};
    use casgate::{FixedWindow, FixedWindowLimiter, Limiter, SlidingWindow, TokenBucket};
    use loom_tests::explore::{explore, explore_bounded, refute};
    use loom_tests::scenarios::*;
    use loom_tests::seeded::*;

    /// A caller with one claim, and one that goes a lap further.
    const LATE: &[Request] = &[(1, 0)];
    const AHEAD: &[Request] = &[(1, 0), (1, 10), (1, 10)];

    #[test]
    fn frozen_clock() {
        for limit in [1, 2] {
            for callers in [2, 3, 4] {
                let name = format!("{callers} callers, limit {limit}");
                // Four callers that may all be admitted have more interleavings than a run can
                // visit: at most three preemptions there.
                let bound = (callers == 4).then_some(3);
                explore_bounded(&name, bound, move || {
                    frozen::<FixedWindowLimiter>(limit, callers, 1)
                });
            }
            for callers in [2, 3] {
                let name = format!("{callers} callers, two calls each, limit {limit}");
                let bound = (callers == 3).then_some(3);
                explore_bounded(&name, bound, move || {
                    frozen::<FixedWindowLimiter>(limit, callers, 2)
                });
            }
        }
    }

    #[test]
    fn window_roll() {
        explore("roll, one caller a side", || roll::<FixedWindowLimiter>(&[&[(1, 9)], &[(1, 10)]]));
        explore("roll, a late caller", || {
            roll::<FixedWindowLimiter>(&[&[(1, 9)], &[(1, 10)], &[(1, 5)]]);
        });
        explore("roll, crossing callers", || {
            roll::<FixedWindowLimiter>(&[&[(1, 9), (1, 10)], &[(1, 10), (1, 9)]]);
        });
        explore("roll, two together", || roll_together::<FixedWindowLimiter>(2, 2));
        explore("roll, three together", || roll_together::<FixedWindowLimiter>(2, 3));
    }

    #[test]
    fn weights_reset_and_peek() {
        explore("mixed weights", mixed_weights::<FixedWindowLimiter>);
        explore("reset", reset_races::<FixedWindowLimiter>);
        explore("peek", peek_races::<FixedWindowLimiter>);
    }

    #[test]
    fn giving_back() {
        explore("refund, fixed window", refund_races::<Limiter<FixedWindow>>);
        explore("refund, token bucket", refund_races::<Limiter<TokenBucket>>);
        explore("reset, token bucket", reset_races::<Limiter<TokenBucket>>);
        refute("seeded: two-step refund", "1 given back", refund_races::<TwoStepGiveBack>);
    }

    #[test]
    fn token_bucket_at_and_across_a_refill() {
        type Bucket = Limiter<TokenBucket>;
        explore("bucket, 2 callers, 2 calls each", || frozen::<Bucket>(2, 2, 2));
        explore("bucket, 3 callers", || frozen::<Bucket>(1, 3, 1));
        explore("bucket, mixed weights", mixed_weights::<Bucket>);
        explore("bucket, peek", peek_races::<Bucket>);
        explore("refill, 2 callers, 2 calls each", || {
            refill::<Bucket>(&[&[(1, 9), (1, 10)], &[(1, 10), (1, 10)]], 1..=1);
        });
        explore("refill, 3 callers at it", || {
            refill::<Bucket>(&[&[(1, 10)], &[(1, 10)], &[(1, 10)]], 1..=1)
        });
        explore("refill, 3 callers around it", || {
            refill::<Bucket>(&[&[(1, 9)], &[(1, 10)], &[(1, 5)]], 1..=1);
        });
        explore("refill, 2 callers across two", || {
            refill::<Bucket>(&[&[(1, 10), (1, 20)], &[(1, 9), (1, 11)]], 1..=2);
        });
        explore("refill, 3 callers across two", || {
            refill::<Bucket>(&[&[(1, 10)], &[(1, 20)], &[(1, 20)]], 1..=2);
        });
        refute("seeded: store, at a refill", "2 admitted of 1", || {
            refill::<StoreBucket>(&[&[(1, 10)], &[(1, 10)]], 1..=1);
        });
        refute("seeded: wrapping gap", "1 admitted before the refill", || {
            refill::<WrappingGap>(&[&[(1, 9)], &[(1, 10)]], 1..=1);
        });
    }

    #[test]
    fn cancelled_reservations() {
        explore("cancel", cancel_races::<Limiter<TokenBucket>>);
        refute("seeded: full refund", "place", cancel_races::<FullRefund>);
        refute("seeded: two-step cancel", "place", cancel_races::<TwoStepCancel>);
    }

    #[test]
    fn sliding_window_with_helping() {
        type Sliding = Limiter<SlidingWindow>;
        for limit in [1, 2] {
            let name = format!("sliding, 2 callers, limit {limit}");
            explore(&name, move || frozen::<Sliding>(limit, 2, 1));
            let name = format!("sliding, 3 callers, limit {limit}");
            // With room for two there are hundreds of thousands.
            let bound = if limit == 2 { 1 } else { 2 };
            explore_bounded(&name, Some(bound), move || frozen::<Sliding>(limit, 3, 1));
            let name = format!("sliding, 2 callers, two calls each, limit {limit}");
            let bound = (limit == 2).then_some(2);
            explore_bounded(&name, bound, move || frozen::<Sliding>(limit, 2, 2));
        }
        explore("slide, 2 callers at it", || slide::<Sliding>(1, &[&[(1, 10)], &[(1, 10)]], 1..=1));
        explore("slide, 2 callers at it, limit 2", || {
            slide::<Sliding>(2, &[&[(1, 10)], &[(1, 10)]], 2..=2)
        });
        explore("slide, a late caller", || {
            slide::<Sliding>(1, &[&[(1, 10)], &[(1, 9)]], 1..=1);
        });
        explore("slide, a caller a lap behind", || {
            slide::<Sliding>(1, &[&[(1, 10)], &[(1, 20)]], 1..=2);
        });
        // The same with more calls, which have too many interleavings for a run.
        explore_bounded("slide, 3 callers around it", Some(2), || {
            slide::<Sliding>(1, &[&[(1, 10)], &[(1, 9)], &[(1, 5)]], 1..=1);
        });
        explore_bounded("slide, across laps", Some(3), || {
            slide::<Sliding>(1, &[&[(1, 10), (1, 20)], &[(1, 20)]], 1..=2);
        });
        explore_bounded("slide, a caller left two laps behind", Some(3), || {
            slide::<Sliding>(1, &[&[(1, 10), (1, 20)], &[(1, 30)]], 1..=3);
        });
        explore_bounded("slide, across laps, limit 2", Some(2), || {
            slide::<Sliding>(2, &[&[(1, 10), (1, 10), (1, 20)], &[(1, 20)]], 2..=4);
        });
    }

    /// A claimant that is late with its guess, by a lap or more, and one that leaves the end of a lap to
    /// others.
    #[test]
    fn sliding_window_with_late_guesses() {
        type Sliding = Limiter<SlidingWindow>;
        explore_bounded("laps, limit 1", Some(2), || {
            laps::<Sliding>(1, &[&[(1, 0), (1, 10)], &[(1, 20)]])
        });
        explore_bounded("laps, limit 2", Some(2), || laps::<Sliding>(2, &[LATE, AHEAD]));
        explore_bounded("laps, limit 3", Some(2), || {
            laps::<Sliding>(3, &[LATE, &[(1, 0), (1, 0), (1, 10)]]);
        });
        explore("denied at one instant", denied_at_one_instant::<Sliding>);
    }

    #[test]
    fn wrong_rings_are_refuted() {
        refute("seeded: no help", "0 admitted of 1", || {
            laps::<WrongRing<{ Bug::NoHelp as u8 }>>(1, &[&[(1, 0)], &[(1, 10)]]);
        });
        refute("seeded: slot stored", "admitted of 1", || {
            slide::<WrongRing<{ Bug::StoreSlot as u8 }>>(1, &[&[(1, 10)], &[(1, 10)]], 1..=1);
        });
        refute("seeded: lap first", "admitted of 1", || {
            slide::<WrongRing<{ Bug::LapFirst as u8 }>>(1, &[&[(1, 10)], &[(1, 10)]], 1..=1);
        });
        refute("seeded: no second look", "ticket", || {
            slide::<WrongRing<{ Bug::NoSecondLook as u8 }>>(
                1,
                &[&[(1, 10), (1, 20)], &[(1, 30)]],
                1..=3,
            );
        });
        refute("seeded: a trusted guess", "1 admitted of 2 due", || {
            laps::<WrongRing<{ Bug::TrustedGuess as u8 }>>(2, &[LATE, AHEAD]);
        });
        refute("seeded: relaxed", "", || {
            slide::<WrongRing<{ Bug::Relaxed as u8 }>>(
                1,
                &[&[(1, 10), (1, 20)], &[(1, 30)]],
                1..=3,
            );
        });
    }

    #[test]
    fn two_quotas_in_one_decision() {
        type Two = Limiter<Both<TokenBucket, FixedWindow>>;
        explore("both, 3 callers", || frozen::<Two>(2, 3, 1));
        explore("both, mixed weights", mixed_weights::<Two>);
        explore("both, refund", refund_races::<Two>);
        explore("both, reset", reset_races::<Two>);
        explore("both or neither", both_or_neither::<Two>);
        explore("both, what is left", what_is_left_is_admitted::<Two>);
        refute("seeded: denies by a copy", "1 left, admitted: false", || {
            what_is_left_is_admitted::<DeniesByACopy>();
        });
        refute("seeded: one after the other", "admitted of 1", both_or_neither::<OneAfterTheOther>);
    }

    /// A check that finds a later change begun does not look at the older pair for ever: there is an end
    /// to each execution.
    #[test]
    fn a_check_goes_on() {
        type Bucket = Limiter<Adjustable<TokenBucket>>;
        explore_bounded("look, three changes", Some(2), || {
            looks_see_one_quota::<Bucket>(3);
        });
    }

    #[test]
    fn a_quota_that_changes() {
        type Window = Limiter<Adjustable<FixedWindow>>;
        type Bucket = Limiter<Adjustable<TokenBucket>>;
        explore("look, one change", || looks_see_one_quota::<Window>(1));
        explore("look, two changes", || looks_see_one_quota::<Bucket>(2));
        explore("check, one change", || checks_see_one_quota::<Window>(1));
        explore_bounded("check, two changes", Some(3), || checks_see_one_quota::<Bucket>(2));
        explore("adjustable, 2 callers", || frozen::<Window>(1, 2, 1));
        explore_bounded("adjustable, refund", Some(3), refund_races::<Window>);
        explore("adjustable, reset", reset_races::<Bucket>);
        explore("adjustable, what is left", what_is_left_is_admitted::<Bucket>);
        explore("cut", cut_races::<Window>);
        explore("cut, bucket", cut_races::<Bucket>);
        // Of three callers there are millions of executions: at most three preemptions.
        explore_bounded("raise", Some(3), raise_races::<Window>);
        explore_bounded("raise, bucket", Some(3), raise_races::<Bucket>);
        explore("changes", || changes_race::<Window>(2));
        refute("seeded: quota apart, torn", "a torn quota", || {
            looks_see_one_quota::<QuotaApart>(1);
        });
        refute("seeded: quota apart, a check", "a torn quota", || {
            checks_see_one_quota::<QuotaApart>(1);
        });
        refute("seeded: quota apart, cut", "2 admitted of 1", cut_races::<QuotaApart>);
    }

    #[test]
    fn leases() {
        type Window = Limiter<FixedWindow>;
        type Bucket = Limiter<TokenBucket>;
        // Of three callers, two with up to three exchanges, there are hundreds of thousands.
        for check in [14, 13, 1] {
            let name = format!("leases and a check of {check}");
            explore_bounded(&name, Some(4), move || leases_race::<Window>(check, true));
        }
        for check in [14, 13] {
            let name = format!("leases and a check of {check}, bucket");
            explore_bounded(&name, Some(4), move || leases_race::<Bucket>(check, false));
        }
        explore("a lease ends", a_lease_ends_with_its_window::<Window>);
        refute("seeded: gives back anyway", "in the next window", || {
            a_lease_ends_with_its_window::<GivesBackAnyway>();
        });
        refute("seeded: a lease in two steps", "spent", || {
            leases_race::<TwoStepLease>(14, true);
        });
    }

    #[test]
    fn a_store_instead_of_an_exchange_is_refuted() {
        refute("seeded: store", "2 admitted of 1", || frozen::<StoreInsteadOfCas>(1, 2, 1));
    }

    #[test]
    fn a_roll_that_drops_a_count_is_refuted() {
        refute("seeded: roll drops a count", "left, 2 admitted of 2", || {
            roll_together::<RollDropsCount>(2, 2);
        });
    }

    #[test]
    fn a_late_caller_that_rolls_back_is_refuted() {
        refute("seeded: late caller", "2 admitted of 1", || {
            roll::<LateCallerRollsBack>(&[&[(1, 9)], &[(1, 10)]]);
        });
    }

    #[test]
    fn an_addition_without_headroom_is_refuted() {
        refute("seeded: no headroom", "admitted of 1", || frozen::<AddWithoutHeadroom>(1, 2, 1));
    }

    #[test]
    fn an_addition_judged_afterwards_is_refuted() {
        refute("seeded: add, then judge", "the newer window lost a permit", || {
            add_races_roll::<AddThenJudge>();
        });
        explore("add races roll", add_races_roll::<FixedWindowLimiter>);
    }

    #[test]
    fn an_expectation_attached_to_a_caller_is_refuted() {
        refute(
            "the per-caller specification",
            "per-caller",
            caller_zero_passes::<FixedWindowLimiter>,
        );
    }
}
