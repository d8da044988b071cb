//! What the page is told.

use super::{Setup, per_client, serving};
use crate::demo::Demo;
use crate::feed::Feed;
use crate::live::{BUILT_IN, Live};
use crate::tally::Tally;
use crate::tick::Tick;
use serde_json::Value;
use std::fs;
use std::time::Duration;
use tokio_stream::StreamExt;

/// The first tick that is as it is to be. There is one twice a second.
async fn wait_for(feed: &Feed, is_right: impl Fn(&Value) -> bool) -> Value {
    let mut ticks = feed.ticks();
    loop {
        let tick = ticks.next().await.expect("the gateway runs");
        let tick = serde_json::from_str(&tick).unwrap();
        if is_right(&tick) {
            return tick;
        }
    }
}

#[tokio::test]
async fn counts_by_policy_and_outcome() {
    let policies = format!(
        "{}\n[[policies]]\nname = 'trial'\nquota = '1/d'\nkey = 'client'\nenforce = 0\npaths = ['/']\nmethods = ['GET']\n",
        per_client("3/d")
    );
    let setup = Setup::new(format!("http://{}", serving().await), &policies).await;
    for client in ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"] {
        setup.status(client).await;
    }
    let feed = setup.gateway.feed();
    let tick = wait_for(feed, |tick| tick["policies"][0]["denied"] == 2).await;

    let (client, trial) = (&tick["policies"][0], &tick["policies"][1]);
    assert_eq!((&client["admitted"], &client["shadow"]), (&4.into(), &0.into()));
    assert_eq!((&client["name"], &client["scope"]), (&"client".into(), &"per client".into()));
    assert_eq!((&client["quota"], &client["enforced"]), (&"3/d".into(), &100.into()));
    // One client alone was denied, twice.
    assert_eq!(client["keys"].as_array().unwrap().len(), 1);
    assert_eq!(client["keys"][0][1], 2);
    assert_eq!(client["keys"][0][0].as_str().unwrap().len(), 16);
    // Those that `client` denies are not asked of the trial.
    assert_eq!(
        (&trial["admitted"], &trial["denied"], &trial["shadow"]),
        (&2.into(), &0.into(), &2.into())
    );
    assert_eq!((&trial["scope"], &trial["enforced"]), (&"per client, GET /".into(), &0.into()));
}

#[tokio::test]
async fn a_changed_file_is_shown() {
    let setup = Setup::new(format!("http://{}", serving().await), &per_client("3/d")).await;
    let feed = setup.gateway.feed();
    setup.status("192.0.2.1").await;
    fs::write(&setup.file, "policies = [").unwrap();
    let tick = wait_for(feed, |tick| !tick["problem"].is_null()).await;
    assert_eq!(tick["policies"][0]["quota"], "3/d");

    fs::write(&setup.file, "policies = [{ name = 'other', quota = '9/10s' }]").unwrap();
    let tick = wait_for(feed, |tick| tick["policies"][0]["name"] == "other").await;
    let other = &tick["policies"][0];
    assert_eq!((&tick["problem"], &other["admitted"]), (&Value::Null, &0.into()));
    assert_eq!((&other["period"], &other["ceiling"]), (&"10s".into(), &0.9.into()));
    setup.status("192.0.2.1").await;
    wait_for(feed, |tick| tick["policies"][0]["admitted"] == 1).await;
}

#[tokio::test]
async fn a_viewer_is_told_the_last_minute_first() {
    let (live, tally, feed) = (Live::new(&per_client("3/d")).unwrap(), Tally::new(), Feed::new());
    let push = |i| feed.push(&Tick::new(Duration::from_millis(i), &live, &tally));
    (0..150).for_each(push);
    let ticks = feed.ticks();
    push(150);
    feed.end();
    push(151); // nobody is told
    let told: Vec<u64> = ticks
        .map(|tick| serde_json::from_str::<Value>(&tick).unwrap()["at"].as_u64().unwrap())
        .collect()
        .await;
    assert_eq!(told, (30..=150).collect::<Vec<_>>());
    assert_eq!(feed.ticks().next().await, None);
}

/// Missed ticks came together, and the page divided by the time between them.
#[tokio::test(start_paused = true)]
async fn ticks_keep_their_distance_after_a_stall() {
    let (live, tally, feed) = (Live::new(&per_client("3/d")).unwrap(), Tally::new(), Feed::new());
    let stall = async {
        tokio::time::advance(Duration::from_secs(10)).await;
        tokio::time::sleep(Duration::from_secs(2)).await; // of the paused clock
    };
    tokio::select! {
        biased;
        () = feed.run(&live, &tally) => {}
        () = stall => {}
    }
    let ticks = feed.ticks();
    feed.end();
    let at =
        |tick: std::sync::Arc<str>| serde_json::from_str::<Value>(&tick).unwrap()["at"].as_u64();
    let told: Vec<u64> = ticks.filter_map(at).collect().await;
    assert!(told.len() > 3, "{told:?}");
    assert!(told.windows(2).all(|pair| pair[1] - pair[0] >= 500), "{told:?}");
}

#[tokio::test]
async fn a_viewer_that_is_too_late_is_dropped() {
    let (live, tally, feed) = (Live::new(&per_client("3/d")).unwrap(), Tally::new(), Feed::new());
    let ticks = feed.ticks();
    (0..100).for_each(|i| feed.push(&Tick::new(Duration::from_millis(i), &live, &tally)));
    assert_eq!(ticks.collect::<Vec<_>>().await.len(), 0);
}

#[tokio::test]
async fn the_demo_sends_more_than_it_may() {
    let demo = Demo::start().await.unwrap();
    let setup = Setup::new(demo.upstream().to_string(), BUILT_IN).await;
    let demo = demo.with_traffic_to(setup.gateway.address());
    let tick = wait_for(setup.gateway.feed(), |tick| tick["policies"][0]["denied"] != 0).await;
    let admitted = |policy: usize| tick["policies"][policy]["admitted"].as_u64().unwrap();
    assert!(admitted(0) > 0 && admitted(3) > 0, "{tick}");
    drop(demo);
    setup.gateway.stop().await;
}
