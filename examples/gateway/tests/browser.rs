//! The page in a browser: `.ci/page` runs these tests, which need Chromium.

use super::{ANY_PORT, Setup, per_client, serving};
use crate::demo::Demo;
use crate::gateway::{Gateway, Options};
use crate::live::BUILT_IN;
use chromium_page::Chromium;
use std::fs;

/// The part of the page that is about one policy.
const CLIENT: &str = r#"section[aria-label="policy client"]"#;

async fn open_page(setup: &Setup) -> Chromium {
    Chromium::open(format!("http://{}/", setup.gateway.page_address())).await
}

async fn open(policies: &str) -> (Setup, Chromium) {
    let setup = Setup::new(format!("http://{}", serving().await), policies).await;
    let chromium = open_page(&setup).await;
    chromium.until("cards.size > 0").await;
    (setup, chromium)
}

/// Waits until the gateway has told the page this quota of the policy `client`, and asks the gateway too.
async fn assert_quota(chromium: &Chromium, setup: &Setup, quota: &str) {
    chromium.until(&format!("cards.get('client').row.quota === '{quota}'")).await;
    chromium.until(&format!("cards.get('client').text.value === '{quota}'")).await;
    assert_eq!(setup.quota("client").await, quota);
}

#[tokio::test]
async fn the_demo_draws_each_outcome() {
    let demo = Demo::start().await.unwrap();
    let setup = Setup::new(demo.upstream().to_string(), BUILT_IN).await;
    let _demo = demo.with_traffic_to(setup.gateway.address());
    let chromium = open_page(&setup).await;
    // The areas have corners above the ground, whose `y` is 100.
    for (policy, colour) in [("client", 0), ("client", 2), ("login", 2), ("search", 1), ("all", 0)]
    {
        let area = format!("cards.get('{policy}')?.areas[{colour}].getBBox().height > 2");
        chromium.until(&area).await;
    }
    chromium.until("cards.get('client').keys.children.length > 1").await;
    let points: usize = chromium
        .get("cards.get('client').areas[0].getAttribute('d').split(/[ML]/).length - 1")
        .await;
    let ticks: usize = chromium.get("cards.get('client').rates.length").await;
    assert!(points.abs_diff(2 * ticks) <= 2, "{points} points of {ticks} ticks");
    let badge: String = chromium.get("cards.get('search').badge.textContent").await;
    assert_eq!(badge, "in shadow");
    chromium.assert_clean();
    chromium.close().await;
}

#[tokio::test]
async fn a_slider_changes_the_quota_by_keys_and_by_mouse() {
    let (setup, chromium) = open(&per_client("20/s burst 40")).await;
    let slider = chromium.find(&format!("{CLIENT} input[type=range]")).await;
    slider.focus().await.unwrap().press_key("ArrowRight").await.unwrap();
    assert_quota(&chromium, &setup, "21/s burst 42").await;
    let said: String = chromium.get("cards.get('client').slider.ariaValueText").await;
    assert_eq!(said, "21/s burst 42");

    slider.click().await.unwrap(); // in its middle
    chromium.until("cards.get('client').row.permits > 100").await;
    let quota: String = chromium.get("cards.get('client').row.quota").await;
    assert_quota(&chromium, &setup, &quota).await;
    let label: String =
        chromium.get(&format!("document.querySelector('{CLIENT} label').textContent")).await;
    assert!(label.starts_with("permits per s: "), "{label}");
    chromium.assert_clean();
    chromium.close().await;
}

#[tokio::test]
async fn the_text_box_takes_any_quota_and_shows_errors() {
    let (setup, chromium) = open(&per_client("2/d")).await;
    let text = chromium.find(&format!("{CLIENT} input[type=text]")).await;
    let enter = async |quota: &str| {
        let text = text.focus().await.unwrap();
        assert!(chromium.get::<bool>("cards.get('client').text.select(), true").await);
        text.type_str(quota).await.unwrap().press_key("Enter").await.unwrap();
    };
    enter("7 per min burst 3").await;
    assert_quota(&chromium, &setup, "7/min burst 3").await;
    // The console has an entry for each answer that is no success.
    chromium.assert_clean();
    enter("5/fortnight").await;
    chromium.until("cards.get('client').error.textContent.includes('a unit of time')").await;
    assert_eq!(setup.quota("client").await, "7/min burst 3");
    // What was typed stays to be mended, wherever the focus goes.
    assert!(chromium.get::<bool>("document.activeElement.blur(), true").await);
    chromium.until("heard > cards.get('client').asked + 1500").await;
    let typed: String = chromium.get("cards.get('client').text.value").await;
    assert_eq!(typed, "5/fortnight");
    enter("8/min").await;
    assert_quota(&chromium, &setup, "8/min").await;
    chromium.until("cards.get('client').error.textContent === ''").await;
    chromium.close().await;
}

#[tokio::test]
async fn names_are_text_and_a_narrow_page_needs_no_scrolling() {
    let name = "<img src=x onerror=fail()>&amp;\"/WWWWWWWWWWWWWWWWWWWWWWWWWWWWW";
    let policies = format!("policies = [{{ name = '{name}', quota = '12_345/17min burst 999' }}]");
    let (setup, chromium) = open(&policies).await;
    let shown: String = chromium.get("document.querySelector('h2').textContent").await;
    assert_eq!(shown, name);
    assert!(!chromium.get::<bool>("!!document.querySelector('main img')").await);
    fs::write(&setup.file, "policies = [ # a mistake in a line that is long, so long: <b>b</b>")
        .unwrap();
    chromium.until("!document.getElementById('problem').hidden").await;
    let problem: String = chromium.get("document.getElementById('problem').textContent").await;
    assert!(problem.contains("<b>b</b>"), "{problem}");

    for width in [1_200, 800, 360] {
        chromium.resize(width, 800).await;
        let widest: i64 = chromium.get("document.documentElement.scrollWidth").await;
        assert!(widest <= width, "{widest} pixels of {width}");
    }
    chromium.assert_clean();
    chromium.close().await;
}

#[tokio::test]
async fn a_tick_of_the_same_time_is_no_division_by_zero() {
    let (_setup, chromium) = open(&per_client("2/d")).await;
    let twice = "last !== null && (tick(structuredClone(last)), true)";
    chromium.until(twice).await;
    chromium.until("cards.get('client').areas[0].getAttribute('d').length > 20").await;
    assert!(chromium.get::<bool>("cards.get('client').rates.flat().every(Number.isFinite)").await);
    chromium.assert_clean();
    chromium.close().await;
}

#[tokio::test]
async fn a_page_that_lost_its_gateway_says_so_and_finds_the_next_one() {
    let (setup, chromium) = open(&per_client("2/d")).await;
    let page_listen = setup.gateway.page_address();
    chromium.until("document.documentElement.className === 'live'").await;
    setup.gateway.stop().await;
    chromium.until("document.documentElement.className === 'lost'").await;
    let state: String = chromium.get("document.getElementById('state').textContent").await;
    assert!(state.starts_with("The gateway does not answer."), "{state}");

    let upstream = format!("http://{}", serving().await).parse().unwrap();
    let options = Options { listen: ANY_PORT, page_listen, upstream, config: None };
    let _gateway = Gateway::start(options).await.unwrap();
    chromium.until("document.documentElement.className === 'live' && cards.has('login')").await;
    chromium.close().await;
}

/// Not a test: makes the picture of the page that `CASGATE_PICTURE` names, and two for the eye in `CASGATE_PICTURES`.
#[tokio::test]
#[ignore = "`.ci/page --screenshot` makes docs/gateway.png"]
async fn screenshot() {
    let path = |variable| std::env::var(variable).unwrap();
    let demo = Demo::start().await.unwrap();
    let setup = Setup::new(demo.upstream().to_string(), BUILT_IN).await;
    let _demo = demo.with_traffic_to(setup.gateway.address());
    let chromium = open_page(&setup).await;
    chromium.scheme("light").await;
    chromium.resize(1_200, 800).await;
    for ticks in [40, 80, 118] {
        chromium.until(&format!("cards.get('client')?.rates.length > {ticks}")).await;
    }
    chromium.screenshot(&path("CASGATE_PICTURE")).await;
    let others = path("CASGATE_PICTURES");
    chromium.scheme("dark").await;
    chromium.screenshot(&format!("{others}/dark.png")).await;
    chromium.scheme("light").await;
    chromium.resize(360, 800).await;
    chromium.screenshot(&format!("{others}/narrow.png")).await;
    chromium.close().await;
}
