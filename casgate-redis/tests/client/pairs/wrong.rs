//! Wrong stores and wrong callers, which the pairs must refute.

use super::operations::{LIMITER, Operation};
use super::*;

fn named(name: &str) -> Operation {
    LIMITER.into_iter().find(|operation| operation.name == name).expect("in the table")
}

/// What the first of some runs has found: where a machine stands still for long, leases end and permits refill.
fn found(pair: [Operation; 2], supply: Supply, bug: Bug) -> Option<Broken> {
    (0..20).find_map(|_| race(pair, supply, bug).err().map(|(broken, _)| broken))
}

#[test]
fn wrong_stores_are_found() {
    let checks = [named("check_n"), named("a refresh")];
    let forgets = found(checks, Supply::Tight, Bug::Forgets);
    assert!(matches!(forgets, Some(Broken::Bound { .. })), "{forgets:?}");
    let forgets = found(checks, Supply::Window, Bug::Forgets);
    assert!(matches!(forgets, Some(Broken::Bound { .. })), "{forgets:?}");
    assert_eq!(found(checks, Supply::Ample, Bug::GrantsNothing), Some(Broken::DeniedEarly));
    let fails = [named("a late answer"), named("check")];
    assert_eq!(found(fails, Supply::Ample, Bug::Fails), Some(Broken::Unavailable));
}

/// Takes what it is not given.
fn takes(scene: &Scene, _: usize) {
    scene.note("api", || {
        let _ = scene.limiter.check_n(5);
        Some(Answer::Admitted(5))
    });
}

/// Keeps what it gives back.
fn keeps(scene: &Scene, _: usize) {
    for _ in 0..5 {
        scene.ask("api", || {
            let admitted = scene.limiter.check()?;
            scene.limiter.refund(&admitted);
            Ok(admitted)
        });
    }
}

/// Sees what is not there.
fn sees(scene: &Scene, _: usize) {
    scene.note("api", || Some(Answer::Left(scene.limiter.peek().remaining() + 2_000_000)));
}

#[test]
fn wrong_callers_are_found() {
    let wrong = |call| Operation { name: "wrong", methods: &[], call };
    let takes = found([wrong(takes), named("check")], Supply::Tight, Bug::None);
    assert!(matches!(takes, Some(Broken::Bound { .. })), "{takes:?}");
    let kept = found([wrong(keeps), named("check")], Supply::Tight, Bug::None);
    assert!(matches!(kept, Some(Broken::Bound { .. } | Broken::Minted { .. })), "{kept:?}");
    let sees = found([wrong(sees), named("check")], Supply::Ample, Bug::None);
    assert!(matches!(sees, Some(Broken::Peeked(_))), "{sees:?}");
}
