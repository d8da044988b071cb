//! Limits of aligned windows, in place of a rate.

use crate::link::Weather;
use crate::row::{More, Network, Row, millis};
use crate::rows::losses::flush_and_start_again;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        windows("windows: no fault").fault(|stage| {
            stage.until(500);
            stage.fault(|_| {});
        }),
        windows("windows: killed and stopped")
            .fault(|stage| {
                stage.until(700);
                stage.fault(|stage| {
                    stage.workers[0].kill();
                    stage.workers[1].stop();
                    std::thread::sleep(millis(700));
                    stage.workers[1].go_on();
                    stage.start(0);
                });
            })
            .expect(|expected| expected.stalls = true),
        windows("windows: executed, and cut before the reply").network(Network::Linked).fault(
            |stage| {
                let cut = Weather { cuts_replies: true, ..Weather::default() };
                stage.fault_for(600, |stage| stage.set(cut), |stage| stage.set(Weather::default()));
            },
        ),
        flushed(),
    ]
}

/// 400 in each second. The demand takes them in the first part of it.
fn windows(name: &'static str) -> Row {
    Row::new(name, "at most the limit in each aligned window")
        .terms(400, 400, millis(100))
        .flags(&["--window"])
        .lasts(4_500)
        .expect(|expected| {
            (expected.is_windows, expected.is_live) = (true, false);
        })
}

/// When the window is used up. Workers that know that would not ask again.
pub(crate) fn flushed() -> Row {
    windows("windows: FLUSHALL, and all workers start again")
        .fault(|stage| {
            stage.until_window(2, 500);
            stage.fault(flush_and_start_again);
        })
        .expect(|expected| expected.more = More::Burst)
}
