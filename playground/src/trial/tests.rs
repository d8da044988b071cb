use super::*;

const ALGORITHMS: [&str; 4] = ["token bucket", "fixed window", "sliding window", "strict window"];

/// Nanoseconds in order, in bursts and pauses around a period of 1 s.
fn traffic(seed: u64) -> Vec<u32> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut at: Vec<u32> =
        (0..300).map(|_| random.u32(0..4_000_000_000) >> random.u32(0..3)).collect();
    at.sort_unstable();
    at
}

fn admitted(trial: &mut Trial, traffic: &[u32]) -> Vec<u32> {
    trial.begin(traffic.len() as u32);
    traffic.iter().copied().filter(|&at| trial.ask(0.0, at) == 0.0).collect()
}

#[test]
fn the_most_is_counted_as_by_brute_force_and_never_above_the_bound() {
    for (seed, algorithm) in (0..40).flat_map(|seed| ALGORITHMS.map(|name| (seed, name))) {
        let mut trial = Trial::new(algorithm, "20/s burst 7").unwrap();
        let admitted = admitted(&mut trial, &traffic(seed));
        let most = admitted.iter().map(|&start| {
            admitted.iter().filter(|&&at| at >= start && at - start < 1_000_000_000).count()
        });
        assert_eq!(Some(trial.most() as usize), most.max(), "{algorithm}");
        assert!(f64::from(trial.most()) <= trial.bound(), "{algorithm}");
    }
}

#[test]
fn every_bound_is_reached() {
    for (algorithm, quota, traffic) in [
        // A burst, and what has refilled a nanosecond before a period has passed.
        (
            "token bucket",
            "4/s burst 3",
            vec![0, 0, 0, 250_000_000, 500_000_000, 750_000_000, 999_999_999],
        ),
        ("fixed window", "2/s", vec![999_999_999, 999_999_999, 1_000_000_000, 1_000_000_000]),
        ("sliding window", "2/s", vec![5, 5, 5]),
        ("strict window", "2/s", vec![0, 500_000_000, 999_999_999]),
    ] {
        let mut trial = Trial::new(algorithm, quota).unwrap();
        admitted(&mut trial, &traffic);
        assert_eq!(f64::from(trial.most()), trial.bound(), "{algorithm}");
    }
}

#[test]
fn more_slots_than_requests_change_no_decision() {
    let ask = |limiter: &dyn Limit, at: u32| {
        limiter.check_at(Timestamp::from_nanos(at.into())).map(drop).map_err(|d| d.retry_after())
    };
    for (permits, seed) in (1..320).zip(0..) {
        let quota = Quota::per_second(permits);
        let traffic = traffic(seed);
        let few = limiter(Algorithm::SlidingWindow, quota, traffic.len() as u32);
        let all = Limiter::sliding_window(quota).with_clock(ManualClock::new());
        for at in traffic {
            assert_eq!(ask(&*few, at), ask(&all, at), "{permits}");
        }
    }
    let mut huge = Trial::new("sliding window", "4_294_967_295/d").unwrap();
    assert_eq!(admitted(&mut huge, &traffic(1)).len(), 300);
}

#[test]
fn errors_are_those_of_the_crate() {
    let error = |algorithm, quota| Trial::new(algorithm, quota).unwrap_err();
    let fortnight = "10/fortnight".parse::<Quota>().unwrap_err();
    assert_eq!(error("token bucket", "10/fortnight"), fortnight.to_string());
    assert_eq!(error("strict window", "10/s burst 11"), QuotaError::BurstAboveLimit.to_string());
    assert_eq!(error("leaky cauldron", "10/s"), "there is no algorithm \"leaky cauldron\"");
}

#[test]
fn no_timestamp_panics_and_what_no_wait_helps_is_infinite() {
    for algorithm in ALGORITHMS {
        let mut trial = Trial::new(algorithm, "1/73d").unwrap();
        trial.begin(8);
        for secs in [0.0, -1.0, 1e9, f64::NAN, f64::MAX, f64::INFINITY] {
            let _ = trial.ask(secs, u32::MAX);
        }
        trial.begin(2);
        assert_eq!(
            trial.ask(1e300, 0).min(1.0),
            if algorithm == "fixed window" { 0.0 } else { 1.0 }
        );
    }
    let mut sliding = Trial::new("sliding window", "1/s").unwrap();
    sliding.begin(1);
    assert_eq!(sliding.ask(1e300, 0), f64::INFINITY);
}
