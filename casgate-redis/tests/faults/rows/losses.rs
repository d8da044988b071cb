//! A server that runs on and forgets.

use crate::row::{More, Row};
use crate::stage::Stage;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        // Each loss could add the burst. The workers carry what they know, so it is less than one.
        Row::new("FLUSHALL: start full", "a server that lost all, StartFull")
            .fault(|stage| flush_from(stage, 700))
            .expect(|expected| expected.more = More::Burst),
        Row::new("FLUSHALL: start empty", "a server that lost all, StartEmpty")
            .starting_empty()
            .fault(|stage| flush_from(stage, 1_500)),
        Row::new("FLUSHALL, and all workers start again", "a server that lost all, StartFull")
            .fault(|stage| {
                stage.until(1_200);
                stage.fault(flush_and_start_again);
            })
            .expect(|expected| expected.more = More::Burst),
        starting_again_empty(),
        Row::new("SCRIPT FLUSH", "NOSCRIPT").fault(|stage| {
            for round in 0..10 {
                stage.until(500 + 100 * round);
                stage.fault(|stage| stage.run("SCRIPT FLUSH"));
            }
        }),
    ]
}

fn flush_from(stage: &mut Stage, begin: u64) {
    for round in 0..3 {
        stage.until(begin + 250 * round);
        stage.fault(|stage| stage.run("FLUSHALL"));
    }
}

/// Nobody knows any more what was granted.
pub(crate) fn flush_and_start_again(stage: &mut Stage) {
    (0..4).for_each(|worker| stage.workers[worker].kill());
    stage.run("FLUSHALL");
    (0..4).for_each(|worker| stage.start(worker));
}

/// The workers' demand is as it was at their start, so the loss comes before they ask for much again.
pub(crate) fn starting_again_empty() -> Row {
    Row::new("the same: start empty", "a server that lost all, StartEmpty")
        .starting_empty()
        .demands(&["2000@250,20@1500,2000", "20@1500,1500", "20@1500,1500", "20@1500,100"])
        .fault(|stage| {
            stage.until(1_750);
            stage.fault(flush_and_start_again);
        })
        .expect(|expected| expected.is_live = false)
}
