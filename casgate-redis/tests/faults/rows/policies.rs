//! What is admitted without a store.

use crate::link::Weather;
use crate::row::{Alone, More, Network, Row};

const CUT: fn() -> Weather = || Weather { is_cut: true, ..Weather::default() };
const SHARE: &[&str] = &["--on-unavailable", "share", "--processes", "4"];

pub(crate) fn rows() -> Vec<Row> {
    let cut_off = |row: Row| {
        row.network(Network::Linked).lasts(4_500).fault(|stage| {
            stage.fault_for(1_500, |stage| stage.set(CUT()), |stage| stage.set(Weather::default()));
        })
    };
    vec![
        // They come back one after the other, and the first one has what the others did not tell yet.
        cut_off(Row::new(
            "all take their share",
            "OnUnavailable::share: the first call reports what was spent",
        ))
        .flags(SHARE)
        .expect(|expected| {
            (expected.alone, expected.more) = (Alone::Shared, More::Burst);
        }),
        Row::new("one of four takes its share", "OnUnavailable::share: (1 + m/n) of the quota")
            .network(Network::Linked)
            .flags(SHARE)
            .lasts(4_500)
            .fault(|stage| {
                stage.fault_for(
                    1_500,
                    |stage| stage.links[0].set(CUT()),
                    |stage| stage.links[0].set(Weather::default()),
                );
            })
            .expect(|expected| {
                (expected.alone, expected.more) = (Alone::Shared, More::Rate(0.25));
            }),
        cut_off(Row::new("all is allowed", "OnUnavailable::allow: there is no bound"))
            .flags(&["--on-unavailable", "allow"])
            .expect(|expected| {
                (expected.alone, expected.more) = (Alone::Allowed, More::Any);
            }),
        cut_off(Row::new("all is denied", "OnUnavailable::deny: the fleet keeps its bound"))
            .expect(|expected| expected.cause = Some("the store cannot be reached")),
    ]
}
