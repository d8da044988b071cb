//! [`Store::call`]: "Takes at most about `timeout`."

use casgate_redis::{Cause, RedisStore, Store};
use redis::ConnectionAddr;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A Sentinel that was stopped: the system accepts connections for it, and nobody replies. The client of Sentinels waits
/// for it without end, and with it waited all limits of the process.
#[test]
fn a_sentinel_that_hangs_is_a_timeout() {
    let sentinel = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = sentinel.local_addr().unwrap();
    let sentinels = [ConnectionAddr::Tcp(address.ip().to_string(), address.port())];
    let client =
        SentinelClientBuilder::new(sentinels, "mymaster", SentinelServerType::Master).unwrap();
    let mut store = RedisStore::from_sentinel(client.build().unwrap());
    let (sender, outcomes) = mpsc::channel();
    thread::spawn(move || {
        for _ in 0..2 {
            let _ = sender.send(store.call(&[], Duration::from_millis(100)));
        }
    });
    for _ in 0..2 {
        let outcome = outcomes.recv_timeout(Duration::from_secs(10)).expect("it takes no longer");
        assert_eq!(outcome.unwrap_err().cause(), Cause::Timeout);
    }
}
