//! What the page is told twice a second.

use crate::live::Live;
use crate::tally::Tally;
use casgate_tower::Policy;
use casgate_tower::config::PolicyConfig;
use serde::Serialize;
use std::time::Duration;

/// How many denied keys are told of each policy.
const KEYS: usize = 4;

/// The state of the gateway at one time.
#[derive(Debug, Serialize)]
pub(crate) struct Tick {
    /// Milliseconds since the gateway has started.
    at: u64,
    problem: Option<String>,
    policies: Vec<Row>,
}

/// One policy. The counts are those since the start.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    scope: String,
    enforced: u8,
    quota: String,
    permits: u32,
    burst: u32,
    /// The period in the quota's text, such as `"10s"`.
    period: String,
    /// What the quota lets through in a second; only of a limit for all together.
    ceiling: Option<f64>,
    admitted: u64,
    denied: u64,
    shadow: u64,
    /// In hexadecimal, with counts.
    keys: Vec<(String, u64)>,
}

impl Tick {
    pub(crate) fn new(at: Duration, live: &Live, tally: &Tally) -> Self {
        // A policy may go between the two: then it is left out.
        let names = live.policies.names();
        let policies = names.iter().filter_map(|name| live.policies.get(name.as_str()));
        let at = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        let rows = policies.map(|policy| Row::new(&policy, live, tally)).collect();
        Self { at, problem: live.problem(), policies: rows }
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("it is made of texts and numbers")
    }
}

impl Row {
    fn new(policy: &Policy, live: &Live, tally: &Tally) -> Self {
        let (name, quota) = (policy.name(), policy.quota());
        let counts = tally.counts(name, KEYS);
        let config = live.config(name.as_str());
        let text = quota.to_string();
        let period = text.split_whitespace().next().and_then(|rate| rate.split_once('/'));
        let is_for_all = config.as_ref().is_some_and(|config| config.key.is_none());
        Self {
            name: name.to_string(),
            scope: config.as_ref().map(scope).unwrap_or_default(),
            enforced: config.map_or(100, |config| config.enforce),
            permits: quota.permits(),
            burst: quota.burst(),
            period: period.map(|(_, period)| period.to_owned()).unwrap_or_default(),
            ceiling: is_for_all.then(|| f64::from(quota.permits()) / quota.period().as_secs_f64()),
            admitted: counts.admitted,
            denied: counts.denied,
            shadow: counts.shadow_denied,
            keys: counts.denied_keys.iter().map(|(key, n)| (format!("{key:016x}"), *n)).collect(),
            quota: text,
        }
    }
}

/// Whom the policy is for, in words.
fn scope(config: &PolicyConfig) -> String {
    let whom = match config.key.as_deref() {
        None => "all together".to_owned(),
        Some(key) => match key.strip_prefix("header:") {
            Some(header) => format!("per {header}"),
            None => format!("per {key}"),
        },
    };
    let methods = config.methods.join(" ");
    let what = [methods, config.paths.join(" ")].join(" ");
    match what.trim() {
        "" => whom,
        what => format!("{whom}, {what}"),
    }
}
