//! [`RedisStore::wait_for_replicas`](casgate_redis::RedisStore::wait_for_replicas).

use casgate_redis::protocol::Script;
use casgate_redis::{Call, Cause, RedisStore, Store};
use redis::{Parser, Value};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// What a server does with a command.
enum Then {
    Reply(&'static str),
    Close,
}

/// Serves a connection by a function of the name of a command and its last key.
fn serve(mut stream: TcpStream, mut then: impl FnMut(&str, &str) -> Then) {
    let mut parser = Parser::new();
    while let Ok(Value::Array(words)) = parser.parse_value(&mut stream) {
        let words: Vec<String> =
            words.into_iter().map(|w| redis::from_redis_value(w).unwrap()).collect();
        match then(&words[0], words.get(3).map_or("", String::as_str)) {
            Then::Reply(reply) => stream.write_all(reply.as_bytes()).unwrap(),
            Then::Close => return,
        }
    }
}

const GRANT: &str = "*6\r\n:5\r\n:2000\r\n:1000\r\n:7\r\n:1\r\n:0\r\n";

/// "Drops leases that fewer than `replicas` replicas have". The server did not know one of two scripts. Before its text
/// was sent the connection broke, so the second `WAIT` was for the writes of another connection than the first lease's,
/// and took the place of the first one.
#[test]
fn each_lease_is_waited_for_by_its_own_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (first, _) = listener.accept().unwrap();
        serve(first, |name, key| match (name, key) {
            ("EVALSHA", "one") => Then::Reply(GRANT),
            ("EVALSHA", _) => Then::Reply("-NOSCRIPT No matching script.\r\n"),
            ("WAIT", _) => Then::Reply(":0\r\n"),
            ("EVAL", _) => Then::Close,
            _ => Then::Reply("+OK\r\n"),
        });
        let (second, _) = listener.accept().unwrap();
        serve(second, |name, _| match name {
            "EVAL" => Then::Reply(GRANT),
            "WAIT" => Then::Reply(":1\r\n"),
            _ => Then::Reply("+OK\r\n"),
        });
    });
    let mut store = RedisStore::new(url).unwrap().wait_for_replicas(1, Duration::from_millis(20));
    let call = |key| Call { script: Script::LEASE, key, arguments: &[] };
    let replies = store.call(&[call("one"), call("two")], Duration::from_secs(10));
    drop(store);
    match replies {
        Err(error) => assert_eq!(error.cause(), Cause::Replicas, "{error}"),
        Ok(replies) => panic!("no replica has the first of {replies:?}"),
    }
    // The second connection is not needed.
    drop(server);
}
