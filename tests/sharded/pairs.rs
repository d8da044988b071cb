//! Every public operation next to every other, on real threads: some order explains the answers, and nothing is lost.

use super::in_step::{Dice, in_step};
use super::linear::{NOW, OneWindow, Op, Told, admission};
use super::{at, quota};
use casgate::algorithm::Sharded;
use casgate::clock::ManualClock;
use casgate::testing::Trace;
use casgate::{FixedWindow, Limiter};
use std::sync::Arc;

type Subject = Limiter<Sharded<FixedWindow>, ManualClock>;

/// The methods of each operation, and what one call of it is. Each call picks a method by a number.
struct Operation {
    methods: &'static [&'static str],
    call: fn(&Run, usize, u32),
}

/// What two callers do to it.
struct Run {
    limiter: Subject,
    trace: Trace<Op, Told>,
    /// What was left at the beginning.
    left: u32,
}

const LIMIT: u32 = 6;

impl Run {
    fn record(&self, caller: usize, op: Op, call: impl FnOnce(&Subject) -> Told) {
        self.trace.record(caller, op, |_| call(&self.limiter));
    }

    fn check(&self, caller: usize, n: u32, which: u32) {
        self.record(caller, Op::Check(n), |limiter| {
            let now = at(NOW + caller as u64);
            let answer = match which % 4 {
                0 if n == 1 => limiter.check(),
                1 if n == 1 => limiter.check_at(now),
                0 | 2 => limiter.check_n(n),
                _ => limiter.check_n_at(n, now),
            };
            answer.map_or(Told::Denied, |admitted| Told::Admitted(admitted.remaining()))
        });
    }
}

const OPERATIONS: [Operation; 8] = [
    Operation {
        methods: &["check", "check_at"],
        call: |run, caller, which| run.check(caller, 1, which),
    },
    Operation {
        methods: &["is_allowed", "is_allowed_at"],
        call: |run, caller, which| {
            run.record(caller, Op::Check(1), |limiter| {
                let is_allowed = match which % 2 {
                    0 => limiter.is_allowed(),
                    _ => limiter.is_allowed_at(at(NOW)),
                };
                if is_allowed { Told::Admitted(0) } else { Told::Denied }
            });
        },
    },
    Operation {
        methods: &["check_n", "check_n_at"],
        call: |run, caller, which| run.check(caller, 2 + which % 3, which),
    },
    // Of no permits: spends nothing, and is no part of the order.
    Operation { methods: &["check_n"], call: |run, _, _| assert!(run.limiter.check_n(0).is_ok()) },
    Operation {
        methods: &["take_up_to", "take_up_to_at"],
        call: |run, caller, which| {
            run.record(caller, Op::TakeUpTo(2), |limiter| {
                Told::Number(match which % 2 {
                    0 => limiter.take_up_to(2),
                    _ => limiter.take_up_to_at(2, at(NOW)),
                })
            });
        },
    },
    Operation {
        methods: &["refund"],
        call: |run, caller, which| {
            let n = 1 + which % 2;
            run.record(caller, Op::Refund(n), |limiter| {
                limiter.refund(&admission(n));
                Told::Done
            });
        },
    },
    Operation {
        methods: &["reset"],
        call: |run, caller, _| {
            run.record(caller, Op::Reset, |limiter| {
                limiter.reset();
                Told::Done
            });
        },
    },
    // Reads one cell after another: no part of the order, but within the limit.
    Operation {
        methods: &["peek", "peek_at"],
        call: |run, _, which| {
            let seen = match which % 2 {
                0 => run.limiter.peek(),
                _ => run.limiter.peek_at(at(NOW)),
            };
            assert!(seen.remaining() <= LIMIT && seen.limit() == LIMIT);
        },
    },
];

const ROUNDS: usize = if cfg!(debug_assertions) { 60 } else { 3_000 };

/// A limiter of which so many permits are spent one by one; gathered, if `is_gathered`.
fn run(spent: u32, is_gathered: bool) -> Run {
    let clock = ManualClock::new();
    clock.set(at(NOW));
    let limiter = Limiter::sharded_fixed_window(quota(LIMIT)).with_cells(2).with_clock(clock);
    let run = Run { limiter, trace: Trace::default(), left: LIMIT - spent };
    (0..spent).for_each(|_| run.check(2, 1, 0));
    if is_gathered {
        run.record(2, Op::TakeUpTo(0), |limiter| Told::Number(limiter.take_up_to(0)));
    }
    run
}

fn judge(first: &'static Operation, second: &'static Operation) {
    let spent = [0, 2, 3, 4, 5, 6];
    let runs: Arc<Vec<Run>> =
        Arc::new((0..ROUNDS).map(|i| run(spent[i % 6], i % 5 == 0)).collect());
    let shared = Arc::clone(&runs);
    in_step(2, ROUNDS, move |caller, round| {
        let mut dice = Dice::new(2 * round + caller);
        let operation = [first, second][caller];
        (0..2).for_each(|_| (operation.call)(&shared[round], caller, dice.below(12)));
    });
    for run in &*runs {
        let left = run.limiter.peek().remaining();
        run.record(2, Op::Left, |_| Told::Number(left));
        let name = format!("{:?} next to {:?}", first.methods, second.methods);
        let is_alone =
            |method| !first.methods.contains(&method) && !second.methods.contains(&method);
        if is_alone("refund") && is_alone("reset") {
            assert!(left <= run.left, "{name}");
        }
        // What can still be had is what is said to be left.
        let had = (0..=LIMIT).take_while(|_| run.limiter.is_allowed()).count();
        assert_eq!(had as u32, left, "{name}");
        run.trace.assert_linearizable(&OneWindow(LIMIT));
    }
}

#[test]
fn every_operation_next_to_every_other() {
    for (i, first) in OPERATIONS.iter().enumerate() {
        for second in &OPERATIONS[i..] {
            judge(first, second);
        }
    }
}

/// Those that make a limiter, or look at what never changes.
const OTHERS: [&str; 7] = [
    "sharded_fixed_window",
    "sharded_token_bucket",
    "with_clock",
    "with_cells",
    "private",
    "is_lock_free",
    "clock",
];

#[test]
fn no_operation_is_missing() {
    let sources = [
        include_str!("../../src/limiter/sharded.rs"),
        include_str!("../../src/limiter/at.rs"),
        include_str!("../../src/limiter/now.rs"),
        include_str!("../../src/limiter/several.rs"),
        include_str!("../../src/limiter/mod.rs"),
    ];
    let known = |method: &str| {
        OTHERS.contains(&method) || OPERATIONS.iter().any(|one| one.methods.contains(&method))
    };
    let methods = sources.iter().flat_map(|source| source.split("    pub fn ").skip(1));
    let mut count = 0;
    for method in methods.map(|rest| rest.split(['(', '<']).next().unwrap_or(rest)) {
        assert!(known(method), "{method} is in no pair");
        count += 1;
    }
    assert!(count > 12, "{count} were found");
}

/// Four callers for a while, who give back what they took: nothing is lost and nothing comes of itself. In between a
/// peek is never of more than there are.
#[test]
fn permits_that_come_back_are_all_there_in_the_end() {
    const CALLS: u32 = if cfg!(debug_assertions) { 5_000 } else { 100_000 };
    let limiter = Arc::new(Limiter::sharded_fixed_window(quota(50)).with_cells(4));
    let shared = Arc::clone(&limiter);
    in_step(4, 1, move |caller, _| {
        let (mut dice, mut held) = (Dice::new(caller), Vec::new());
        for call in 0..CALLS {
            // Each in the window of its own call number: all go through the windows, one later than another.
            let now = at(u64::from(call / 100) * super::PERIOD);
            if held.first().is_some_and(|admitted: &casgate::Admitted| admitted.at() != now) {
                held.clear(); // lost with its window
            }
            match dice.below(4) {
                0 => held.pop().into_iter().for_each(|admitted| shared.refund(&admitted)),
                1 => held.extend(shared.check_n_at(1 + dice.below(9), now)),
                2 => held.extend(shared.check_at(now)),
                _ => assert!(shared.peek_at(now).remaining() <= 50),
            }
        }
        let last = at(u64::from((CALLS - 1) / 100) * super::PERIOD);
        held.retain(|admitted| admitted.at() == last);
        held.iter().for_each(|admitted| shared.refund(admitted));
    });
    let last = at(u64::from((CALLS - 1) / 100) * super::PERIOD);
    assert_eq!(limiter.peek_at(last).remaining(), 50);
    assert!(limiter.check_n_at(50, last).is_ok());
    assert!(limiter.check_at(last).is_err());
}
