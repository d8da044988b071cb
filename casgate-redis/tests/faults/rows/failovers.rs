//! A replica takes the place of a primary.

use crate::link::Weather;
use crate::row::{More, Network, Row, millis};
use crate::stage::Stage;
use std::thread;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        lost_writes(),
        replicated("a failover that lost nothing", "a failover")
            .fault(|stage| {
                stage.until(900);
                stage.fault(fail_over);
            })
            .expect(|expected| expected.more = carried()),
        replicated("a failover that lost grants: WAIT", "a failover, with WAIT: none")
            .flags(&["--wait-replicas", "1"])
            .fault(|stage| {
                stage.until(700);
                stage.fault(|stage| {
                    stage.replication.as_ref().expect("a link").set(CUT);
                    thread::sleep(millis(500));
                    fail_over(stage);
                    // The new primary needs a replica.
                    let port = stage.servers[1].port;
                    stage.servers[0].start_again();
                    stage.servers[0].replicate(&stage.servers[1], port);
                });
            })
            .expect(|expected| expected.cause = Some("the store has too few replicas")),
        split_brain(),
        ended_split_brain(),
    ]
}

const CUT: Weather = Weather {
    delay: millis(0),
    jitter: millis(0),
    holds_requests: true,
    holds_replies: true,
    holds_leases: false,
    cuts_replies: false,
    is_deaf: false,
    is_cut: false,
    is_narrow: false,
    is_reset: false,
};

fn replicated(name: &'static str, source: &'static str) -> Row {
    Row::new(name, source).network(Network::Replicated)
}

/// Each worker knows a TAT that is as old as its last call. Until one calls that knows better, so much is granted
/// again.
const fn carried() -> More {
    More::Refill(millis(100))
}

fn fail_over(stage: &mut Stage) {
    stage.servers[0].kill();
    stage.promote();
}

/// The replica does not know the grants of the last 600 ms. Those who had them do.
pub(crate) fn lost_writes() -> Row {
    replicated("a failover that lost grants", "a failover: the last TAT is carried")
        .fault(|stage| {
            stage.until(900);
            stage.fault(|stage| {
                stage.replication.as_ref().expect("a link").set(CUT);
                thread::sleep(millis(600));
                fail_over(stage);
            });
        })
        .expect(|expected| expected.more = carried())
}

/// Half of the workers stay with the old primary. Both have their whole burst when the demand comes.
fn split(name: &'static str, fault: fn(&mut Stage)) -> Row {
    replicated(name, "two primaries for a time D: each keeps the bound")
        .demands(&["10@1000,2000", "10@1000,1500", "10@1000,2000", "10@1000,1500"])
        .fault(fault)
}

pub(crate) fn split_brain() -> Row {
    split("two primaries", |stage| {
        stage.until(900);
        stage.fault(|stage| {
            stage.promote_for(2);
            stage.until(2_000);
            stage.lead_to_primary(2..4);
        });
    })
    .lasts(4_500)
    .expect(|expected| expected.more = More::Primary(None))
}

/// The old primary hears nothing of its replica. It notices within two seconds, and grants nothing after that.
fn ended_split_brain() -> Row {
    split("two primaries, until one wants replicas", |stage| {
        stage.until(600);
        stage.run("CONFIG SET min-replicas-max-lag 1");
        stage.run("CONFIG SET min-replicas-to-write 1");
        stage.until(900);
        stage.fault(|stage| {
            stage.replication.as_ref().expect("a link").set(CUT);
            stage.promote_for(2);
            stage.until(5_000);
            stage.lead_to_primary(2..4);
        });
    })
    .lasts(7_500)
    .expect(|expected| {
        expected.more = More::Primary(Some(millis(2_500)));
        expected.cause = Some("the store has too few replicas");
    })
}
