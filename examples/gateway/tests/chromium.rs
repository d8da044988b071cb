//! A page in Chromium, over its DevTools protocol.

use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams,
};
use chromiumoxide::cdp::browser_protocol::log::{EventEntryAdded, LogEntryLevel};
use chromiumoxide::cdp::browser_protocol::network::EventRequestWillBeSent;
use chromiumoxide::cdp::js_protocol::runtime::{
    ConsoleApiCalledType, EvaluateParams, EventConsoleApiCalled, EventExceptionThrown,
};
use chromiumoxide::page::ScreenshotParams;
use chromiumoxide::{Browser, BrowserConfig, Element, Page};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// The variable that says where Chromium is. `.ci/page` sets it.
const PROGRAM: &str = "CASGATE_CHROMIUM";

pub(super) struct Chromium {
    browser: Browser,
    page: Page,
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    /// What goes on in the background, until the test ends.
    _tasks: JoinSet<()>,
    _profile: TempDir,
}

#[derive(Default)]
struct Seen {
    errors: Vec<String>,
    urls: Vec<String>,
}

impl Chromium {
    /// Opens the page of a gateway.
    pub(super) async fn open(address: SocketAddr) -> Self {
        let program = std::env::var(PROGRAM).unwrap_or_else(|_| panic!("{PROGRAM} is not set"));
        let profile = tempfile::tempdir().unwrap();
        let config = BrowserConfig::builder()
            .chrome_executable(program)
            .user_data_dir(profile.path())
            .new_headless_mode()
            .no_sandbox() // root has none, and no page but ours is opened
            .viewport(None)
            .window_size(1_200, 1_000)
            .build();
        let (browser, mut handler) = Browser::launch(config.unwrap()).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { while handler.next().await.is_some() {} });
        let page = browser.new_page("about:blank").await.unwrap();
        let seen = Arc::default();
        watch(&page, &seen, &mut tasks).await;
        page.goto(format!("http://{address}/")).await.unwrap();
        Self { browser, page, address, seen, _tasks: tasks, _profile: profile }
    }

    pub(super) async fn find(&self, selector: &str) -> Element {
        self.page.find_element(selector).await.unwrap()
    }

    /// What an expression is.
    pub(super) async fn get<T: DeserializeOwned>(&self, expression: &str) -> T {
        let params = EvaluateParams::builder().expression(expression).await_promise(true);
        let result = self.page.evaluate(params.return_by_value(true).build().unwrap()).await;
        result.unwrap_or_else(|error| panic!("{expression}: {error}")).into_value().unwrap()
    }

    /// Waits until an expression is true. DevTools gives up after half a minute.
    pub(super) async fn until(&self, expression: &str) {
        let wait = format!(
            "new Promise(done => {{ \
               const look = () => {expression} ? done(true) : setTimeout(look, 20); look(); \
             }})"
        );
        assert!(self.get::<bool>(&wait).await);
    }

    pub(super) async fn resize(&self, width: i64, height: i64) {
        let size = SetDeviceMetricsOverrideParams::new(width, height, 1.0, false);
        self.page.execute(size).await.unwrap();
    }

    pub(super) async fn scheme(&self, scheme: &str) {
        let feature = MediaFeature::new("prefers-color-scheme", scheme);
        self.page.emulate_media_features(vec![feature]).await.unwrap();
    }

    pub(super) async fn screenshot(&self, path: &str) {
        let params = ScreenshotParams::builder().full_page(true).build();
        self.page.save_screenshot(params, path).await.unwrap();
    }

    /// Asserts that the console has no error, and that no other host was asked.
    pub(super) fn assert_clean(&self) {
        let seen = self.seen.lock().unwrap();
        assert!(seen.errors.is_empty(), "{:?}", seen.errors);
        let own = format!("http://{}/", self.address);
        assert!(seen.urls.contains(&own), "{:?}", seen.urls);
        for url in &seen.urls {
            assert!(url.starts_with(&own) || url == "data:," || url == "about:blank", "{url}");
        }
    }

    pub(super) async fn close(mut self) {
        self.browser.close().await.unwrap();
        self.browser.wait().await.unwrap();
    }
}

/// Writes down what goes wrong, and what is asked of whom.
async fn watch(page: &Page, seen: &Arc<Mutex<Seen>>, tasks: &mut JoinSet<()>) {
    page.enable_log().await.unwrap();
    page.enable_runtime().await.unwrap();
    let mut calls = page.event_listener::<EventConsoleApiCalled>().await.unwrap();
    let mut exceptions = page.event_listener::<EventExceptionThrown>().await.unwrap();
    let mut entries = page.event_listener::<EventEntryAdded>().await.unwrap();
    let mut requests = page.event_listener::<EventRequestWillBeSent>().await.unwrap();
    let seen = Arc::clone(seen);
    tasks.spawn(async move {
        loop {
            let error = tokio::select! {
                Some(call) = calls.next() => match call.r#type {
                    ConsoleApiCalledType::Error | ConsoleApiCalledType::Warning => format!("{call:?}"),
                    _ => continue,
                },
                Some(exception) = exceptions.next() => format!("{exception:?}"),
                Some(entry) = entries.next() => match entry.entry.level {
                    LogEntryLevel::Error | LogEntryLevel::Warning => format!("{entry:?}"),
                    _ => continue,
                },
                Some(request) = requests.next() => {
                    seen.lock().unwrap().urls.push(request.request.url.clone());
                    continue;
                }
                else => break,
            };
            seen.lock().unwrap().errors.push(error);
        }
    });
}
