use super::*;
use core::cell::Cell;
use std::collections::VecDeque;
use std::vec::Vec;

const PERIOD: u64 = 10;

fn ring(count: u64) -> Ring<Vec<Slot>> {
    Ring::new((0..count).map(|_| Slot::new()).collect())
}

/// As the sliding window claims.
fn claim(ring: &Ring<Vec<Slot>>, now: u64) -> Result<View, View> {
    ring.claim(Some(now), |view| (view.oldest <= now).then(|| view.newest.max(now + PERIOD)))
}

/// The slots by the rule alone: when each is free, the oldest in front.
#[derive(Clone)]
struct Oracle(VecDeque<u64>, u64);

impl Oracle {
    fn claim(&mut self, now: u64) -> bool {
        let is_free = self.0[0] <= now;
        if is_free {
            let newest = *self.0.back().unwrap();
            self.0.pop_front();
            self.0.push_back(newest.max(now + PERIOD));
            self.1 += 1;
        }
        is_free
    }

    fn free(&self, now: u64) -> u32 {
        self.0.iter().filter(|free_at| **free_at <= now).count() as u32
    }

    /// When one is admitted, if so many others are first, each as soon as it can be.
    fn first_fit(&self, ahead: u64, now: u64) -> u64 {
        let mut after = self.clone();
        for _ in 0..ahead {
            assert!(after.claim(now.max(after.0[0])));
        }
        now.max(after.0[0])
    }

    fn assert_seen(&self, view: View, why: &str) {
        let count = self.0.len();
        assert_eq!(view.position.claims(count as u32), self.1, "{why}");
        assert_eq!(view.position.index as u64, self.1 % count as u64, "{why}");
        assert_eq!(view.newest, *self.0.back().unwrap(), "{why}");
    }
}

/// Every script of so many calls, each at one of the timestamps after the last one, or late by as much.
fn scripts(calls: u32) -> impl Iterator<Item = Vec<i64>> {
    const MOVES: [i64; 4] = [0, 3, PERIOD as i64, -4];
    (0..MOVES.len().pow(calls)).map(move |script| {
        (0..calls).map(|call| MOVES[script / MOVES.len().pow(call) % MOVES.len()]).collect()
    })
}

/// A ring after each number of claims up to two laps, and then each script, with the guess that
/// claimants left and with wrong ones.
#[test]
fn whatever_is_asked_and_guessed_the_rule_explains_it() {
    for count in 1..=10u64 {
        for before in 0..=2 * count + 1 {
            let calls = if count < 4 { 5 } else { 3 };
            for (i, script) in scripts(calls).enumerate() {
                let ring = ring(count);
                let mut oracle = Oracle((0..count).map(|_| 0).collect(), 0);
                let mut now = 0;
                for _ in 0..before {
                    now = now.max(oracle.0[0]);
                    assert!(oracle.claim(now) && claim(&ring, now).is_ok());
                }
                for (call, step) in script.iter().enumerate() {
                    now = now.saturating_add_signed(*step);
                    if i % 2 == 1 {
                        let wrong = (i + call) as u64 % count;
                        ring.guess.store(wrong, Ordering::Relaxed);
                    }
                    let why = format!("{count} slots, {before} claims, then {script:?}: {call}");
                    let (oldest, free) = (oracle.0[0], oracle.free(now));
                    let seen = ring.view_and_free(now);
                    assert_eq!((seen.oldest, seen.free), (oldest, free), "{why}");
                    oracle.assert_seen(seen, &why);
                    for ahead in 0..=2 * count + 1 {
                        let fits = ring.free_behind(ahead, now, PERIOD);
                        assert_eq!(fits, oracle.first_fit(ahead, now), "{why}, behind {ahead}");
                    }
                    let outcome = claim(&ring, now);
                    assert_eq!(outcome.is_ok(), oracle.claim(now), "{why}");
                    let (Ok(view) | Err(view)) = outcome;
                    assert_eq!(view.oldest, oldest, "{why}");
                    oracle.assert_seen(view, &why);
                    if outcome.is_ok() {
                        assert_eq!(view.free, free - 1, "{why}");
                    }
                }
            }
        }
    }
}

/// A claimant that stops permanently after its first step.
fn stopped(ring: &Ring<Vec<Slot>>, free_at: u64) {
    let Oldest { slot, seen, .. } = ring.oldest();
    assert!(slot.claim(seen, free_at));
}

#[test]
fn claimants_that_stop_between_their_steps_stop_nobody() {
    for count in 1..=5 {
        let ring = ring(count);
        for claims in 1..30 {
            let now = claims * PERIOD;
            stopped(&ring, now + PERIOD);
            // The next caller finds the slot after it, and so does one that only looks.
            let view = ring.view_and_free(now);
            assert_eq!(view.position.claims(count as u32), 2 * claims - 1);
            assert_eq!(view.newest, now + PERIOD);
            if count > 1 {
                let view = claim(&ring, now).unwrap();
                assert_eq!(view.position.claims(count as u32), 2 * claims);
            } else {
                stopped(&ring, now + PERIOD + 1);
            }
        }
    }
}

/// What is found by a search is guessed from then on.
#[test]
fn a_wrong_guess_is_corrected_by_who_finds_it() {
    let ring = ring(7);
    for _ in 0..5 {
        claim(&ring, 0).unwrap();
    }
    for wrong in [0, 2, 4, 6] {
        ring.guess.store(wrong, Ordering::Relaxed);
        assert_eq!(ring.view().position.index, 5);
        assert_eq!(ring.guess.load(Ordering::Relaxed), 5);
    }
}

/// Slots of which another thread claims the first, when they are asked for so many times.
struct Claimed(Vec<Slot>, Cell<u32>);

impl AsRef<[Slot]> for Claimed {
    fn as_ref(&self) -> &[Slot] {
        self.1.set(self.1.get().wrapping_sub(1));
        if self.1.get() == 0 {
            assert!(self.0[0].claim(Mark(0), PERIOD));
        }
        &self.0
    }
}

/// What is read of several slots is of one instant, whenever a claim comes in between.
#[test]
fn a_claim_in_between_is_counted_wholly_or_not() {
    for asked in 1..40 {
        let ring = || Ring::new(Claimed((0..4).map(|_| Slot::new()).collect(), Cell::new(asked)));
        let view = ring().view_and_free(0);
        assert_eq!(u64::from(view.free), 4 - view.position.claims(4), "at {asked}");
        for (ahead, fits) in [(0, [0, 0]), (2, [0, 0]), (3, [0, PERIOD]), (4, [PERIOD; 2])] {
            let fit = ring().free_behind(ahead, 0, PERIOD);
            assert!(fits.contains(&fit), "at {asked}: {fit} behind {ahead}");
        }
    }
}

#[test]
fn counts_what_is_free_from_any_position() {
    let ring = ring(7);
    for claim in 0..30u64 {
        for now in 0..60 {
            let free = (0..7).filter(|i| ring.slots[*i].load().free_at() <= now).count();
            assert_eq!(ring.free(ring.view(), now), free as u32);
        }
        ring.claim(None, |_| Some(claim + claim / 3)).unwrap();
    }
}
