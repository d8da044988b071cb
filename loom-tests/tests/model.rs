//! Every interleaving of the scenarios, and the refutation of the wrong limiters.

#[cfg(not(casgate_loom))]
compile_error!("built without `--cfg casgate_loom`: run `cargo loom`, with RUSTFLAGS unset");

#[cfg(casgate_loom)]
mod model {
    use casgate::Limiter;
    use loom_tests::explore::{explore, explore_bounded, refute};
    use loom_tests::scenarios::*;
    use loom_tests::seeded::*;

    #[test]
    fn frozen_clock() {
        for limit in [1, 2] {
            for callers in [2, 3, 4] {
                let name = format!("{callers} callers, limit {limit}");
                // Four callers that may all be admitted have more interleavings than a run can
                // visit: at most three preemptions there.
                let bound = (callers == 4).then_some(3);
                explore_bounded(&name, bound, move || frozen::<Limiter>(limit, callers, 1));
            }
            for callers in [2, 3] {
                let name = format!("{callers} callers, two calls each, limit {limit}");
                let bound = (callers == 3).then_some(3);
                explore_bounded(&name, bound, move || frozen::<Limiter>(limit, callers, 2));
            }
        }
    }

    #[test]
    fn window_roll() {
        explore("roll, one caller a side", || roll::<Limiter>(&[&[(1, 9)], &[(1, 10)]]));
        explore("roll, a late caller", || {
            roll::<Limiter>(&[&[(1, 9)], &[(1, 10)], &[(1, 5)]]);
        });
        explore("roll, crossing callers", || {
            roll::<Limiter>(&[&[(1, 9), (1, 10)], &[(1, 10), (1, 9)]]);
        });
        explore("roll, two together", || roll_together::<Limiter>(2, 2));
        explore("roll, three together", || roll_together::<Limiter>(2, 3));
    }

    #[test]
    fn weights_reset_and_peek() {
        explore("mixed weights", mixed_weights::<Limiter>);
        explore("reset", reset_races::<Limiter>);
        explore("reset, roll", reset_races_roll::<Limiter>);
        explore("peek", peek_races::<Limiter>);
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
        explore("add races roll", add_races_roll::<Limiter>);
    }

    #[test]
    fn a_two_step_reset_is_refuted() {
        refute("seeded: two-step reset", "an older window came back", || {
            reset_races_roll::<TwoStepReset>();
        });
    }

    #[test]
    fn an_expectation_attached_to_a_caller_is_refuted() {
        refute("the per-caller specification", "per-caller", caller_zero_passes::<Limiter>);
    }
}
