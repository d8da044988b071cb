//! A server that runs on and forgets.

use crate::row::{More, Row};

pub(crate) fn rows() -> Vec<Row> {
    let flush = |row: Row| {
        row.fault(|stage| {
            for round in 0..3 {
                stage.until(700 + 250 * round);
                stage.fault(|stage| stage.run("FLUSHALL"));
            }
        })
    };
    vec![
        // Each loss could add the burst. The workers carry what they know, so it is less than one.
        flush(Row::new("FLUSHALL: start full", "a server that lost all, StartFull"))
            .expect(|expected| expected.more = More::Burst),
        flush(Row::new("FLUSHALL: start empty", "a server that lost all, StartEmpty"))
            .flags(&["--start-empty"]),
        Row::new("FLUSHALL, and all workers start again", "a server that lost all, StartFull")
            .fault(|stage| {
                stage.until(1_200);
                stage.fault(|stage| {
                    (0..4).for_each(|worker| stage.workers[worker].kill());
                    stage.run("FLUSHALL");
                    (0..4).for_each(|worker| stage.start(worker));
                });
            })
            .expect(|expected| expected.more = More::Burst),
        Row::new("the same: start empty", "a server that lost all, StartEmpty")
            .flags(&["--start-empty"])
            .fault(|stage| {
                stage.until(1_200);
                stage.fault(|stage| {
                    (0..4).for_each(|worker| stage.workers[worker].kill());
                    stage.run("FLUSHALL");
                    (0..4).for_each(|worker| stage.start(worker));
                });
            }),
        Row::new("SCRIPT FLUSH", "fault plan: NOSCRIPT").fault(|stage| {
            for round in 0..10 {
                stage.until(500 + 100 * round);
                stage.fault(|stage| stage.run("SCRIPT FLUSH"));
            }
        }),
    ]
}
