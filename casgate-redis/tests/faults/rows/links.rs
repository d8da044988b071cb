//! Faults of the network.

use crate::link::Weather;
use crate::row::{Network, Row, millis};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        linked("links are slow").fault(|stage| {
            stage.set(Weather { delay: millis(10), jitter: millis(10), ..Weather::default() });
            stage.until(1_500);
            stage.fault(|_| {});
        }),
        // Some round trips take longer than half of a lease, which is how long a decision waits.
        linked("links are slower").fault(|stage| {
            stage.until(600);
            stage.fault(|stage| {
                stage.set(Weather { delay: millis(30), jitter: millis(40), ..Weather::default() });
                stage.until(1_700);
                stage.set(Weather::default());
            });
        }),
        linked("requests are held")
            .fault(|stage| {
                let held = Weather { holds_requests: true, ..Weather::default() };
                stage.fault_for(
                    600,
                    |stage| stage.set(held),
                    |stage| stage.set(Weather::default()),
                );
            })
            .expect(|expected| expected.cause = Some(TIMEOUT)),
        late_replies(),
        linked("both ways are held")
            .fault(|stage| {
                let held =
                    Weather { holds_requests: true, holds_replies: true, ..Weather::default() };
                stage.fault_for(
                    600,
                    |stage| stage.set(held),
                    |stage| stage.set(Weather::default()),
                );
            })
            .expect(|expected| expected.cause = Some(TIMEOUT)),
        linked("one link is held")
            .fault(|stage| {
                let held =
                    Weather { holds_requests: true, holds_replies: true, ..Weather::default() };
                let clear = Weather::default();
                stage.fault_for(
                    600,
                    |stage| stage.links[0].set(held),
                    |stage| stage.links[0].set(clear),
                );
            })
            .expect(|expected| expected.cause = Some(TIMEOUT)),
        linked("executed, and cut before the reply")
            .fault(|stage| {
                let cut = Weather { cuts_replies: true, ..Weather::default() };
                stage.fault_for(600, |stage| stage.set(cut), |stage| stage.set(Weather::default()));
            })
            .expect(|expected| expected.cause = Some(UNREACHABLE)),
        linked("cut before the reply, now and then")
            .fault(|stage| {
                let cut = Weather { cuts_replies: true, ..Weather::default() };
                for round in 0..10 {
                    stage.until(500 + 120 * round);
                    stage.fault(|stage| {
                        stage.set(cut);
                        std::thread::sleep(millis(30));
                        stage.set(Weather::default());
                    });
                }
            })
            .lasts(4_500),
        linked("reset, now and then")
            .fault(|stage| {
                for round in 0..10 {
                    stage.until(500 + 120 * round);
                    stage.fault(|stage| {
                        stage.set(Weather { is_reset: true, ..Weather::default() });
                        std::thread::sleep(millis(5));
                        stage.set(Weather::default());
                    });
                }
            })
            .lasts(4_500),
        linked("narrow links").fault(|stage| {
            stage.set(Weather { is_narrow: true, ..Weather::default() });
            stage.until(1_500);
            stage.fault(|_| {});
        }),
        linked("half-open")
            .fault(|stage| {
                let deaf = Weather { is_deaf: true, ..Weather::default() };
                stage.fault_for(
                    600,
                    |stage| stage.set(deaf),
                    |stage| stage.set(Weather::default()),
                );
            })
            .expect(|expected| expected.cause = Some(TIMEOUT)),
        linked("cut off")
            .fault(|stage| {
                let cut = Weather { is_cut: true, ..Weather::default() };
                stage.fault_for(600, |stage| stage.set(cut), |stage| stage.set(Weather::default()));
            })
            .expect(|expected| expected.cause = Some(UNREACHABLE)),
    ]
}

const TIMEOUT: &str = "the store does not answer";
const UNREACHABLE: &str = "the store cannot be reached";

fn linked(name: &'static str) -> Row {
    Row::new(name, "the network").network(Network::Linked)
}

/// The first leases are granted. When their replies come, the server's burst has refilled, and the permits are over.
pub(crate) fn late_replies() -> Row {
    Row::new(
        "late replies",
        "the deadline counts from the sending; wrong workers: from the arrival",
    )
    .network(Network::Linked)
    .terms(500, 300, millis(100))
    .demands(&["4000"; 4])
    .fault(|stage| {
        stage.fault(|stage| {
            stage.set(Weather { holds_leases: true, ..Weather::default() });
            stage.until(900);
            stage.set(Weather::default());
        });
    })
    .expect(|expected| expected.cause = Some(TIMEOUT))
}
