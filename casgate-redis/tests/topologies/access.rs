//! Passwords, and users that may do what the documentation says and no more.

use crate::node::{Node, until};
use crate::{is_admitted, limiters};
use casgate_redis::{Cause, Fleet, FleetQuota, NotAdmitted, RedisStore};
use std::time::Duration;

/// The command of the page "Operating a fleet".
fn of_the_page() -> &'static str {
    let page = include_str!("../../docs/fleet.md");
    page.lines().find(|line| line.starts_with("ACL SETUSER fleet")).expect("it is on the page")
}

fn url(node: &Node, user: &str) -> String {
    node.url().replace("//", &format!("//{user}@"))
}

/// Why the fleet is denied access.
fn denial(fleet: &Fleet) -> String {
    let answer = limiters(fleet, 1)[0].check();
    assert!(
        matches!(answer, Err(NotAdmitted::Unavailable(away)) if away.cause() == Cause::Authentication),
        "{answer:?}"
    );
    fleet.last_error().expect("it failed").to_string()
}

#[test]
fn a_user_needs_the_commands_of_the_page() {
    let node = Node::start(&[]);
    let _: String = node.ask(of_the_page());
    let fleet = Fleet::connect(url(&node, "fleet:password")).expect("an address");
    let limiter = &limiters(&fleet, 1)[0];
    until("leases are granted", || is_admitted(limiter));
    // Windows that end, which take one more.
    let windows =
        FleetQuota::window(casgate::Quota::new(5, Duration::from_millis(20)).expect("a quota"));
    let limiter = fleet.limiter("window", windows).expect("a quota for leases");
    until("one is missing", || {
        matches!(
            limiter.check(),
            Err(NotAdmitted::Unavailable(away)) if away.cause() == Cause::Authentication
        )
    });
    let _: String = node.ask("ACL SETUSER fleet +del");
    until("windows are granted", || limiter.check().is_ok() && fleet.is_up());
    // And one for leases that wait for replicas, of which there are none.
    let store = RedisStore::new(url(&node, "fleet:password")).expect("an address");
    let waits = Fleet::over(store.wait_for_replicas(1, Duration::from_millis(10)));
    let limiter = &limiters(&waits, 1)[0];
    let mut causes = Vec::new();
    for permitted in ["ACL SETUSER fleet -wait", "ACL SETUSER fleet +wait"] {
        let _: String = node.ask(permitted);
        until("it fails for a cause of its own", || match limiter.check() {
            Err(NotAdmitted::Unavailable(away)) if !causes.contains(&away.cause()) => {
                causes.push(away.cause());
                true
            }
            _ => false,
        });
    }
    assert_eq!(causes, [Cause::Authentication, Cause::Replicas]);
}

#[test]
fn a_wrong_password_is_named() {
    let node = Node::start(&[]);
    let _: String = node.ask(of_the_page());
    let connect = |user: &str| Fleet::connect(url(&node, user)).expect("an address");
    assert!(denial(&connect("fleet:wrong")).starts_with("the store denies access"));
    let _: String = node.ask("ACL SETUSER fleet -evalsha");
    assert!(denial(&connect("fleet:password")).contains("evalsha"));
    let _: String = node.ask("CONFIG SET requirepass secret");
    let limiter = &limiters(&connect(":secret"), 1)[0];
    until("a password without a user will do", || is_admitted(limiter));
    let text = denial(&Fleet::connect(node.url()).expect("an address"));
    assert!(text.starts_with("the store denies access"), "{text}");
}
