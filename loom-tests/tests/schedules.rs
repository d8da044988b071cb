//! Random schedules of more callers than every interleaving can be visited for, with weak exchanges that
//! fail without cause and 128-bit words at their full width.

#[cfg(not(casgate_shuttle))]
compile_error!("built without `--cfg casgate_shuttle`: run `cargo shuttle`, with RUSTFLAGS unset");

#[cfg(casgate_shuttle)]
#[path = "schedules/keyed.rs"]
mod keyed;

#[cfg(casgate_shuttle)]
#[path = "schedules/pairs.rs"]
mod pairs;

#[cfg(casgate_shuttle)]
#[path = "schedules/queue.rs"]
mod queue;

#[cfg(casgate_shuttle)]
#[path = "schedules/sharded.rs"]
mod sharded;

#[cfg(casgate_shuttle)]
mod schedules {
    use casgate::algorithm::{Adjustable, Both};
    use casgate::{FixedWindow, Limiter, SlidingWindow, TokenBucket};
    use loom_tests::explore::{explore, explore_bounded, refute};
    use loom_tests::gate::Gate;
    use loom_tests::scenarios::*;
    use loom_tests::seeded::*;
    use shuttle::rand::{Rng, thread_rng};

    type Window = Limiter<FixedWindow>;
    type Bucket = Limiter<TokenBucket>;
    type Sliding = Limiter<SlidingWindow>;
    type Two = Limiter<Both<TokenBucket, FixedWindow>>;
    type LiveWindow = Limiter<Adjustable<FixedWindow>>;
    type LiveBucket = Limiter<Adjustable<TokenBucket>>;

    /// At, and around, the instant at which permits come free.
    const AT: &[Request] = &[(1, 10)];
    const AROUND: &[Request] = &[(1, 9), (1, 10), (1, 5), (1, 10)];

    /// Callers that ask for weights at readings which the scheduler draws: around a few boundaries, early and
    /// late.
    fn drawn(callers: usize, calls: usize, heaviest: u32) -> Vec<Vec<Request>> {
        let request = || (thread_rng().gen_range(1..=heaviest), thread_rng().gen_range(0..45));
        (0..callers).map(|_| (0..calls).map(|_| request()).collect()).collect()
    }

    fn as_slices(scripts: &[Vec<Request>]) -> Vec<&[Request]> {
        scripts.iter().map(Vec::as_slice).collect()
    }

    fn explains_what_is_drawn<G: Gate>(name: &str) {
        explore_bounded(name, Some(6), || {
            explained::<G>(3, &as_slices(&drawn(8, 6, 3)));
        });
    }

    #[test]
    fn eight_callers_at_a_frozen_clock() {
        explore("window", || frozen::<Window>(9, 8, 3));
        explore("bucket", || frozen::<Bucket>(9, 8, 3));
        explore("sliding", || frozen::<Sliding>(9, 8, 3));
        explore("both", || frozen::<Two>(7, 8, 2));
        explore("adjustable", || frozen::<LiveBucket>(7, 8, 2));
        explore("twenty callers", || frozen::<Window>(7, 20, 1));
    }

    #[test]
    fn words_at_their_full_width() {
        explore("window", || far::<Window>(11, 8, 3));
        explore("bucket", || far::<Bucket>(11, 8, 3));
        explore("sliding", || far::<Sliding>(11, 8, 3));
        explore("both", || far::<Two>(11, 8, 3));
        explore("adjustable window", || far::<LiveWindow>(11, 8, 3));
        explore("adjustable bucket", || far::<LiveBucket>(11, 8, 3));
    }

    #[test]
    fn whatever_eight_callers_ask() {
        explains_what_is_drawn::<Window>("window");
        explains_what_is_drawn::<Bucket>("bucket");
        explore_bounded("sliding", Some(6), || {
            let scripts = drawn(8, 6, 1);
            slide::<Sliding>(3, &as_slices(&scripts), 1..=48);
        });
    }

    #[test]
    fn rolls_refunds_and_resets() {
        explore("roll", || roll::<Window>(&[AROUND; 8]));
        explore("roll together", || roll_together::<Window>(5, 8));
        explore("weights", mixed_weights::<Two>);
        explore("refund", refund_races::<Two>);
        explore("what is left", what_is_left_is_admitted::<Two>);
        refute("seeded: denies by a copy", "1 left, admitted: false", || {
            what_is_left_is_admitted::<DeniesByACopy>();
        });
        explore("reset", reset_races::<LiveBucket>);
        explore("cancel", cancel_races::<Bucket>);
        explore("peek", peek_races::<Bucket>);
        explore("both or neither", both_or_neither::<Two>);
        explore("eight at a refill", || refill::<Bucket>(&[AROUND; 8], 1..=1));
    }

    #[test]
    fn a_quota_that_eight_callers_change() {
        explore("changes", || changes_race::<LiveWindow>(8));
        explore("changes, bucket", || changes_race::<LiveBucket>(8));
        explore("look", || looks_see_one_quota::<LiveBucket>(12));
        explore("cut", cut_races::<LiveWindow>);
        explore("raise", raise_races::<LiveBucket>);
    }

    #[test]
    fn leases_of_eight_holders() {
        explore("leases", || leases_crowd::<Window>(8, true));
        explore("leases, bucket", || leases_crowd::<Bucket>(8, false));
        explore("a lease ends", a_lease_ends_with_its_window::<Window>);
    }

    #[test]
    fn wrong_limiters_are_refuted() {
        refute("seeded: store", "admitted of 5", || frozen::<StoreInsteadOfCas>(5, 8, 1));
        refute("seeded: roll drops a count", "left,", || roll_together::<RollDropsCount>(8, 8));
        refute("seeded: no headroom", "admitted of 5", || frozen::<AddWithoutHeadroom>(5, 8, 1));
        refute("seeded: no help", "0 admitted of 1", || {
            laps::<WrongRing<{ Bug::NoHelp as u8 }>>(1, &[&[(1, 0)], AT]);
        });
        refute("seeded: lap first", "admitted of 1", || {
            slide::<WrongRing<{ Bug::LapFirst as u8 }>>(1, &[AT; 8], 1..=1);
        });
        refute("seeded: quota apart", "a torn quota", || looks_see_one_quota::<QuotaApart>(12));
        refute("seeded: full refund", "place", cancel_races::<FullRefund>);
        refute("seeded: a lease in two steps", "spent", || leases_crowd::<TwoStepLease>(8, true));
        refute("the per-caller specification", "per-caller", caller_zero_passes::<Window>);
    }
}
