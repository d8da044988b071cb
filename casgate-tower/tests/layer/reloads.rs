//! Policies that change while requests run.

use super::configs::{config, made, one};
use super::*;
use casgate::KeyedError;
use casgate_tower::config::{Problem, SetQuotaError};

const KEYED: &str = "
    [[policies]]
    name = \"keyed\"
    quota = \"3/d\"
    key = \"header:x-key\"
";

const GLOBAL: &str = "
    [[policies]]
    name = \"all\"
    quota = \"3/d\"
";

/// A policy whose limiter stays keeps what was spent, whatever else changes; a new quota reaches keys that are known.
#[test]
fn a_reload_keeps_what_was_spent() {
    for text in [KEYED, GLOBAL] {
        let policies = made(text);
        let service = around(&policies.layer());
        let admitted = || (0..99).take_while(|_| status(&service, request("a")) == 200).count();
        assert_eq!(status(&service, request("a")), 200);
        let other = "\n[[policies]]\nname = \"other\"\nquota = \"99/d\"\nmethods = [\"PUT\"]\n";
        policies.reload(config(&format!("{other}{text}cost = 1\nrefund_on = [500]"))).unwrap();
        assert_eq!(status(&service, request("a")), 200);
        policies.reload(config(&text.replace("3/d", "10/d"))).unwrap();
        assert_eq!(admitted(), 8, "two of ten were spent");
        policies.reload(config(&text.replace("3/d", "2/d"))).unwrap();
        assert_eq!(admitted(), 0);
        let name = policies.names()[0].clone();
        policies.set_quota(name.as_str(), "20/d".parse().unwrap()).unwrap();
        assert_eq!(admitted(), 18, "what exceeded the lower quota is forgotten");
        assert_eq!(policies.get(name.as_str()).unwrap().quota(), Quota::per_day(20));
        // By another name it is another policy.
        policies.reload(config(&text.replace("name = \"", "name = \"new "))).unwrap();
        assert_eq!(admitted(), 3);
    }
}

/// Another key, capacity or algorithm is another limiter.
#[test]
fn a_reload_that_changes_the_limiter_begins_again() {
    for (before, after) in [
        (KEYED.to_owned(), format!("{KEYED}capacity = 5")),
        (KEYED.to_owned(), format!("{KEYED}algorithm = \"fixed_window\"")),
        (KEYED.to_owned(), KEYED.replace("key = \"header:x-key\"", "")),
        (GLOBAL.to_owned(), format!("{GLOBAL}algorithm = \"fixed_window\"")),
        (GLOBAL.to_owned(), format!("{GLOBAL}key = \"header:x-key\"")),
    ] {
        let policies = made(&before);
        let service = around(&policies.layer());
        for _ in 0..3 {
            assert_eq!(status(&service, request("a")), 200);
        }
        assert_eq!(status(&service, request("a")), 429);
        policies.reload(config(&after)).unwrap();
        assert_eq!(status(&service, request("a")), 200, "{after}");
        policies.reload(config(&after)).unwrap();
        assert_eq!(status(&service, request("a")), 200);
        assert_eq!(status(&service, request("a")), 200);
        assert_eq!(status(&service, request("a")), 429);
    }
}

/// A change of how clients are found is a change of the key `client`, and of no other.
#[test]
fn a_new_client_section_changes_the_key_client() {
    let text =
        format!("{KEYED}\n[[policies]]\nname = \"client\"\nquota = \"3/d\"\nkey = \"client\"\n");
    let policies = made(&text);
    let service = around(&policies.layer());
    let ask = || {
        let mut request = request("a");
        request.extensions_mut().insert(casgate_tower::Peer([192, 0, 2, 7].into()));
        send(&service, request).headers()["ratelimit"].to_str().unwrap().to_owned()
    };
    let left = |text: &str, name: &str| {
        let from = text.find(&format!("\"{name}\";r=")).unwrap() + name.len() + 5;
        text[from..].chars().next().unwrap()
    };
    assert_eq!(left(&ask(), "client"), '2');
    policies.reload(config(&format!("[client]\nipv6_prefix = 48\n{text}"))).unwrap();
    let said = ask();
    assert_eq!((left(&said, "keyed"), left(&said, "client")), ('1', '2'));
}

/// A reload with a mistake in its last policy changes nothing: neither a quota nor a policy.
#[test]
fn a_reload_is_all_or_nothing() {
    let policies = made(&format!("{KEYED}{GLOBAL}"));
    let service = around(&policies.layer());
    let wrong = format!("{KEYED}{GLOBAL}").replace("3/d", "100/d") + "enforce = 101\n";
    for _ in 0..2 {
        let error = policies.reload(config(&wrong)).unwrap_err();
        assert_eq!((error.policy(), error.problem()), (Some("all"), &Problem::Percent(101)));
        let quotas = ["keyed", "all"].map(|name| policies.get(name).unwrap().quota());
        assert_eq!(quotas, [Quota::per_day(3); 2]);
    }
    for expected in [200, 200, 200, 429] {
        assert_eq!(status(&service, request("a")), expected);
    }
}

#[test]
fn a_quota_that_does_not_fit_is_not_set() {
    let policies = made(&format!("{KEYED}cost = 2\n{GLOBAL}"));
    let set = |name, quota: &str| policies.set_quota(name, quota.parse().unwrap());
    assert_eq!(set("other", "1/d"), Err(SetQuotaError::NoSuchPolicy));
    assert_eq!(set("keyed", "1/d"), Err(SetQuotaError::CostNeverFits));
    assert_eq!(set("keyed", "10_000_000/s"), Err(SetQuotaError::Limiter(KeyedError::TooFast)));
    assert_eq!(set("all", "10_000_000/s"), Ok(()), "one limit for all can be faster");
    assert_eq!(policies.get("keyed").unwrap().quota(), Quota::per_day(3));
    // As a reload does.
    let fast = KEYED.replace("3/d", "10_000_000/s");
    let error = policies.reload(config(&fast)).unwrap_err();
    assert_eq!(error.problem(), &Problem::Limiter(KeyedError::TooFast));
    // The quota that was set is the one that a reload compares with.
    policies.reload(config(&format!("{KEYED}cost = 2\n{GLOBAL}"))).unwrap();
    assert_eq!(policies.get("all").unwrap().quota(), Quota::per_day(3));
    let service = around(&policies.layer());
    let statuses = [(); 2].map(|()| status(&service, request("a")));
    assert_eq!(statuses, [200, 429]);
}

/// A reload compares with the quota that was set last, not with that of the file before.
#[test]
fn a_reload_undoes_a_quota_that_was_set() {
    for text in [KEYED, GLOBAL] {
        let policies = made(text);
        let service = around(&policies.layer());
        policies.set_quota(policies.names()[0].as_str(), "90/d".parse().unwrap()).unwrap();
        policies.reload(config(text)).unwrap();
        let admitted = (0..99).take_while(|_| status(&service, request("a")) == 200).count();
        assert_eq!(admitted, 3);
    }
}

/// A request in flight across a reload settles with the limiter and the options that have admitted it.
#[test]
fn a_request_in_flight_is_settled_with_its_own_limiter() {
    let policies = made(&format!("{KEYED}refund_on = [200]"));
    let mut service = around(&policies.layer());
    let old = policies.get("keyed").unwrap();
    let before = around(&RateLimitLayer::new(old));
    let in_flight = service.call(request("a"));
    policies.reload(config(&format!("{KEYED}capacity = 9"))).unwrap();
    for expected in [200, 200] {
        assert_eq!(status(&service, request("a")), expected);
    }
    assert!(now(in_flight).is_ok());
    assert_eq!(
        send(&before, request("a")).headers()["ratelimit"].to_str().unwrap().split(';').nth(1),
        Some("r=3")
    );
    assert_eq!(status(&service, request("a")), 200);
    assert_eq!(status(&service, request("a")), 429, "the new limiter was given nothing back");
}

/// Requests run on while policies are reloaded; of a limiter that stays no permit is lost or given twice.
#[test]
fn requests_during_reloads_are_charged_once() {
    let text = GLOBAL.replace("3/d", "500/d");
    let policies = made(&text);
    let passed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let (service, passed) = (around(&policies.layer()), &passed);
            scope.spawn(move || {
                for _ in 0..300 {
                    if status(&service, request("a")) == 200 {
                        passed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let (policies, text) = (&policies, &text);
        scope.spawn(move || {
            for i in 0..50 {
                let other = "\n[[policies]]\nname = \"other\"\nquota = \"100_000/d\"\n";
                policies.reload(config(&format!("{text}{}", [other, ""][i % 2]))).unwrap();
            }
        });
    });
    assert_eq!(passed.load(Ordering::Relaxed), 500);
}

/// Clones are the same policies, and so are layers that were made before a reload.
#[test]
fn clones_are_the_same_policies() {
    let policies = made(KEYED);
    let layer = policies.layer().observer(Told::default());
    policies.clone().reload(config(GLOBAL)).unwrap();
    assert!(layer.policy("keyed").is_none() && layer.policy("all").is_some());
    assert!(format!("{policies:?} {layer:?}").contains("all"));
}

/// A share that grows keeps those that it held already: "always the same".
#[test]
fn a_trial_that_grows_keeps_its_keys() {
    let text = |percent| {
        one(&format!("key = \"header:x-key\"\nenforce = {percent}")).replace("10/d", "1/d")
    };
    let policies = made(&text(0));
    let service = around(&policies.layer());
    let mut denied_before = Vec::new();
    for percent in [0, 5, 30, 60, 100] {
        policies.reload(config(&text(percent))).unwrap();
        let ask = |i: &u32| status(&service, request(&format!("{i}"))) == 429;
        let denied: Vec<u32> = (0..200).filter(ask).collect();
        assert!(denied_before.iter().all(|key| denied.contains(key)), "{percent}");
        denied_before = denied;
    }
    assert_eq!(denied_before.len(), 200);
}

/// All that changes the policies, and requests, at once: what was spent stays spent, and a policy tells the quota that its
/// limiter has.
#[test]
fn reloads_new_quotas_and_requests_at_once_lose_nothing() {
    let text = |quota: &str| {
        format!("[[policies]]\nname = \"a\"\nquota = \"{quota}\"\nkey = \"header:x-key\"\n")
    };
    // As many permits together, at other rates: so what is outstanding has the same worth.
    let quotas = ["9/d", "9/2d"];
    for round in 0..20 {
        let policies = made(&text(quotas[0]));
        let service = around(&policies.layer());
        let admitted = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for i in 0..2 {
                let (policies, text) = (&policies, &text);
                scope.spawn(move || {
                    policies.reload(config(&text(quotas[(round + i) % 2]))).unwrap()
                });
                scope.spawn(move || policies.set_quota("a", quotas[i].parse().unwrap()).unwrap());
                scope.spawn(move || assert_eq!(policies.names().len(), 1));
                scope.spawn(move || assert!(policies.get("a").is_some()));
                scope.spawn(|| {
                    let passed = (0..8).filter(|_| status(&service, request("a")) == 200).count();
                    admitted.fetch_add(passed, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(admitted.load(Ordering::Relaxed), 9);
        let answer = send(&service, request("a"));
        let secs = policies.get("a").unwrap().quota().period().as_secs();
        let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!(wait.abs_diff(secs / 9) < secs / 18, "{wait} of {secs}");
    }
}
