//! Every public operation of a limiter next to every other: what two threads see, and what they leave behind, must be
//! what some order of their atomic steps makes.

mod subjects;
mod wrong;

pub use subjects::{Kept, Subject};
pub use wrong::{CountsAfterwards, RefundsInTwoSteps};

use super::{WINDOW, at};
use crate::explore::atomic::{AtomicUsize, Ordering};
use crate::explore::thread;
use casgate::{Admitted, Limiter, Timestamp};
use std::sync::Arc;
use subjects::QUOTA;

/// What one atomic step does.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Asks for one permit.
    Check,
    /// Asks for so many.
    CheckN(u32),
    /// Asks for one permit, and for no numbers.
    IsAllowed,
    /// Looks.
    Peek,
    /// Looks at what is outstanding.
    Save,
    /// Takes up to so many.
    TakeUpTo(u32),
    /// Takes all.
    Drain,
    /// Spends so many, into debt if need be.
    Charge(u32),
    /// Denies all before the next window but one.
    DenyUntil,
    /// Gives all back.
    Reset,
    /// Gives back the permits that were spent before the race.
    Refund,
    /// Gives so many back.
    RefundN(u32),
    /// Spends what another limiter had outstanding.
    Restore,
    /// Takes a place in line.
    Reserve,
    /// Keeps it.
    Commit,
    /// Gives it back, by hand.
    Cancel,
    /// Gives it back, or the permits of a lease.
    Drop,
    /// Spends a permit of a lease, which takes some.
    Lease,
    /// Changes the quota.
    SetQuota,
}

/// Which limiters have an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Has {
    /// All.
    All,
    /// All but the sliding window.
    Weighted,
    /// Those whose state is a word.
    Word,
    /// The token bucket.
    Bucket,
    /// Those whose quota can be changed.
    Adjustable,
}

/// One operation: the methods that it stands for, its atomic steps, and who has it.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The public methods.
    pub methods: &'static [&'static str],
    /// What it does, in this order.
    pub steps: &'static [Step],
    /// Which limiters have it.
    pub has: Has,
}

const fn operation(
    has: Has,
    methods: &'static [&'static str],
    steps: &'static [Step],
) -> Operation {
    Operation { methods, steps, has }
}

/// All operations. A test compares the methods with those of the source.
pub const OPERATIONS: [Operation; 17] = [
    operation(Has::All, &["check", "check_at"], &[Step::Check]),
    operation(Has::All, &["is_allowed", "is_allowed_at"], &[Step::IsAllowed]),
    operation(Has::All, &["peek", "peek_at"], &[Step::Peek]),
    operation(Has::Weighted, &["check_n", "check_n_at"], &[Step::CheckN(2)]),
    operation(Has::Weighted, &["save", "save_at"], &[Step::Save]),
    operation(Has::Weighted, &["take_up_to", "take_up_to_at"], &[Step::TakeUpTo(2)]),
    operation(Has::Weighted, &["drain", "drain_at"], &[Step::Drain]),
    operation(Has::Weighted, &["charge", "charge_at", "starting_with"], &[Step::Charge(4)]),
    operation(Has::Weighted, &["deny_until"], &[Step::DenyUntil]),
    operation(Has::Weighted, &["reset"], &[Step::Reset]),
    operation(Has::Weighted, &["refund"], &[Step::Refund]),
    operation(Has::Weighted, &["refund_n"], &[Step::RefundN(2)]),
    operation(Has::Weighted, &["restore", "restore_at"], &[Step::Restore]),
    operation(
        Has::Bucket,
        &["reserve", "reserve_at", "reserve_owned", "reserve_owned_at", "commit"],
        &[Step::Reserve, Step::Commit],
    ),
    operation(Has::Bucket, &["cancel"], &[Step::Reserve, Step::Cancel]),
    operation(Has::Word, &["lease", "lease_owned"], &[Step::Lease, Step::Drop]),
    operation(Has::Adjustable, &["set_quota", "set_quota_at"], &[Step::SetQuota]),
];

/// Public methods that ask nothing of a limiter's state.
pub const NO_OPERATIONS: &[&str] =
    &["is_lock_free", "clock", "to_words", "from_words", "delay", "ready_at", "ticket", "held"];

/// A caller's steps, and when it takes them.
type Script<'a> = (&'a [Step], Timestamp);

/// A limiter that one permit was taken of at 0.
fn begun<S: Subject>() -> (Arc<S>, Admitted) {
    let limiter = Arc::new(S::fresh());
    // Of a limiter that is like it: not all subjects return it.
    let first = Limiter::fixed_window(QUOTA).check_at(at(0)).expect("the first");
    let _ = limiter.step(Step::Check, at(0), &first, &mut Kept::default());
    (limiter, first)
}

/// What is left at the end.
fn left<S: Subject>(limiter: &Arc<S>, first: &Admitted) -> [String; 3] {
    [0, WINDOW, 3 * WINDOW].map(|t| limiter.step(Step::Peek, at(t), first, &mut Kept::default()))
}

/// All pairs of operations that the limiter has. `run` is given a name, the two, and when the second takes
/// its steps: in the same window, at its end, and in the next.
pub fn pairs<S: Subject>(run: impl Fn(String, Operation, Operation, u64)) {
    let operations: Vec<_> = OPERATIONS.into_iter().filter(|o| S::has(o.has)).collect();
    for (i, &first) in operations.iter().enumerate() {
        for &second in &operations[i..] {
            for later in [0, WINDOW - 1, WINDOW] {
                let name = format!("{:?} beside {:?} at {later}", first.steps, second.steps);
                run(name, first, second, later);
            }
        }
    }
}

/// What two callers learn, one after another in the order of `turns`, and what is left.
fn in_order<S: Subject>(
    scripts: [Script<'_>; 2],
    turns: &[usize],
) -> ([Vec<String>; 2], [String; 3]) {
    let (limiter, first) = begun::<S>();
    let (mut kept, mut learned) = (<[Kept; 2]>::default(), <[Vec<String>; 2]>::default());
    for &caller in turns {
        let (steps, now) = scripts[caller];
        let step = steps[learned[caller].len()];
        learned[caller].push(limiter.step(step, now, &first, &mut kept[caller]));
    }
    (learned, left(&limiter, &first))
}

/// All orders of so many turns of the first caller and of the second.
fn orders(first: usize, second: usize) -> Vec<Vec<usize>> {
    if first + second == 0 {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for (caller, before) in
        [(0, (first.wrapping_sub(1), second)), (1, (first, second.wrapping_sub(1)))]
    {
        if [first, second][caller] > 0 {
            for mut turns in orders(before.0, before.1) {
                turns.push(caller);
                all.push(turns);
            }
        }
    }
    all
}

/// Both operations at once, the first at 0 and the second at `later`.
///
/// # Panics
///
/// If no order of their steps explains what the callers learn and what is left.
pub fn pair<S: Subject>(first: Operation, second: Operation, later: u64) {
    let scripts = [(first.steps, at(0)), (second.steps, at(later))];
    let (limiter, admitted) = begun::<S>();
    let begun = Arc::new(AtomicUsize::new(0));
    let run = move |limiter: &Arc<S>, begun: &AtomicUsize, (steps, now): Script<'static>| {
        // The model checker tries both orders of two changes; of a change and a load it may try one.
        begun.fetch_add(1, Ordering::AcqRel);
        let mut kept = Kept::default();
        let learned: Vec<_> =
            steps.iter().map(|&step| limiter.step(step, now, &admitted, &mut kept)).collect();
        learned
    };
    let threads = scripts.map(|script| {
        let (limiter, begun) = (Arc::clone(&limiter), Arc::clone(&begun));
        thread::spawn(move || run(&limiter, &begun, script))
    });
    let learned = threads.map(|thread| thread.join().expect("no caller panics"));
    let seen = (learned, left(&limiter, &admitted));
    let orders = orders(first.steps.len(), second.steps.len());
    let explained = orders.iter().any(|turns| in_order::<S>(scripts, turns) == seen);
    assert!(explained, "no order explains {:?} beside {:?}: {seen:?}", first.steps, second.steps);
}
