//! What the observers tell, of one layer that does all that a layer can.

use bytes::Bytes;
use casgate::wait::{Queue, TokioClock, TokioTimer};
use casgate::{Admitted, Denied, KeyedLimiter, Limit, Limiter, Quota, TokenBucket};
use casgate_tower::fields::Name;
use casgate_tower::observe::{Event, Metrics, Observer, OpenTelemetry, Outcome, Tracing};
use casgate_tower::{KeyBy, MissingKey, Policy, RateLimitLayer};
use http::{HeaderName, Request, Response};
use metrics_util::CompositeKey;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::{Layer, Service, ServiceExt, service_fn};

/// What `story` brings about, by policy and result.
const TOLD: [(&str, &str, u64); 13] = [
    ("fleet", "unavailable", 1),
    ("keyed", "admitted", 3),
    ("keyed", "denied", 2),
    ("keyed", "exempt", 1),
    ("keyed", "missing_key", 1),
    ("keyed", "never", 1),
    ("queue", "admitted", 2),
    ("queue", "cancelled", 1),
    ("queue", "queue_full", 1),
    ("queue", "timeout", 1),
    ("trial", "admitted", 1),
    ("trial", "exempt", 1),
    ("trial", "shadow_denied", 2),
];

type Line = Queue<TokenBucket, TokioClock, TokioTimer>;

fn layer(queue: &Arc<Line>) -> RateLimitLayer {
    let key = KeyBy::header(HeaderName::from_static("x-key"));
    let away = Arc::new(Limiter::token_bucket(Quota::per_second(1)));
    RateLimitLayer::all([
        Policy::per_key(Quota::per_day(3), 100, key.clone())
            .named("keyed")
            .only_if(|parts| parts.uri.path() == "/keyed")
            .exempt(|parts| parts.method == "HEAD")
            .cost(|parts| if parts.method == "PUT" { 9 } else { 1 }),
        Policy::per_key(Quota::per_day(1), 100, key)
            .named("trial")
            .only_if(|parts| {
                parts.uri.path() == "/keyed" && parts.method != "HEAD"
                    || parts.uri.path() == "/free"
            })
            .missing_key(MissingKey::Exempt)
            .shadow(),
        Policy::over_queue(Arc::clone(queue), Quota::per_second(1), Duration::from_secs(3))
            .named("queue")
            .only_if(|parts| parts.uri.path() == "/queue"),
        Policy::over_awaited(away, Quota::per_second(1), |away, n| async move {
            let denied = Denied::new(n, away.peek(), Some(Duration::from_secs(1)));
            Err::<Admitted, _>(denied.unavailable())
        })
        .named("fleet")
        .only_if(|parts| parts.uri.path() == "/fleet"),
    ])
}

fn request(method: &str, path: &str, key: Option<&str>) -> Request<()> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(key) = key {
        request = request.header("x-key", key);
    }
    request.body(()).unwrap()
}

/// Requests with every outcome that there is, on tokio's paused time. Runs `between` while one of them waits.
async fn story<O: Observer + Send + Sync + 'static>(observer: O, between: impl FnOnce()) {
    let limiter = Limiter::token_bucket(Quota::per_second(1)).with_clock(TokioClock::new());
    let queue = Arc::new(Queue::with_timer(limiter, TokioTimer).most_waiting(1));
    let serve = |_: Request<()>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(bytes::Bytes::new())))
    };
    let service = layer(&queue).observer(observer).layer(service_fn(serve));
    let ask = |method, path, key| {
        let response = service.clone().oneshot(request(method, path, key));
        async { response.await.unwrap().status().as_u16() }
    };

    for status in [200, 200, 200, 429, 429] {
        assert_eq!(ask("GET", "/keyed", Some("secret")).await, status);
    }
    assert_eq!(ask("HEAD", "/keyed", Some("secret")).await, 200);
    assert_eq!(ask("PUT", "/keyed", Some("secret")).await, 429);
    assert_eq!(ask("GET", "/keyed", None).await, 500);
    assert_eq!(ask("GET", "/free", None).await, 200);
    assert_eq!(ask("GET", "/fleet", None).await, 503);

    assert_eq!(ask("GET", "/queue", None).await, 200);
    let waits = tokio::spawn(ask("GET", "/queue", None));
    tokio::task::yield_now().await;
    assert_eq!(ask("GET", "/queue", None).await, 429);
    between();
    assert_eq!(waits.await.unwrap(), 200);
    let dropped = ask("GET", "/queue", None);
    assert!(tokio::time::timeout(Duration::from_millis(500), dropped).await.is_err());
    queue.limiter().charge(5);
    assert_eq!(ask("GET", "/queue", None).await, 429);
}

/// Every outcome is in the story.
#[test]
fn the_story_has_every_outcome() {
    let told: BTreeSet<_> = TOLD.iter().map(|(_, result, _)| *result).collect();
    assert_eq!(told, Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect());
}

#[derive(Default)]
struct Counts {
    counts: Mutex<BTreeMap<(String, &'static str), u64>>,
    waits: Mutex<u64>,
    waited: Mutex<u64>,
    keys: Mutex<BTreeSet<u64>>,
}

impl Observer for Counts {
    fn observe(&self, event: &Event<'_>) {
        let policy = event.policy().to_string();
        *self.counts.lock().unwrap().entry((policy, event.outcome().as_str())).or_default() += 1;
        self.keys.lock().unwrap().extend(event.key_hash());
    }

    fn waits(&self, policy: &Name) {
        assert_eq!(policy.as_str(), "queue");
        *self.waits.lock().unwrap() += 1;
    }

    fn waited(&self, policy: &Name, _: Duration) {
        assert_eq!(policy.as_str(), "queue");
        *self.waited.lock().unwrap() += 1;
    }
}

fn told() -> BTreeMap<(String, &'static str), u64> {
    TOLD.iter().map(|&(policy, result, count)| ((policy.to_owned(), result), count)).collect()
}

#[tokio::test(start_paused = true)]
async fn each_policy_tells_each_request_once() {
    let counts = Arc::new(Counts::default());
    story(((), (Some(Arc::clone(&counts)), None::<Metrics>)), || {}).await;
    assert_eq!(*counts.counts.lock().unwrap(), told());
    // Two waited: one was admitted and one dropped.
    assert_eq!((*counts.waits.lock().unwrap(), *counts.waited.lock().unwrap()), (2, 2));
    // One key, which each of the two policies knows by another number.
    assert_eq!(counts.keys.lock().unwrap().len(), 2);
}

/// envoyproxy/ratelimit #1132: never the key as a label.
#[test]
fn metrics_count_by_policy_and_result() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let waiting = Mutex::new(None);
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(story(Metrics::new(), || {
            *waiting.lock().unwrap() = Some(snapshotter.snapshot().into_vec());
        }));
        let policy = Policy::per_client(Quota::per_day(1), 100).named("of keys");
        Metrics::new().keys(&policy);
    });
    let gauges = |all: Vec<(CompositeKey, _, _, DebugValue)>| {
        all.into_iter().find_map(|(key, _, _, value)| match value {
            DebugValue::Gauge(waiting) if key.key().name() == "casgate.waiting" => Some(waiting.0),
            _ => None,
        })
    };
    // A snapshot takes the values away, so the second one has what came after the first.
    let during = waiting.into_inner().unwrap().unwrap();
    let after = snapshotter.snapshot().into_vec();
    let (mut counts, mut waits, mut keys) = (BTreeMap::new(), 0, BTreeSet::new());
    for (key, _, _, value) in during.iter().chain(&after) {
        let labels: BTreeMap<_, _> =
            key.key().labels().map(|label| (label.key(), label.value())).collect();
        assert!(labels.keys().all(|name| ["policy", "result"].contains(name)), "{labels:?}");
        match (key.key().name(), value) {
            ("casgate.requests", DebugValue::Counter(count)) => {
                *counts
                    .entry((labels["policy"].to_owned(), labels["result"].to_owned()))
                    .or_insert(0) += count;
            }
            ("casgate.wait.duration", DebugValue::Histogram(values)) => waits += values.len(),
            ("casgate.waiting", DebugValue::Gauge(_)) => {}
            (name, DebugValue::Counter(0)) => {
                keys.insert(name.to_owned());
            }
            other => panic!("{other:?}"),
        }
    }
    let told =
        told().into_iter().map(|((policy, result), count)| ((policy, result.to_owned()), count));
    assert_eq!(counts, told.collect());
    assert_eq!(waits, 2);
    assert_eq!((gauges(during), gauges(after)), (Some(1.0), Some(-1.0)));
    let names = ["casgate.keys.denied", "casgate.keys.evicted", "casgate.keys.inserted"];
    assert_eq!(keys, names.map(str::to_owned).into());
}

/// `Metrics::keys`: "Counters never fall", so a new limiter of the same name is not counted before it exceeds the old one.
#[test]
fn the_keys_of_a_new_limiter_are_counted_when_they_exceed_the_old_ones() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let policy = |keys: u32| {
        let limiter = Arc::new(KeyedLimiter::token_bucket(Quota::per_day(1), 100));
        assert!((0..keys).all(|key| limiter.is_allowed(&key)));
        Policy::over_keyed(limiter, Quota::per_day(1), KeyBy::new(|_| Some(0)))
    };
    let metrics = metrics::with_local_recorder(&recorder, Metrics::new);
    for keys in [2, 1, 2] {
        metrics::with_local_recorder(&recorder, || metrics.keys(&policy(keys)));
    }
    let all = snapshotter.snapshot().into_vec();
    let inserted = all.iter().find(|(key, ..)| key.key().name() == "casgate.keys.inserted");
    assert_eq!(inserted.unwrap().3, DebugValue::Counter(2));
}

#[test]
fn opentelemetry_counts_by_policy_and_result() {
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    let meter = provider.meter("test");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(story(OpenTelemetry::new(&meter), || {}));
    let policy = Policy::per_client(Quota::per_day(1), 100).named("of keys");
    OpenTelemetry::watch_keys(&meter, [policy, Policy::global(Quota::per_day(1)).named("no keys")]);
    provider.force_flush().unwrap();

    let (mut counts, mut names) = (BTreeMap::new(), BTreeSet::new());
    for resource in exporter.get_finished_metrics().unwrap() {
        for metric in resource.scope_metrics().flat_map(|scope| scope.metrics()) {
            names.insert(metric.name().to_owned());
            if let AggregatedMetrics::F64(MetricData::Histogram(waits)) = metric.data() {
                assert_eq!(waits.data_points().map(|point| point.count()).sum::<u64>(), 2);
            }
            let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() else { continue };
            if metric.name() != "casgate.requests" {
                continue;
            }
            for point in sum.data_points() {
                let labels: BTreeMap<_, _> = point
                    .attributes()
                    .map(|pair| (pair.key.to_string(), pair.value.to_string()))
                    .collect();
                assert_eq!(labels.len(), 2);
                counts.insert((labels["policy"].clone(), labels["result"].clone()), point.value());
            }
        }
    }
    let told =
        told().into_iter().map(|((policy, result), count)| ((policy, result.to_owned()), count));
    assert_eq!(counts, told.collect());
    let all =
        ["requests", "wait.duration", "waiting", "keys.denied", "keys.evicted", "keys.inserted"];
    assert_eq!(names, all.map(|name| format!("casgate.{name}")).into());
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One line for each policy and outcome, however many requests; no key, and nobody admitted.
/// What is written meanwhile.
fn written(act: impl FnOnce()) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, act);
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

/// `Tracing`: "or `INFO` if the policy is in shadow for the request". Also for one without a key, which passes.
#[test]
fn a_request_without_a_key_is_no_warning_of_a_policy_in_shadow() {
    for (percent, level) in [(0, "INFO"), (99, "INFO"), (100, "WARN")] {
        let key = KeyBy::header(HeaderName::from_static("x-key"));
        let policy = Policy::per_key(Quota::per_day(1), 100, key).enforce(percent);
        let layer = RateLimitLayer::new(policy).observer(Tracing::new());
        let mut service = layer.layer(service_fn(|_: Request<()>| async {
            Ok::<_, Infallible>(Response::new(Bytes::new()))
        }));
        let text = written(|| drop(service.call(Request::new(()))));
        assert!(
            text.contains("result=\"missing_key\"") && text.contains(level),
            "{percent}: {text}"
        );
    }
}

#[test]
fn tracing_writes_seldom() {
    let text = written(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(story(Tracing::at_most(Quota::per_day(1)), || {}));
    });
    let line = |result: &str| {
        let found: Vec<_> =
            text.lines().filter(|line| line.contains(&format!("result=\"{result}\""))).collect();
        let [line] = found[..] else { panic!("{result}: {found:?}") };
        line
    };
    assert_eq!(text.lines().count(), 7, "{text}");
    for result in ["denied", "never", "missing_key", "queue_full", "timeout", "unavailable"] {
        assert!(line(result).contains("WARN"), "{}", line(result));
    }
    assert!(
        line("shadow_denied").contains("INFO")
            && line("shadow_denied").contains("policy=\"trial\"")
    );
    assert!(line("denied").contains("key=") && !line("missing_key").contains("key="));
    assert!(!text.contains("secret"), "{text}");
    // The second of the denied and of those in shadow.
    let unwritten = text
        .lines()
        .filter_map(|line| line.split("unwritten=").nth(1)?.chars().next()?.to_digit(10));
    assert_eq!(unwritten.sum::<u32>(), 2, "{text}");
}
