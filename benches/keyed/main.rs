//! A limit for each key, beside what people would otherwise take, each asserted to admit what it is timed for.
//!
//! `cargo bench --bench keyed` prints tables in which the variants have taken turns: keys that are known, keys that
//! come for the first time, known keys during a flood, and the memory of each. Words behind `--` choose tables:
//! `known`, `new`, `flood`; and `quick` leaves out what is not in the README.

#[path = "../ticking/mod.rs"]
mod ticking;
#[path = "../together/mod.rs"]
mod together;

use casgate::algorithm::Rule;
use casgate::clock::{Clock, Precise, SystemClock};
use casgate::word::Word;
use casgate::{KeyedLimiter, Quota, TokenBucket};
use dashmap::DashMap;
use governor::clock::{DefaultClock, QuantaInstant};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Zipf};
use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hash, RandomState};
use std::hint::black_box;
use std::net::Ipv6Addr;
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use ticking::{COARSE, Ticking, UPKEEP};
use together::{BATCH, together};

const ROUNDS: usize = 7;
const RUN: Duration = Duration::from_millis(15);
const THREADS: [usize; 3] = [1, 2, 4];

/// Enough that every call is admitted.
const FAST: Quota = Quota::per_second(1_000_000).with_burst(1 << 31);

/// Slow enough that what came once still owes something when the next hundred thousand have come.
const SLOW: Quota = Quota::per_second(10).with_burst(100_000);

trait Key: Hash + Eq + Clone + Debug + Send + Sync + 'static {
    const NAME: &'static str;
    fn number(n: u64) -> Self;
    fn rate_net(&self) -> rate_net::Key;
}

impl Key for u64 {
    const NAME: &'static str = "u64";
    fn number(n: u64) -> Self {
        n
    }
    fn rate_net(&self) -> rate_net::Key {
        (*self).into()
    }
}

impl Key for Ipv6Addr {
    const NAME: &'static str = "IPv6";
    fn number(n: u64) -> Self {
        Self::from_bits(0x2001_0db8 << 96 | u128::from(n) << 64)
    }
    fn rate_net(&self) -> rate_net::Key {
        std::net::IpAddr::from(*self).into()
    }
}

impl Key for String {
    const NAME: &'static str = "40 bytes";
    fn number(n: u64) -> Self {
        format!("tenant-{n:033}")
    }
    fn rate_net(&self) -> rate_net::Key {
        self.as_str().into()
    }
}

/// Asks for each of the keys; how many were admitted?
type Ask<K> = Box<dyn Fn(&[K]) -> usize + Send + Sync>;

fn ask<K>(check: impl Fn(&K) -> bool + Send + Sync + 'static) -> Ask<K> {
    Box::new(move |keys| keys.iter().filter(|key| check(key)).count())
}

/// Made for that many keys with that quota.
type Variant<K> = (&'static str, fn(usize, Quota) -> Ask<K>);

fn governor<K: Key>(
    quota: Quota,
    clock: impl governor::clock::Clock<Instant = QuantaInstant> + Send + Sync + 'static,
) -> Ask<K> {
    let [permits, burst] = [quota.permits(), quota.burst()].map(NonZeroU32::new);
    let quota =
        governor::Quota::per_second(permits.expect("not 0")).allow_burst(burst.expect("not 0"));
    let keyed = governor::RateLimiter::dashmap_with_clock(quota, clock);
    ask(move |key: &K| keyed.check_key(key).is_ok())
}

fn rate_net(capacity: usize, quota: Quota) -> rate_net::Builder {
    rate_net::RateLimiter::builder()
        .algorithm(rate_net::Algorithm::TokenBucket)
        .quota(quota.permits(), Duration::from_secs(1))
        .burst(quota.burst())
        .eviction(rate_net::Eviction::capacity(2 * capacity))
}

fn variants<K: Key>() -> Vec<Variant<K>> {
    vec![
        ("casgate", |capacity, quota| {
            let keyed = KeyedLimiter::token_bucket(quota, capacity);
            ask(move |key: &K| keyed.is_allowed(key))
        }),
        ("casgate, precise clock", |capacity, quota| {
            let keyed = KeyedLimiter::token_bucket(quota, capacity);
            let keyed = keyed.with_clock(Precise(SystemClock));
            ask(move |key: &K| keyed.is_allowed(key))
        }),
        ("casgate, cached clock", |capacity, quota| {
            let keyed = KeyedLimiter::token_bucket(quota, capacity);
            let keyed = keyed.with_clock(Ticking::start());
            ask(move |key: &K| keyed.is_allowed(key))
        }),
        ("casgate, time given", |capacity, quota| {
            let keyed = KeyedLimiter::token_bucket(quota, capacity);
            let now = SystemClock.now();
            ask(move |key: &K| keyed.is_allowed_at(key, black_box(now)))
        }),
        ("casgate, 64 together", |capacity, quota| {
            let keyed = KeyedLimiter::token_bucket(quota, capacity);
            Box::new(move |keys: &[K]| {
                let mut admitted = 0;
                keyed.check_many(keys, |_, answer| admitted += usize::from(answer.is_ok()));
                admitted
            })
        }),
        ("governor (DashMap)", |_, quota| governor(quota, DefaultClock::default())),
        ("governor, upkeep clock", |_, quota| governor(quota, UPKEEP.clone())),
        ("rate-net", |capacity, quota| {
            let keyed = rate_net(capacity, quota).build();
            ask(move |key: &K| keyed.check(key.rate_net()).is_allow())
        }),
        ("rate-net, coarse clock", |capacity, quota| {
            let keyed = rate_net(capacity, quota).clock(COARSE.clone()).build();
            ask(move |key: &K| keyed.check(key.rate_net()).is_allow())
        }),
        ("HashMap behind a mutex", |_, quota| {
            let (rule, map) = (TokenBucket::new(quota), Mutex::new(HashMap::<K, Word>::new()));
            ask(move |key: &K| {
                let now = SystemClock.recent();
                let mut map = map.lock().expect("nobody panics");
                let decided = match map.get_mut(key) {
                    Some(word) => rule.decide(*word, 1, now).map(|next| *word = next),
                    None => rule.decide(Word::default(), 1, now).map(|next| {
                        map.insert(key.clone(), next);
                    }),
                };
                decided.is_some()
            })
        }),
        ("DashMap, our word", |_, quota| {
            let (rule, map) = (TokenBucket::new(quota), DashMap::<K, AtomicU64>::new());
            ask(move |key: &K| {
                let now = SystemClock.recent();
                let step = |bits| rule.decide(Word::from_bits(bits), 1, now).map(Word::bits);
                let decide = |word: &AtomicU64| word.fetch_update(Relaxed, Relaxed, step).is_ok();
                match map.get(key) {
                    Some(word) => decide(&word),
                    None => decide(&map.entry(key.clone()).or_default()),
                }
            })
        }),
        ("floor: hash, fetch_add", |capacity, _| {
            // As many words as casgate has; one that several keys share is no matter here.
            let words = (0..capacity + capacity / 2).map(|_| AtomicU64::new(0));
            let (hasher, words) = (RandomState::new(), words.collect::<Box<[_]>>());
            ask(move |key: &K| {
                let at = (u128::from(hasher.hash_one(key)) * words.len() as u128) >> 64;
                words[at as usize].fetch_add(1, Relaxed) < u64::MAX
            })
        }),
    ]
}

/// Asks for those that are asked, in their order, from one place to another.
type Part = Box<dyn Fn(Range<usize>) -> usize + Send + Sync>;

/// Each thread goes through `asked` from a place of its own.
fn ns_per_call(ask: &Part, asked: usize, threads: usize) -> f64 {
    let batch = BATCH as usize;
    let batches = asked / batch;
    let outcome = together(threads, RUN, |i| {
        let mut next = i * batches / threads;
        move |_| {
            let from = next % batches * batch;
            next += 1;
            ask(from..from + batch) as u64
        }
    });
    assert_eq!(outcome.admitted, outcome.calls, "all are admitted");
    outcome.ns_per_call
}

fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn header(title: &str, columns: &[String]) {
    println!("\n{title}\n");
    print!("| {:<26} |", "");
    columns.iter().for_each(|column| print!(" {column:>15} |"));
    print!("\n|-{:-<26}-|", "");
    columns.iter().for_each(|_| print!("-{:->15}:|", ""));
    println!();
}

/// ns, and the ratio to the first row.
fn rows(names: &[&str], columns: &[Vec<f64>]) {
    for (i, name) in names.iter().enumerate() {
        print!("| {name:<26} |");
        columns.iter().for_each(|ns| print!(" {:>7.1} ({:>4.1}x) |", ns[i], ns[i] / ns[0]));
        println!();
    }
}

fn known<K: Key>(count: u32, zipf: bool) {
    let keys: Vec<K> = (0..u64::from(count)).map(K::number).collect();
    let mut random = SmallRng::seed_from_u64(1);
    let law = Zipf::new(f64::from(count), 1.0).expect("a valid law");
    let mut next = || match zipf {
        true => law.sample(&mut random) as u32 - 1,
        false => random.random_range(0..count),
    };
    // The keys themselves in the order asked, so that finding them costs no miss.
    let asked: Arc<[K]> = (0..1 << 20).map(|_| keys[next() as usize].clone()).collect();
    let mut filled: Vec<(&str, Part)> = variants::<K>()
        .into_iter()
        .map(|(name, new)| {
            let ask = new(count as usize, FAST);
            assert_eq!(ask(&keys), count as usize);
            let asked = asked.clone();
            (name, Box::new(move |part: Range<usize>| ask(&asked[part])) as Part)
        })
        .collect();
    let keyed = KeyedLimiter::token_bucket(FAST, count as usize);
    assert!(keys.iter().all(|key| keyed.is_allowed(key)));
    let places: Vec<_> = asked.iter().map(|key| keyed.locate(key)).collect();
    let at_places = move |part: Range<usize>| {
        places[part].iter().filter(|&&place| keyed.at(place).is_allowed()).count()
    };
    filled.insert(4, ("casgate, places kept", Box::new(at_places)));
    let columns = THREADS.map(|threads| {
        let mut samples = vec![Vec::new(); filled.len()];
        for round in 0..ROUNDS {
            for turn in 0..filled.len() {
                let i = (round + turn) % filled.len(); // nobody is always first
                samples[i].push(ns_per_call(&filled[i].1, asked.len(), threads));
            }
        }
        samples.iter_mut().map(|samples| median(samples)).collect()
    });
    let law = if zipf { "Zipf" } else { "uniform" };
    let title = format!("{count} known keys, {}, {law}: ns a call, all threads together", K::NAME);
    header(&title, &THREADS.map(|n| format!("{n} thr")));
    rows(&filled.iter().map(|v| v.0).collect::<Vec<_>>(), &columns);
}

/// Each key for the first time; those before it still owe something.
fn new_keys<K: Key>(count: u32) {
    let keys: Vec<K> = (0..u64::from(count)).map(K::number).collect();
    let variants = variants::<K>();
    let fill = |ask: &Ask<K>, threads: usize| {
        let start = Instant::now();
        let admitted: usize = std::thread::scope(|scope| {
            let (mine, others) = keys.split_at(count as usize / threads);
            let others = others.chunks(mine.len()).map(|part| scope.spawn(|| ask(part)));
            let others: Vec<_> = others.collect();
            ask(mine) + others.into_iter().map(|t| t.join().expect("a part")).sum::<usize>()
        });
        assert_eq!(admitted, count as usize);
        start.elapsed().as_nanos() as f64 / f64::from(count)
    };
    let mut samples = THREADS.map(|_| vec![Vec::new(); variants.len()]);
    let mut bytes = vec![0.0; variants.len()];
    for round in 0..ROUNDS {
        for turn in 0..variants.len() {
            let i = (round + turn) % variants.len();
            for (threads, samples) in THREADS.iter().zip(&mut samples) {
                let mut kept = None;
                // Of this thread alone, so only a single one is measured.
                let memory = allocation_counter::measure(|| {
                    let ask = (variants[i].1)(count as usize, SLOW);
                    samples[i].push(fill(&ask, *threads));
                    kept = Some(ask);
                });
                if *threads == 1 {
                    bytes[i] = memory.bytes_current as f64 / f64::from(count);
                }
            }
        }
    }
    let title =
        format!("{count} new keys, {}: ns a call, all threads together; bytes a key", K::NAME);
    let threads = THREADS.map(|n| format!("{n} thr"));
    header(&title, &[&threads[..], &["bytes".to_owned()]].concat());
    let ns = samples.iter_mut().map(|column| column.iter_mut().map(|ns| median(ns)).collect());
    rows(&variants.iter().map(|v| v.0).collect::<Vec<_>>(), &ns.chain([bytes]).collect::<Vec<_>>());
}

/// A hundred known keys that stay within their quota, before and while another thread brings a hundred times as many
/// distinct keys as there is room for; what one of those costs, and what memory they leave taken.
fn flood() {
    const ROOM: usize = 100_000;
    const PARTS: usize = 100;
    const REPEAT: usize = 100;
    const PAUSE: Duration = Duration::from_millis(40);
    let known: Vec<u64> = (0..100).map(|i| u64::MAX - i).collect();
    let variants = variants::<u64>();
    let mut columns = [const { Vec::new() }; 4];
    for (_, new) in &variants {
        let ask = new(ROOM, SLOW);
        let hot = || {
            let start = Instant::now();
            assert!((0..REPEAT).all(|_| ask(&known) == known.len()), "within the quota");
            start.elapsed().as_nanos() as f64 / (REPEAT * known.len()) as f64
        };
        let mut before: Vec<f64> = (0..31).map(|_| hot()).collect();
        let flood = || {
            let mut ns = Vec::with_capacity(PARTS);
            let memory = allocation_counter::measure(|| {
                for part in 0..PARTS {
                    let keys: Vec<u64> = (part * ROOM..).map(|key| key as u64).take(ROOM).collect();
                    let start = Instant::now();
                    let _ = ask(&keys); // in a full table some are denied
                    ns.push(start.elapsed().as_nanos() as f64 / ROOM as f64);
                }
            });
            (median(&mut ns), memory.bytes_current as f64 / 1e6)
        };
        let (mut during, (distinct, grown)) = std::thread::scope(|scope| {
            let flood = scope.spawn(flood);
            let mut during = Vec::new();
            while !flood.is_finished() {
                std::thread::sleep(PAUSE);
                during.push(hot());
            }
            (during, flood.join().expect("the flood failed"))
        });
        let row = [median(&mut before), median(&mut during), distinct, grown];
        columns.iter_mut().zip(row).for_each(|(column, x)| column.push(x));
    }
    println!("\n10,000,000 distinct keys through room for 100,000: ns a call, MB allocated\n");
    println!("|{:28}| known, before | known, during | a new key | grown by, MB |", "");
    println!("|-{:-<26}-|--------------:|--------------:|----------:|-------------:|", "");
    for (i, (name, _)) in variants.iter().enumerate() {
        let [before, during, distinct, grown] = columns.each_ref().map(|column| column[i]);
        println!(
            "| {name:<26} | {before:>13.1} | {during:>13.1} | {distinct:>9.1} | {grown:>12.1} |"
        );
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if has("--test") || has("--list") {
        return;
    }
    let all = !(has("known") || has("new") || has("flood"));
    if all || has("known") {
        for count in [10_000, 1_000_000] {
            known::<u64>(count, false);
            known::<Ipv6Addr>(count, false);
            if !has("quick") {
                known::<String>(count, false);
                known::<u64>(count, true);
                known::<String>(count, true);
            }
        }
    }
    if all || has("new") {
        new_keys::<u64>(1_000_000);
        new_keys::<String>(1_000_000);
    }
    if all || has("flood") {
        flood();
    }
}
