//! Many faults for a long time.

use crate::link::Weather;
use crate::row::{Network, Row, millis};
use crate::stage::Stage;
use std::thread;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("faults of all kinds by chance", "client faults add nothing, in any order")
            .network(Network::Linked)
            .lasts(40_000)
            .fault(|stage| {
                stage.until(500);
                stage.fault(|stage| {
                    while stage.start.elapsed() < millis(36_000) {
                        by_chance(stage);
                        thread::sleep(millis(fastrand::u64(..400)));
                    }
                });
            })
            .expect(|expected| expected.stalls = true)
            .long(),
        Row::new("stopped for 20 s", "a long outage")
            .lasts(25_000)
            .fault(|stage| {
                stage.fault_for(
                    20_000,
                    |stage| stage.server().stop(),
                    |stage| stage.server().go_on(),
                );
            })
            .expect(|expected| expected.cause = Some("the store does not answer"))
            .long(),
    ]
}

/// A fault that loses no state of the server, and its end.
fn by_chance(stage: &mut Stage) {
    let worker = fastrand::usize(..stage.workers.len());
    let lasts = millis(fastrand::u64(..300));
    let weather = |weather: Weather| {
        let links = &stage.links[worker..];
        links.iter().for_each(|link| link.set(weather));
        thread::sleep(lasts);
        links.iter().for_each(|link| link.set(Weather::default()));
    };
    match fastrand::u32(..8) {
        0 => {
            stage.workers[worker].kill();
            thread::sleep(lasts);
            stage.start(worker);
        }
        1 => {
            stage.workers[worker].stop();
            thread::sleep(lasts);
            stage.workers[worker].go_on();
        }
        2 => {
            stage.server().stop();
            thread::sleep(lasts);
            stage.server().go_on();
        }
        3 => stage.run("SCRIPT FLUSH"),
        4 => weather(Weather { delay: millis(20), jitter: lasts / 2, ..Weather::default() }),
        5 => weather(Weather { holds_replies: true, ..Weather::default() }),
        6 => weather(Weather { cuts_replies: true, ..Weather::default() }),
        _ => weather(Weather { is_deaf: true, ..Weather::default() }),
    }
}
