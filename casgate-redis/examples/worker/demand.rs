use std::str::FromStr;
use std::time::Duration;

/// How many permits a process asks for by when: an open loop.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Demand {
    /// Rates per second, each until an instant. `None`: as fast as it can.
    steps: Vec<(Option<f64>, Duration)>,
}

impl Demand {
    /// The permits that one of so many threads has asked for when `elapsed` is over.
    pub(crate) fn by(&self, elapsed: Duration, thread: u32, threads: u32) -> u64 {
        let mut from = Duration::ZERO;
        let mut sum = 0.0;
        for &(rate, until) in &self.steps {
            let span = until.min(elapsed).saturating_sub(from);
            match rate {
                Some(rate) => sum += rate * span.as_secs_f64(),
                None if from <= elapsed && elapsed < until => return u64::MAX,
                None => {}
            }
            from = until;
        }
        // The threads take turns.
        (sum as u64 + u64::from(threads - 1 - thread)) / u64::from(threads)
    }
}

impl FromStr for Demand {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        for step in text.split(',') {
            let (rate, until) = match step.split_once('@') {
                Some((rate, millis)) => {
                    let millis =
                        millis.parse().map_err(|_| format!("not milliseconds: {millis}"))?;
                    (rate, Duration::from_millis(millis))
                }
                None => (step, Duration::MAX),
            };
            let rate = match rate {
                "max" => None,
                _ => Some(rate.parse().map_err(|_| format!("not a rate: {rate}"))?),
            };
            if rate.is_some_and(|rate: f64| !rate.is_finite() || rate < 0.0) {
                return Err(format!("not a rate: {step}"));
            }
            steps.push((rate, until));
        }
        if steps.is_sorted_by_key(|step| step.1)
            && steps.last().is_some_and(|s| s.1 == Duration::MAX)
        {
            Ok(Self { steps })
        } else {
            Err("the milliseconds must rise, and the last rate has none".to_owned())
        }
    }
}
