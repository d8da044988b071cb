use super::*;
use crate::Quota;

const NOW: Timestamp = Timestamp::from_secs(50);

/// A thread that has read a quota that has changed since decides nothing by it.
#[test]
fn an_old_quota_decides_nothing() {
    let table = Table::new(Kind::TokenBucket, Quota::per_hour(10), 1).unwrap();
    let at = table.place(0);
    assert!(table.spend(at, 0, 1, NOW).0.is_admitted());
    let (asker, pace) = table.asker(at, 0);
    let (way, rules) = (table.find(at).unwrap(), table.tier(0));
    let slot = table.slot(0, way);
    let spend = |seen| Table::spend_in(rules, Some((slot, seen)), asker, &pace, 1, NOW).is_some();
    let decide = || table.decide_in(slot, asker, &pace, Ask::Spend(1), NOW).is_some();
    let absent = || table.ask_absent(asker, &pace, Ask::Spend(1), NOW).is_some();
    let first = slot.word();
    // An exchange may fail without cause.
    assert!(table.is_current(asker) && (0..9).any(|_| spend(first)) && decide() && absent());
    assert!(!spend(first), "its word has changed");
    assert_eq!(rules.settled_pace(rules.version()), Some(pace));

    rules.begin();
    rules.publish(Kind::TokenBucket, Quota::per_hour(11).into(), NOW).unwrap();
    let before = slot.both();
    assert!(!table.is_current(asker) && !spend(slot.word()) && !decide() && !absent());
    assert_eq!(slot.both(), before);
    assert_eq!(rules.settled_pace(rules.version()), None);
    assert_eq!(rules.pace_of(asker.own.id()).0, pace);
    assert_eq!(rules.pace_of(table.asker(at, 0).0.own.id()).0.limit(), 11);
    rules.settle();
    rules.end();
    assert_eq!(rules.settled_pace(rules.version()).map(|pace| pace.limit()), Some(11));
}
