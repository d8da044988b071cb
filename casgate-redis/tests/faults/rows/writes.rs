//! A server that answers, and does not write.

use crate::row::{Row, millis};
use crate::server::free_port;
use std::thread;

pub(crate) fn rows() -> Vec<Row> {
    let row = |name, cause| {
        Row::new(name, "an error at the first write, with nothing applied")
            .expect(|expected| expected.cause = Some(cause))
    };
    vec![
        row("OOM", "the store has no memory left").fault(|stage| {
            stage.fault_for(
                500,
                |stage| stage.run("CONFIG SET maxmemory 1"),
                |stage| stage.run("CONFIG SET maxmemory 0"),
            );
        }),
        row("READONLY", "the store is a read-only replica").fault(|stage| {
            stage.fault_for(
                500,
                |stage| {
                    let nobody = free_port();
                    stage.run(&format!("REPLICAOF 127.0.0.1 {nobody}"));
                },
                |stage| stage.run("REPLICAOF NO ONE"),
            );
        }),
        row("NOREPLICAS", "the store has too few replicas").fault(|stage| {
            stage.fault_for(
                500,
                |stage| stage.run("CONFIG SET min-replicas-to-write 1"),
                |stage| stage.run("CONFIG SET min-replicas-to-write 0"),
            );
        }),
        row("a wrong password", "the store denies access").fault(|stage| {
            stage.until(700);
            stage.fault(|stage| {
                // The connection that sets it keeps its rights, and so it can take it back.
                let mut connection = stage.server().connect().expect("the server answers");
                let mut run = |words: &[&str]| {
                    let mut command = redis::cmd(words[0]);
                    command.arg(&words[1..]);
                    command.query::<redis::Value>(&mut connection).expect("the command");
                };
                run(&["CONFIG", "SET", "requirepass", "secret"]);
                run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
                thread::sleep(millis(500));
                run(&["CONFIG", "SET", "requirepass", ""]);
            });
        }),
        row("a busy server", "the store is busy").fault(|stage| {
            stage.until(700);
            stage.fault(|stage| {
                stage.run("CONFIG SET busy-reply-threshold 20");
                let mut other = stage.server().connect().expect("the server answers");
                let loops = thread::spawn(move || {
                    let script = redis::cmd("EVAL").arg("while true do end").arg(0).clone();
                    // It ends with an error, as it is killed.
                    let _ = script.query::<redis::Value>(&mut other);
                });
                thread::sleep(millis(500));
                stage.run("SCRIPT KILL");
                let _ = loops.join();
            });
        }),
    ]
}
