//! A server's clock that steps.

use crate::row::{More, Network, Row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("a TAT of the future", "it steps back: denies until a permit refills").fault(
            |stage| {
                for round in 0..3 {
                    stage.until(700 + 300 * round);
                    stage.fault(|stage| stage.shift_tat(3_600));
                }
            },
        ),
        // A clock that steps forward makes all TATs those of the past.
        Row::new("a TAT of the past", "the server's clock steps forward by J")
            .fault(|stage| {
                stage.until(900);
                stage.fault(|stage| stage.shift_tat(-3_600));
            })
            .expect(|expected| expected.more = More::Burst),
        forward(),
        back(),
        back_and_forth(),
    ]
}

fn forward() -> Row {
    Row::new("the clock steps forward by an hour", "the server's clock steps forward by J")
        .network(Network::Clock)
        .fault(|stage| {
            stage.until(900);
            stage.fault(|stage| stage.step_clock(3_600));
        })
        .expect(|expected| expected.more = More::Burst)
}

pub(crate) fn back() -> Row {
    Row::new("the clock steps back by an hour", "it steps back: denies until a permit refills")
        .network(Network::Clock)
        .fault(|stage| {
            stage.until(900);
            stage.fault(|stage| stage.step_clock(-3_600));
        })
}

fn back_and_forth() -> Row {
    Row::new("the clock steps back and forth", "it steps back, and forward by 0.3 s, once each")
        .network(Network::Clock)
        .fault(|stage| {
            stage.until(900);
            stage.fault(|stage| {
                stage.step_clock(-60);
                stage.until(1_200);
                stage.step_clock(0);
            });
        })
        .expect(|expected| expected.more = More::Burst)
}
