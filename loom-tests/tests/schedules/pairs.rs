//! Operations of every limiter next to each other, in random schedules. Each execution draws two.

use casgate::algorithm::{Adjustable, Both};
use casgate::{FixedWindow, Limiter, SlidingWindow, TokenBucket};
use loom_tests::explore::explore;
use loom_tests::scenarios::pairs::*;
use shuttle::rand::{Rng, thread_rng};

fn drawn<S: Subject>(name: &str) {
    explore(&format!("pairs: {name}"), || {
        let operations: Vec<_> = OPERATIONS.into_iter().filter(|o| S::has(o.has)).collect();
        let [first, second] =
            [(); 2].map(|()| operations[thread_rng().gen_range(0..operations.len())]);
        pair::<S>(first, second, thread_rng().gen_range(0..25));
    });
}

#[test]
fn pairs() {
    drawn::<Limiter<FixedWindow>>("fixed window");
    drawn::<Limiter<TokenBucket>>("token bucket");
    drawn::<Limiter<Both<TokenBucket, FixedWindow>>>("both");
    drawn::<Limiter<SlidingWindow>>("sliding window");
    drawn::<Limiter<Adjustable<TokenBucket>>>("adjustable token bucket");
    drawn::<Limiter<Adjustable<FixedWindow>>>("adjustable fixed window");
}
