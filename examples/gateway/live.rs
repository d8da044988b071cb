//! The policies of the moment, and what the configuration says of them.

use casgate::Quota;
use casgate_tower::config::{Config, Keys, Policies, PolicyConfig, SetQuotaError};
use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The policies of the demo, and of a gateway without `--config`.
pub(crate) const BUILT_IN: &str = include_str!("policies.toml");

/// The policies, which the file and the page change.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) policies: Policies,
    source: Mutex<Source>,
}

#[derive(Debug)]
struct Source {
    config: Config,
    /// Why the file as it is now was not taken.
    problem: Option<String>,
}

impl Live {
    /// Makes the policies of a configuration in TOML.
    pub(crate) fn new(text: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let config: Config = toml::from_str(text)?;
        let policies = Policies::new(config.clone(), Keys::new())?;
        Ok(Self { policies, source: Mutex::new(Source { config, problem: None }) })
    }

    /// Replaces the policies by those of another configuration. If it has a mistake, the old ones hold, and the
    /// [problem](Self::problem) says why.
    pub(crate) fn reload(&self, text: &str) {
        let mut source = self.source();
        let read = toml::from_str(text).map_err(|error| error.to_string());
        let outcome = read.and_then(|config: Config| {
            self.policies.reload(config.clone()).map_err(|error| error.to_string())?;
            Ok(config)
        });
        match outcome {
            Ok(config) => *source = Source { config, problem: None },
            Err(problem) => source.problem = Some(problem),
        }
    }

    /// Reports that the file cannot be read.
    pub(crate) fn report(&self, problem: String) {
        self.source().problem = Some(problem);
    }

    pub(crate) fn problem(&self) -> Option<String> {
        self.source().problem.clone()
    }

    /// Changes one policy's quota until the file changes.
    pub(crate) fn set_quota(&self, name: &str, quota: Quota) -> Result<(), SetQuotaError> {
        self.policies.set_quota(name, quota)
    }

    /// What the configuration says of the policy of that name.
    pub(crate) fn config(&self, name: &str) -> Option<PolicyConfig> {
        let source = self.source();
        source.config.policies.iter().find(|policy| policy.name == name).cloned()
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
