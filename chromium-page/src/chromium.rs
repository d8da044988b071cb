use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams,
};
use chromiumoxide::cdp::browser_protocol::input::{
    DispatchMouseEventParams, DispatchMouseEventType, MouseButton,
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
use std::fmt;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// The variable that says where Chromium is. `.ci/page` sets it.
const PROGRAM: &str = "CASGATE_CHROMIUM";

/// A page in Chromium, over its DevTools protocol. Its methods are for tests: what goes wrong is a panic.
///
/// ```no_run
/// # async fn example() {
/// let chromium = chromium_page::Chromium::open("data:text/html,<title>seven</title>").await;
/// assert_eq!(chromium.get::<String>("document.title").await, "seven");
/// chromium.close().await;
/// # }
/// ```
pub struct Chromium {
    browser: Browser,
    page: Page,
    url: String,
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
    /// Opens the page at an address, in a profile of its own.
    ///
    /// # Panics
    ///
    /// If `CASGATE_CHROMIUM` is not the path of Chromium, or if it does not start.
    pub async fn open(url: impl Into<String>) -> Self {
        let url = url.into();
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
        page.goto(&url).await.unwrap();
        Self { browser, page, url, seen, _tasks: tasks, _profile: profile }
    }

    /// Finds the first element of a selector.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub async fn find(&self, selector: &str) -> Element {
        self.page.find_element(selector).await.unwrap()
    }

    /// Returns what an expression is, or what its promise becomes.
    ///
    /// # Panics
    ///
    /// If it throws, or is of another type.
    pub async fn get<T: DeserializeOwned>(&self, expression: &str) -> T {
        let params = EvaluateParams::builder().expression(expression).await_promise(true);
        let result = self.page.evaluate(params.return_by_value(true).build().unwrap()).await;
        result.unwrap_or_else(|error| panic!("{expression}: {error}")).into_value().unwrap()
    }

    /// Waits until an expression is true. DevTools gives up after half a minute.
    ///
    /// # Panics
    ///
    /// If DevTools gives up.
    pub async fn until(&self, expression: &str) {
        let wait = format!(
            "new Promise(done => {{ \
               const attempt = () => {expression} ? done(true) : setTimeout(attempt, 20); attempt(); \
             }})"
        );
        assert!(self.get::<bool>(&wait).await);
    }

    /// Presses the mouse's button at the first of some places of an element, moves to the others, and releases it. A
    /// place is in parts of the element's width and height.
    ///
    /// # Panics
    ///
    /// If there is no such element, or no place.
    pub async fn drag(&self, selector: &str, places: &[(f64, f64)]) {
        let field = format!(
            "(element => {{ \
               element.scrollIntoView({{block: 'center'}}); \
               const {{x, y, width, height}} = element.getBoundingClientRect(); \
               return [x, y, width, height]; \
             }})(document.querySelector({selector:?}))"
        );
        let [left, top, width, height]: [f64; 4] = self.get(&field).await;
        let at = |kind, (x, y): (f64, f64)| {
            let (x, y) = (left + x * width, top + y * height);
            let event = DispatchMouseEventParams::builder().r#type(kind).x(x).y(y);
            event.button(MouseButton::Left).buttons(1).click_count(1).build().unwrap()
        };
        let (first, last) = (places[0], places[places.len() - 1]);
        self.page.execute(at(DispatchMouseEventType::MousePressed, first)).await.unwrap();
        for &place in &places[1..] {
            self.page.execute(at(DispatchMouseEventType::MouseMoved, place)).await.unwrap();
        }
        self.page.execute(at(DispatchMouseEventType::MouseReleased, last)).await.unwrap();
    }

    /// Sets the size of the page's window, in pixels.
    ///
    /// # Panics
    ///
    /// If Chromium has stopped.
    pub async fn resize(&self, width: i64, height: i64) {
        let size = SetDeviceMetricsOverrideParams::new(width, height, 1.0, false);
        self.page.execute(size).await.unwrap();
    }

    /// Sets what the user prefers: `light` or `dark`.
    ///
    /// # Panics
    ///
    /// If Chromium has stopped.
    pub async fn scheme(&self, scheme: &str) {
        let feature = MediaFeature::new("prefers-color-scheme", scheme);
        self.page.emulate_media_features(vec![feature]).await.unwrap();
    }

    /// Writes a picture of the whole page, in PNG.
    ///
    /// # Panics
    ///
    /// If the file cannot be written.
    pub async fn screenshot(&self, path: &str) {
        let params = ScreenshotParams::builder().full_page(true).build();
        self.page.save_screenshot(params, path).await.unwrap();
    }

    /// Asserts that the console has no error, and that nothing was asked for but what is under the page's address.
    ///
    /// # Panics
    ///
    /// If one of these does not hold.
    pub fn assert_clean(&self) {
        let seen = self.seen.lock().unwrap();
        assert!(seen.errors.is_empty(), "{:?}", seen.errors);
        assert!(seen.urls.contains(&self.url), "{:?}", seen.urls);
        for url in &seen.urls {
            assert!(url.starts_with(&self.url) || url == "data:," || url == "about:blank", "{url}");
        }
    }

    /// Ends Chromium.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn close(mut self) {
        self.browser.close().await.unwrap();
        self.browser.wait().await.unwrap();
    }
}

impl fmt::Debug for Chromium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chromium").field("url", &self.url).finish_non_exhaustive()
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
