//! A server that stops or ends.

use crate::row::{More, Row, millis};
use crate::stage::Stage;
use std::thread;

const TIMEOUT: &str = "the store does not answer";
const UNREACHABLE: &str = "the store cannot be reached";

pub(crate) fn rows() -> Vec<Row> {
    vec![
        stopped("stopped for 0.4 s", |stage| {
            stage.fault_for(400, |stage| stage.server().stop(), |stage| stage.server().go_on());
        }),
        stopped_for_a_second(),
        stopped("stopped for 2 s", |stage| {
            stage.fault_for(2_000, |stage| stage.server().stop(), |stage| stage.server().go_on());
        })
        .lasts(5_000),
        stopped("stopped by turns", |stage| {
            stage.until(700);
            stage.fault(|stage| {
                // One of them is long enough for a worker to notice.
                let long = fastrand::usize(..6);
                for turn in 0..6 {
                    stage.server().stop();
                    let stop = if turn == long { 400 } else { 20 + fastrand::u64(..130) };
                    thread::sleep(millis(stop));
                    stage.server().go_on();
                    thread::sleep(millis(20 + fastrand::u64(..130)));
                }
            });
        })
        .lasts(4_500),
        stopped("CLIENT PAUSE", |stage| {
            stage.fault_for(500, |stage| stage.run("CLIENT PAUSE 500"), |_| {});
        }),
        killed(),
        killed_starting_empty(),
        all_killed(),
        killed_with_its_log(),
        Row::new("killed, and it loads its log", "a server that reads its data")
            .fault(|stage| {
                stage.server().load_slowly();
                stage.until(900);
                stage.fault(|stage| {
                    stage.server().kill();
                    stage.server().start_again();
                });
            })
            .lasts(5_000)
            .expect(|expected| expected.cause = Some("the store is busy")),
        Row::new("killed and at once again: start empty", "a server that lost all, StartEmpty")
            .starting_empty()
            .fault(|stage| {
                stage.until(1_700);
                stage.fault(|stage| {
                    stage.server().kill();
                    stage.server().start_again();
                });
            }),
        Row::new("CLIENT KILL", "connections that break").fault(|stage| {
            for round in 0..8 {
                stage.until(500 + 120 * round);
                stage.fault(|stage| stage.run("CLIENT KILL TYPE normal SKIPME yes"));
            }
        }),
    ]
}

fn stopped(name: &'static str, fault: fn(&mut Stage)) -> Row {
    Row::new(name, "a server that stops; late execution and late replies")
        .fault(fault)
        .expect(|expected| expected.cause = Some(TIMEOUT))
}

pub(crate) fn stopped_for_a_second() -> Row {
    stopped("stopped for 1 s", |stage| {
        stage.fault_for(1_000, |stage| stage.server().stop(), |stage| stage.server().go_on());
    })
}

pub(crate) fn killed() -> Row {
    Row::new("killed, and empty: start full", "a server that lost all, StartFull")
        .fault(|stage| {
            stage.fault_for(
                600,
                |stage| stage.server().kill(),
                |stage| stage.server().start_again(),
            );
        })
        .expect(|expected| {
            (expected.more, expected.cause) = (More::Burst, Some(UNREACHABLE));
        })
}

pub(crate) fn killed_starting_empty() -> Row {
    Row::new("killed, and empty: start empty", "a server that lost all, StartEmpty")
        .starting_empty()
        .fault(|stage| {
            stage.until(1_600);
            stage.fault(|stage| {
                stage.server().kill();
                stage.until(1_900);
                stage.server().start_again();
            });
        })
        .expect(|expected| expected.cause = Some(UNREACHABLE))
}

/// Nobody is left who knows what was granted.
fn kill_all(stage: &mut Stage) {
    (0..4).for_each(|worker| stage.workers[worker].kill());
    stage.server().kill();
    stage.server().start_again();
    (0..4).for_each(|worker| stage.start(worker));
}

pub(crate) fn all_killed() -> Row {
    Row::new("killed with all workers, and empty", "a server that lost all, StartFull")
        .fault(|stage| {
            stage.until(900);
            stage.fault(kill_all);
        })
        .expect(|expected| expected.more = More::Burst)
}

fn killed_with_its_log() -> Row {
    Row::new("killed with all workers, with its log", "a server that lost nothing").fault(|stage| {
        stage.server().keep_log();
        stage.until(900);
        stage.fault(kill_all);
    })
}
