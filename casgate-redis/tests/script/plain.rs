//! What holds of a script as it is, and of the server.

use crate::resp::Value;
use crate::server::Server;
use casgate::Quota;
use casgate_redis::protocol::{Grant, LeaseQuota, Request, Script, WindowQuota, WindowRequest};
use std::time::Duration;

#[test]
fn the_name_of_a_script_is_its_sha1() {
    let (_server, mut connection) = Server::start().connect_kept();
    for script in [Script::LEASE, Script::WINDOW] {
        assert_eq!(connection.load(script.text), script.sha1);
    }
}

#[test]
fn every_state_has_a_time_to_live() {
    let (_server, mut connection) = Server::start().connect_kept();
    let quota = LeaseQuota::new(Quota::per_hour(1_000), Duration::from_secs(60)).unwrap();
    let arguments = Request::new(5).arguments(&quota).map(|a| a.to_string());
    connection.run(Script::LEASE.sha1, Script::LEASE.text, "lease", &arguments);
    let window = WindowQuota::new(Quota::per_hour(1_000)).unwrap();
    let arguments = WindowRequest::new(5, 1).arguments(&window).map(|a| a.to_string());
    connection.run(Script::WINDOW.sha1, Script::WINDOW.text, "window", &arguments);
    for key in ["lease", "window"] {
        let Value::Int(left) = connection.send(&["PTTL", key]) else { panic!("no time") };
        assert!(left > 0, "{key}: {left}");
    }
}

#[test]
fn a_script_that_is_forgotten_runs_by_its_text() {
    let (_server, mut connection) = Server::start().connect_kept();
    let quota = LeaseQuota::new(Quota::per_hour(1_000), Duration::from_secs(60)).unwrap();
    for _ in 0..2 {
        let arguments = Request::new(5).arguments(&quota).map(|a| a.to_string());
        let reply = connection.run(Script::LEASE.sha1, Script::LEASE.text, "limit", &arguments);
        assert_eq!(Grant::from_reply(&reply).unwrap().permits, 5);
        connection.send(&["SCRIPT", "FLUSH"]);
    }
}

/// Without memory, nothing is written and nothing is granted.
#[test]
fn a_server_without_memory_grants_nothing() {
    let (_server, mut connection) = Server::start().connect_kept();
    connection.send(&["CONFIG", "SET", "maxmemory", "1"]);
    let quota = LeaseQuota::new(Quota::per_hour(1_000), Duration::from_secs(60)).unwrap();
    let arguments = Request::new(5).arguments(&quota).map(|a| a.to_string());
    let mut command = vec!["EVAL", Script::LEASE.text, "1", "limit"];
    command.extend(arguments.iter().map(String::as_str));
    let reply = connection.send(&command);
    assert!(matches!(&reply, Value::Error(error) if error.contains("OOM")), "{reply:?}");
    assert_eq!(connection.fields("limit"), []);
}
