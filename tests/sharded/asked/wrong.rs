//! Wrong limiters, which the pairs must refute.

use super::subjects::{BATCH, Kept, Stocked, Subject};
use super::{Act, Answer, Broken, Run, race};
use std::sync::Mutex;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    /// A denial is an admission.
    Mints,
    /// A denial of what is there.
    DeniesEarly,
    /// Each admission takes a batch, and keeps nothing of it.
    Strands,
    PeeksTooMany,
    PeeksNone,
    None,
}

/// A limiter with the bug of that number.
struct Wrong<S, const BUG: u8>(S);

impl<S: Subject, const BUG: u8> Subject for Wrong<S, BUG> {
    fn run(round: usize) -> Run<Self> {
        let Run { limiter, promise, times, calls } = S::run(round);
        Run {
            limiter: Self(limiter),
            promise,
            times,
            calls: Mutex::new(calls.into_inner().unwrap()),
        }
    }

    fn act(&self, act: Act, now: u64) -> Answer {
        let has = |bug: Bug| BUG == bug as u8;
        // The test asks so at last, of a right one.
        if act == Act::CheckAt || has(Bug::None) {
            return self.0.act(act, now);
        }
        if has(Bug::DeniesEarly) && act == Act::Check {
            return Answer::Denied;
        }
        match self.0.act(act, now) {
            Answer::Denied if has(Bug::Mints) => Answer::Admitted,
            Answer::Admitted if has(Bug::Strands) => {
                (0..2 * BATCH).for_each(|_| _ = self.0.act(act, now));
                Answer::Admitted
            }
            Answer::Left(left) if has(Bug::PeeksTooMany) => Answer::Left(left + 1),
            Answer::Left(_) if has(Bug::PeeksNone) => Answer::Left(0),
            answer => answer,
        }
    }

    fn left(&self, now: u64) -> u32 {
        self.0.left(now)
    }
}

fn found<S: Subject>(acts: [Act; 2]) -> Option<Broken> {
    race::<S>(acts, 30).err().map(|(broken, _)| broken)
}

fn all_are_found<S: Subject>() {
    let asks = [Act::Check, Act::IsAllowed];
    let peeks = [Act::Peek, Act::PeekAt];
    let minted = found::<Wrong<S, { Bug::Mints as u8 }>>(asks);
    assert!(matches!(minted, Some(Broken::Bound { .. })), "{minted:?}");
    let denied = found::<Wrong<S, { Bug::DeniesEarly as u8 }>>(asks);
    assert!(matches!(denied, Some(Broken::DeniedEarly { .. })), "{denied:?}");
    let stranded = found::<Wrong<S, { Bug::Strands as u8 }>>(asks);
    assert!(matches!(stranded, Some(Broken::Lost { .. })), "{stranded:?}");
    let too_many = found::<Wrong<S, { Bug::PeeksTooMany as u8 }>>(peeks);
    assert!(matches!(too_many, Some(Broken::Peeked(1..))), "{too_many:?}");
    let none = found::<Wrong<S, { Bug::PeeksNone as u8 }>>(peeks);
    assert_eq!(none, Some(Broken::Peeked(0)));
    for acts in [asks, peeks] {
        assert_eq!(found::<Wrong<S, { Bug::None as u8 }>>(acts), None);
    }
}

#[test]
fn wrong_buckets_are_found() {
    all_are_found::<Stocked>();
}

#[test]
fn wrong_limiters_with_private_permits_are_found() {
    all_are_found::<Kept>();
}
