//! The page in a browser: `.ci/page` runs these tests, which need Chromium.
#![cfg(feature = "chromium")]

use casgate::clock::ManualClock;
use casgate::{Limit, Limiter, Quota, Timestamp};
use chromium_page::Chromium;
use serde_json::json;
use std::path::Path;

const ALGORITHMS: [&str; 4] = ["token bucket", "fixed window", "sliding window", "strict window"];

/// Opens the page from disk: that of the documentation, or the one that `.ci/playground` has built.
async fn open() -> Chromium {
    let page = std::env::var("CASGATE_PLAYGROUND").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/playground.html").to_owned()
    });
    let page = Path::new(&page).canonicalize().unwrap();
    let chromium = Chromium::open(format!("file://{}", page.display())).await;
    settled(&chromium).await;
    chromium
}

/// Waits until the page shows what was last wished for.
async fn settled(chromium: &Chromium) {
    chromium.until("quota && shown === run && !wished").await;
}

fn limiter(algorithm: &str, quota: Quota) -> Box<dyn Limit> {
    let clock = ManualClock::new();
    match algorithm {
        "token bucket" => Box::new(Limiter::token_bucket(quota).with_clock(clock)),
        "fixed window" => Box::new(Limiter::fixed_window(quota).with_clock(clock)),
        "sliding window" => Box::new(Limiter::sliding_window(quota).with_clock(clock)),
        _ => {
            let burst = if quota.burst() == quota.permits() { 1 } else { quota.burst() };
            let quota = Quota::at_most(quota.permits()).with_burst(burst).in_any(quota.period());
            Box::new(Limiter::strict(quota).with_clock(clock))
        }
    }
}

/// What the crate answers: 0, the nanoseconds of `retry_after`, or −1 if no wait helps.
fn answers(algorithm: &str, quota: &str, traffic: &[u64]) -> Vec<f64> {
    let limiter = limiter(algorithm, quota.parse().unwrap());
    let answer = |&at| match limiter.check_at(Timestamp::from_nanos(at)) {
        Ok(_) => 0.0,
        Err(denied) => denied.retry_after().map_or(-1.0, |wait| wait.as_nanos() as f64),
    };
    traffic.iter().map(answer).collect()
}

/// Timestamps in order: bursts, and gaps of about a permit's share of the period.
fn traffic(quota: Quota, start: u64, seed: u64) -> Vec<u64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let gap = quota.period().as_nanos() as u64 / u64::from(quota.permits()) * 2;
    let mut at = start;
    let mut next = || {
        at += if random.u8(..4) == 0 { 0 } else { random.u64(0..=gap) };
        at
    };
    (0..400).map(|_| next()).collect()
}

#[tokio::test]
async fn the_decisions_are_the_crates_own() {
    let chromium = open().await;
    let (mut admitted, mut denied) = (0, 0);
    for (seed, quota) in
        ["10/s burst 4", "100/min burst 20", "7/s", "3/90s", "1/h", "9/10ns", "86399/d", "2/2days"]
            .into_iter()
            .enumerate()
    {
        for (start, algorithm) in [0, 1_774_000_000_000_000_000]
            .into_iter()
            .flat_map(|start| ALGORITHMS.map(|algorithm| (start, algorithm)))
        {
            let parsed = quota.parse().unwrap();
            let traffic = [0, 100].map(|more| traffic(parsed, start, seed as u64 + more));
            let expected = traffic.each_ref().map(|traffic| answers(algorithm, quota, traffic));
            let all = traffic.concat();
            let secs: Vec<u64> = all.iter().map(|at| at / 1_000_000_000).collect();
            let nanos: Vec<u64> = all.iter().map(|at| at % 1_000_000_000).collect();
            let call = format!(
                "decide('{algorithm}', '{quota}', new Requests(Float64Array.from({secs:?}), \
                 Uint32Array.from({nanos:?}), [0, 400, 800])) \
                 .then(({{waits}}) => Array.from(waits, wait => wait === Infinity ? -1 : wait))"
            );
            let decided: Vec<f64> = chromium.get(&call).await;
            assert_eq!(decided, expected.concat(), "{algorithm}, {quota}, from {start}");
            admitted += decided.iter().filter(|&&wait| wait == 0.0).count();
            denied += decided.iter().filter(|&&wait| wait > 0.0).count();
        }
    }
    assert!(admitted > 1_000 && denied > 1_000, "{admitted} admitted, {denied} denied");
    let late = "decide('sliding window', '1/s', new Requests([1e12], [0], [0, 1])) \
                .then(({waits}) => waits[0] === Infinity)";
    assert!(chromium.get::<bool>(late).await);
    chromium.assert_clean();
    chromium.close().await;
}

/// What a lane shows of an algorithm.
async fn lane(chromium: &Chromium, algorithm: &str, field: &str) -> String {
    chromium
        .get(&format!("lanes.find(lane => lane.name === '{algorithm}').{field}.textContent"))
        .await
}

#[tokio::test]
async fn each_algorithm_shows_what_it_admits_its_bound_and_the_wait() {
    let chromium = open().await;
    for (algorithm, admitted, denied, most, next) in [
        (
            "token bucket",
            "24 60.0 %",
            "16 40.0 %",
            "12 of at most 19",
            "at 1.023 s, retry_after 35 ms",
        ),
        (
            "fixed window",
            "30 75.0 %",
            "10 25.0 %",
            "20 of at most 20",
            "at 2.508 s, retry_after 493 ms",
        ),
        (
            "sliding window",
            "20 50.0 %",
            "20 50.0 %",
            "10 of at most 10",
            "at 1.008 s, retry_after 850 ms",
        ),
        (
            "strict window",
            "6 15.0 %",
            "34 85.0 %",
            "3 of at most 10",
            "at 873 ms, retry_after 85 ms",
        ),
    ] {
        assert_eq!(lane(&chromium, algorithm, "admitted").await, admitted, "{algorithm}");
        assert_eq!(lane(&chromium, algorithm, "denied").await, denied, "{algorithm}");
        assert_eq!(lane(&chromium, algorithm, "most").await, most, "{algorithm}");
        let shown = lane(&chromium, algorithm, "next").await;
        assert_eq!(shown, format!("next denial: {next}"), "{algorithm}");
    }
    // By keys: another time looked at, and another algorithm.
    let look = chromium.find("#look").await;
    look.focus().await.unwrap().press_key("End").await.unwrap();
    chromium.until("lanes[1].next.textContent === 'next denial: none'").await;
    let radio = chromium.find("input[value='token bucket']").await;
    radio.focus().await.unwrap().press_key("ArrowRight").await.unwrap();
    settled(&chromium).await;
    let code: String = chromium.get("document.getElementById('code').textContent").await;
    assert_eq!(code, r#"Limiter::fixed_window("10/s".parse()?)"#);
    let chosen: String = chromium.get("document.querySelector('.chosen h2').textContent").await;
    assert_eq!(chosen, "fixed window");
    // By the mouse: the pointer is the time looked at.
    chromium.find("section.chosen canvas").await.hover().await.unwrap();
    chromium.until("Math.abs(look - 0.5) < 0.01 && !wished").await;
    assert!(lane(&chromium, "fixed window", "next").await.contains("at 2.508 s"));
    chromium.assert_clean();
    chromium.close().await;
}

#[tokio::test]
async fn patterns_follow_the_quota_and_the_pace() {
    let chromium = open().await;
    let press = async |pattern: &str| {
        let button =
            format!("[...patterns.children].find(b => b.textContent === '{pattern}').click()");
        assert!(chromium.get::<bool>(&format!("{button}, true")).await);
        settled(&chromium).await;
        chromium.get::<usize>("painted.length").await
    };
    assert_eq!(press("steady").await, 40);
    assert_eq!(lane(&chromium, "token bucket", "denied").await, "0 0.0 %");
    let pace = chromium.find("#pace").await;
    pace.focus().await.unwrap().press_key("End").await.unwrap();
    settled(&chromium).await;
    assert_eq!(chromium.get::<usize>("painted.length").await, 400);
    assert_eq!(lane(&chromium, "sliding window", "admitted").await, "40 10.0 %");
    pace.press_key("Home").await.unwrap();
    assert!(press("flood").await > 20);
    let first = press("Poisson").await;
    assert!((1..30).contains(&first), "{first} at 10 in 4 s");
    let times: Vec<f64> = chromium.get("painted").await;
    press("Poisson").await;
    assert_ne!(chromium.get::<Vec<f64>>("painted").await, times, "another sample");
    assert_eq!(press("clear").await, 0);
    assert_eq!(lane(&chromium, "token bucket", "admitted").await, "0");
    // As many as are drawn at most.
    let many = "$('quota').value = '900_000_000/s', readQuota(), true";
    assert!(chromium.get::<bool>(many).await);
    for pattern in ["steady", "burst at a boundary", "Poisson", "flood"] {
        assert_eq!(press(pattern).await, 200_000, "{pattern}");
    }
    chromium.assert_clean();
    chromium.close().await;
}

#[tokio::test]
async fn requests_are_painted_by_mouse_and_by_keys() {
    let chromium = open().await;
    let clear = "painted = [], pattern = null, wish(), true";
    assert!(chromium.get::<bool>(clear).await);
    settled(&chromium).await;
    // Eight cells of eighty, at half of the peak of eight.
    chromium.drag("#paint", &[(0.251, 0.5), (0.3, 0.5), (0.349, 0.5)]).await;
    settled(&chromium).await;
    let counts: Vec<usize> = chromium.get("counts()").await;
    let expected: Vec<usize> =
        (0..80).map(|cell| if (20..28).contains(&cell) { 4 } else { 0 }).collect();
    assert_eq!(counts, expected);
    // Evenly in each cell.
    let times: Vec<f64> = chromium.get("painted.slice(0, 4).map(part => part * 4)").await;
    for (time, expected) in times.iter().zip([1.00625, 1.01875, 1.03125, 1.04375]) {
        assert!((time - expected).abs() < 1e-9, "{time}");
    }
    // A line upwards has every height in between.
    chromium.drag("#paint", &[(0.0, 0.99), (0.099, 0.01)]).await;
    settled(&chromium).await;
    let counts: Vec<usize> = chromium.get("counts().slice(0, 8)").await;
    assert!(counts.is_sorted() && counts[0] == 0 && counts[7] == 8, "{counts:?}");

    let canvas = chromium.find("#paint").await;
    canvas.focus().await.unwrap();
    for key in [
        "Home",
        "ArrowRight",
        "Delete",
        "ArrowUp",
        "ArrowUp",
        "ArrowUp",
        "ArrowDown",
        "ArrowLeft",
        "PageUp",
    ] {
        canvas.press_key(key).await.unwrap();
    }
    settled(&chromium).await;
    assert_eq!(chromium.get::<Vec<usize>>("counts().slice(0, 2)").await, [10, 2]);
    let said: String = chromium.get("$('paint').ariaValueText").await;
    assert_eq!(said, "0 to 50 ms: 10 requests");
    canvas.press_key("ArrowDown").await.unwrap();
    settled(&chromium).await;
    // The decisions follow, as the crate says.
    let painted: Vec<f64> = chromium.get("painted").await;
    let traffic: Vec<u64> = painted.iter().map(|part| (part * 4e9) as u64).collect();
    for algorithm in ALGORITHMS {
        let admitted =
            answers(algorithm, "10/s", &traffic).iter().filter(|&&wait| wait == 0.0).count();
        let shown = lane(&chromium, algorithm, "admitted").await;
        assert!(shown.starts_with(&format!("{admitted} ")), "{algorithm}: {shown}, not {admitted}");
    }
    chromium.assert_clean();
    chromium.close().await;
}

#[tokio::test]
async fn a_bad_quota_shows_an_error_and_the_one_before_holds() {
    let chromium = open().await;
    let text = chromium.find("#quota").await;
    let enter = async |quota: &str| {
        let text = text.focus().await.unwrap();
        assert!(chromium.get::<bool>("$('quota').select(), true").await);
        text.type_str(quota).await.unwrap();
        settled(&chromium).await;
        chromium.get::<String>("$('quota-error').textContent").await
    };
    assert_eq!(
        enter("5/fortnight").await,
        "Not a quota: expected a unit of time: ns, us, ms, s, min, h or d (byte 2)."
    );
    assert!(chromium.get::<bool>("$('lanes').classList.contains('stale')").await);
    assert_eq!(chromium.get::<String>("quota.text").await, "10/s");
    for bad in ["0/s", "2/ns", "5/s burst 0", "<b>", "99999999999/s"] {
        assert!(enter(bad).await.starts_with("Not a quota: "), "{bad}");
    }
    assert_eq!(enter("100 per 60s burst 20").await, "");
    assert_eq!(chromium.get::<String>("quota.text").await, "100/min burst 20");
    assert!(!chromium.get::<bool>("$('lanes').classList.contains('stale')").await);
    assert_eq!(
        lane(&chromium, "token bucket", "scope").await,
        "20 permits at once, refilled at 100 per 1 min"
    );
    // A quota for three of the four.
    assert_eq!(enter("10/s burst 11").await, "");
    let error = lane(&chromium, "strict window", "error").await;
    assert!(error.starts_with("Not for this quota: "), "{error}");
    assert_eq!(lane(&chromium, "token bucket", "most").await, "13 of at most 20");
    chromium.assert_clean();
    chromium.close().await;
}

/// Drops a file on the page, and waits until all is decided.
async fn drop_file(chromium: &Chromium, text: &str) {
    let drop = format!(
        "const files = new DataTransfer(); \
         files.items.add(new File([{}], 'access.log')); \
         document.body.dispatchEvent(new DragEvent('drop', \
           {{dataTransfer: files, bubbles: true, cancelable: true}}))",
        json!(text)
    );
    chromium.get::<bool>(&format!("(() => {{ {drop}; return true; }})()")).await;
    chromium.until("!$('log-state').textContent.startsWith('Reading')").await;
    settled(chromium).await;
}

const MIXED: &str = r#"192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1
2001:db8::1 - "[odd]" [10/Oct/2000:20:55:37 +0000] "GET /<b>ÿ HTTP/1.1" 200 1 "-" "a"
192.0.2.1 - - [32/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1

no time at all <img src=x onerror=fail()>
971211335.25
971211338
2000-10-10T22:55:39.123456789+02:00
2000-10-10t20:55:40z
2000-02-30T00:00:00Z
99999999999999
31/Dec/1969
0099-03-04T05:06:07Z
4600000000
"#;

#[tokio::test]
async fn a_log_with_broken_lines_is_read_and_each_of_them_counted() {
    let chromium = open().await;
    drop_file(&chromium, MIXED).await;
    let state: String = chromium.get("$('log-state').textContent").await;
    assert_eq!(
        state,
        "access.log: 6 requests of 3 clients; 7 lines not read; 1 blank line; \
         1 line out of order, put in order of time."
    );
    let unread: Vec<String> =
        chromium.get("[...$('unread').children].map(item => item.textContent)").await;
    assert_eq!(unread.len(), 6, "five, and how many more");
    assert!(unread[0].starts_with("line 3: there is no such time: 192.0.2.1 - - [32/Oct"));
    assert!(unread[1].contains("line 5: no time like [10/Oct/2000:13:55:36 -0700]"), "{unread:?}");
    assert!(unread[1].ends_with("no time at all <img src=x onerror=fail()>"));
    assert!(unread[3].contains("line 11: the time is not from 1970 to 2114"), "{unread:?}");
    let read: Vec<(String, u64, u64)> = chromium
        .get(
            "Array.from(requests.secs, (sec, i) => [clientOf(requests, i), sec, requests.nanos[i]])",
        )
        .await;
    let expected = [
        ("192.0.2.1", 971_211_336, 0),
        ("2001:db8::1", 971_211_337, 0),
        ("", 971_211_335, 250_000_000),
        ("", 971_211_338, 0),
        ("", 971_211_339, 123_456_789),
        ("", 971_211_340, 0),
    ];
    assert_eq!(read, expected.map(|(client, sec, nano)| (client.to_owned(), sec, nano)));
    assert!(lane(&chromium, "token bucket", "window").await.ends_with(", of one client"));

    let reasons: Vec<String> =
        chromium.get("['0099-03-04T05:06:07Z', '4600000000'].map(parse)").await;
    assert_eq!(reasons, ["the time is not from 1970 to 2114"; 2]);
    // Most of them have no name.
    chromium.until("$('suggestions').children.length === 2").await;
    let nobody: String = chromium.get("$('suggestions').lastElementChild.textContent").await;
    assert!(nobody.contains("but the busiest client, unnamed."), "{nobody}");
    let top: String = chromium.get("$('top').rows[0].cells[0].textContent").await;
    assert_eq!(top, "unnamed");

    // More of them than are shown, and no request at all: those painted are shown.
    drop_file(&chromium, &"nothing\n".repeat(1_234)).await;
    let state: String = chromium.get("$('log-state').textContent").await;
    assert!(state.contains("0 requests") && state.contains("1,234 lines not read"), "{state}");
    let last: String = chromium.get("$('unread').lastElementChild.textContent").await;
    assert_eq!(last, "and 1,229 more");
    assert_eq!(lane(&chromium, "fixed window", "admitted").await, "30 75.0 %");
    // Back to what was painted.
    assert!(chromium.get::<bool>("$('back').click(), true").await);
    settled(&chromium).await;
    assert_eq!(lane(&chromium, "fixed window", "admitted").await, "30 75.0 %");
    chromium.assert_clean();
    chromium.close().await;
}

/// Reads files whose parts come when the test says so.
#[tokio::test]
async fn a_file_is_read_alike_in_whatever_parts_it_comes() {
    let chromium = open().await;
    let parts = "globalThis.bytes = text => ({value: new TextEncoder().encode(text)}), \
                 globalThis.file = (name, ...parts) => ({name, stream: () => ({getReader: () => \
                   ({read: async () => parts.shift() ?? {done: true}})})}), true";
    assert!(chromium.get::<bool>(parts).await);
    let state = async |reading: &str| {
        let told = format!("(async () => {{ {reading}; return $('log-state').textContent; }})()");
        chromium.get::<String>(&told).await
    };
    // One that was left for another says nothing more, although its next part comes later.
    let left = "let give; \
                const left = read(file('left', new Promise(done => give = done))); \
                await read(file('next', bytes('971211336'))); \
                give(bytes('971211336\\n'.repeat(200000))); \
                await left";
    assert_eq!(state(left).await, "next: 1 request of unnamed clients; every line read.");
    // A line that is too long is none, be the end of it blank or not, and in a part of its own or not.
    let blanks = "'971211336' + ' '.repeat(100000)";
    for parts in [
        format!("{blanks} + '\\n'"),
        format!("{blanks} + 'x\\n'"),
        format!("{blanks}, '\\n'"),
        format!("{blanks} + 'x', '\\n'"),
    ] {
        let told = state(&format!("await read(file('long', ...[{parts}].map(bytes)))")).await;
        assert_eq!(told, "long: 0 requests of unnamed clients; 1 line not read.", "{parts}");
    }
    chromium.assert_clean();
    chromium.close().await;
}

/// A log in order of time, and the requests of each of its clients.
fn log(lines: usize, clients: usize) -> (String, Vec<Vec<u64>>) {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut text, mut of_each) = (String::new(), vec![Vec::new(); clients]);
    let mut sec = 971_211_336;
    for _ in 0..lines {
        sec += u64::from(random.u8(..8) == 0);
        // The first ones come far more often.
        let client = (0..clients - 1).find(|_| random.u8(..3) == 0).unwrap_or(clients - 1);
        let (minute, second) = (sec / 60 % 60, sec % 60);
        let hour = sec / 3_600 % 24;
        text += &format!(
            "192.0.2.{client} - - [10/Oct/2000:{hour:02}:{minute:02}:{second:02} +0000] \"GET / HTTP/1.1\" 200 1\n"
        );
        of_each[client].push(sec);
    }
    (text, of_each)
}

/// The least number of permits a minute that denies at most so many requests, with a limiter for each of the clients.
fn least(algorithm: &str, clients: &[Vec<u64>], spare: usize) -> u32 {
    let denied = |permits: u32, requests: &Vec<u64>| {
        let limiter = limiter(algorithm, Quota::per_minute(permits));
        let is_denied = |&&sec: &&u64| limiter.check_at(Timestamp::from_secs(sec)).is_err();
        requests.iter().filter(is_denied).count()
    };
    let fits =
        |permits| clients.iter().map(|requests| denied(permits, requests)).sum::<usize>() <= spare;
    (1..).find(|&permits| fits(permits)).unwrap()
}

#[tokio::test]
async fn a_suggestion_is_the_smallest_quota_that_would_have_done() {
    let chromium = open().await;
    let (text, mut clients) = log(5_000, 6);
    drop_file(&chromium, &text).await;
    let all: Vec<u64> = {
        let mut all = clients.concat();
        all.sort_unstable();
        all
    };
    clients.sort_by_key(Vec::len);
    let (others, _) = clients.split_at(5);
    for algorithm in ["token bucket", "fixed window", "sliding window"] {
        let choose =
            format!("document.querySelector('input[value=\"{algorithm}\"]').click(), true");
        assert!(chromium.get::<bool>(&choose).await);
        chromium
            .until(&format!("$('suggested').textContent === 'With a {algorithm} for each client:'"))
            .await;
        let offered: Vec<String> = chromium
            .get("[...$('suggestions').querySelectorAll('code')].map(code => code.textContent)")
            .await;
        let expected = [least(algorithm, &clients, 5), least(algorithm, others, 0)];
        assert_eq!(offered, expected.map(|permits| format!("{permits}/min")), "{algorithm}");
        assert!(expected[0] > 1 && expected[0] != expected[1], "{expected:?}");
    }
    // It is used, and denies no more than it says.
    chromium.find("#suggestions button").await.click().await.unwrap();
    settled(&chromium).await;
    let denied: usize = chromium.get("lanes[2].result.waits.filter(wait => wait > 0).length").await;
    assert!((1..=5).contains(&denied), "{denied}");
    let top: Vec<String> = chromium
        .get("[...$('top').rows].map(row => row.cells[1].textContent.replace(',', ''))")
        .await;
    let sizes: Vec<String> =
        clients.iter().rev().take(5).map(|client| client.len().to_string()).collect();
    assert_eq!(top, sizes);

    // One limit for all of them.
    assert!(chromium.get::<bool>("$('each').click(), true").await);
    chromium.until("$('suggested').textContent === 'With a sliding window:'").await;
    let offered: Vec<String> = chromium
        .get("[...$('suggestions').querySelectorAll('code')].map(code => code.textContent)")
        .await;
    assert_eq!(offered, [format!("{}/min", least("sliding window", &[all], 5))]);
    assert!(
        chromium
            .get::<bool>("document.querySelector('input[value=\"strict window\"]').click(), true")
            .await
    );
    chromium.until("$('suggested').textContent.startsWith('Choose another algorithm')").await;
    chromium.assert_clean();
    chromium.close().await;
}

#[tokio::test]
async fn a_large_log_leaves_the_page_alive() {
    let chromium = open().await;
    // The page's own timer runs on while it reads and decides.
    assert!(chromium.get::<bool>("window.ticks = 0, setInterval(() => ticks++), true").await);
    let (text, _) = log(200_000, 50);
    chromium.get::<bool>(&format!("window.text = {}, ticks = 0, true", json!(text))).await;
    let read = "read(new File([text], 'large.log')).then(() => [ticks, log.count])";
    let (ticks, count): (u32, u32) = chromium.get(read).await;
    assert_eq!(count, 200_000);
    assert!(ticks > 3, "{ticks} while it read");
    assert!(chromium.get::<bool>("ticks = 0, true").await);
    settled(&chromium).await;
    chromium.until("$('suggested').textContent.endsWith(':')").await;
    let ticks: u32 = chromium.get("ticks").await;
    assert!(ticks > 3, "{ticks} while it decided");
    // What comes last counts, whatever was under way.
    let again = "read(new File([text], 'a.log')), read(new File(['1\\n1\\n'], 'b.log')).then(() => log.count)";
    assert_eq!(chromium.get::<u32>(again).await, 2);
    settled(&chromium).await;
    assert_eq!(chromium.get::<String>("log.name").await, "b.log");
    chromium.assert_clean();
    chromium.close().await;
}

#[tokio::test]
async fn no_page_needs_scrolling_sideways() {
    let chromium = open().await;
    let long = format!(
        "{} - - [10/Oct/2000:13:55:36 -0700] \"-\"\n{}\n",
        "W".repeat(200),
        "x".repeat(300)
    );
    for text in ["", &long] {
        if !text.is_empty() {
            drop_file(&chromium, &text.repeat(2)).await;
        }
        for quota in
            ["10/s", "1_000_000_000/1_000_000_000ns burst 2_000_000_000", "x".repeat(300).as_str()]
        {
            let set = format!("$('quota').value = '{quota}', readQuota(), true");
            assert!(chromium.get::<bool>(&set).await);
            for width in [1_200, 800, 360] {
                chromium.resize(width, 800).await;
                settled(&chromium).await;
                let widest: i64 = chromium.get("document.documentElement.scrollWidth").await;
                assert!(widest <= width, "{widest} pixels of {width}, {quota}");
            }
        }
    }
    chromium.assert_clean();
    chromium.close().await;
}

/// Not a test: makes pictures for the eye in the directory that `CASGATE_PICTURES` names.
#[tokio::test]
#[ignore = "`.ci/page --screenshot` makes pictures"]
async fn screenshot() {
    let directory = std::env::var("CASGATE_PICTURES").unwrap();
    let chromium = open().await;
    let picture = async |name: &str| {
        settled(&chromium).await;
        chromium.screenshot(&format!("{directory}/playground-{name}.png")).await;
    };
    for what in ["painted", "log"] {
        if what == "log" {
            drop_file(&chromium, &(log(20_000, 40).0 + MIXED)).await;
            chromium.until("$('suggested').textContent.endsWith(':')").await;
            chromium.find("#suggestions button").await.click().await.unwrap();
        }
        for scheme in ["light", "dark"] {
            chromium.scheme(scheme).await;
            for (name, width) in [("wide", 1_200), ("narrow", 360)] {
                chromium.resize(width, 800).await;
                picture(&format!("{what}-{scheme}-{name}")).await;
            }
        }
    }
    chromium.close().await;
}
