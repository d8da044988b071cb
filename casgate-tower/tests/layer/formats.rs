//! A configuration in each format.

use super::configs::config;
use casgate_tower::config::{Config, Keys, Policies};
use std::error::Error;

const TOML: &str = r#"
    [client]
    hops = 2
    header = "x-forwarded-for"
    ipv6_prefix = 56
    [[policies]]
    name = "a"
    quota = "100/min burst 20"
    [[policies]]
    name = "b"
    quota = "5/h"
    key = "header:x-key"
    capacity = 7
    algorithm = "fixed_window"
    paths = ["/a", "/files/{*name}"]
    methods = ["PUT"]
    cost = 2
    refund_on = [304]
    missing_key = "shared"
    enforce = 10
    [[policies]]
    name = "c"
    quota = { permits = 3, period = "500ms", burst = 4 }
"#;

const YAML: &str = r#"
client:
  hops: 2
  header: x-forwarded-for
  ipv6_prefix: 56
policies:
  - name: a
    quota: 100/min burst 20
  - name: b
    quota: 5/h
    key: header:x-key
    capacity: 7
    algorithm: fixed_window
    paths: [/a, "/files/{*name}"]
    methods: [PUT]
    cost: 2
    refund_on: [304]
    missing_key: shared
    enforce: 10
  - name: c
    quota: {permits: 3, period: 500ms, burst: 4}
"#;

const JSON: &str = r#"{
    "client": {"hops": 2, "header": "x-forwarded-for", "ipv6_prefix": 56},
    "policies": [
        {"name": "a", "quota": "100/min burst 20"},
        {"name": "b", "quota": "5/h", "key": "header:x-key", "capacity": 7,
         "algorithm": "fixed_window", "paths": ["/a", "/files/{*name}"], "methods": ["PUT"], "cost": 2,
         "refund_on": [304], "missing_key": "shared", "enforce": 10},
        {"name": "c", "quota": {"permits": 3, "period": "500ms", "burst": 4}}
    ]
}"#;

fn yaml(text: &str) -> Result<Config, yaml_serde::Error> {
    yaml_serde::from_str(text)
}

/// One configuration in TOML, YAML and JSON, and back again. Its policies are the same.
#[test]
fn a_configuration_is_the_same_in_every_format() -> Result<(), Box<dyn Error>> {
    let toml = config(TOML);
    let policies = |config: &Config| Policies::new(config.clone(), Keys::new());
    let made = format!("{:?}", policies(&toml)?);
    for other in [
        yaml(YAML)?,
        serde_json::from_str(JSON)?,
        yaml(JSON)?, // which is YAML too
        yaml(&yaml_serde::to_string(&toml)?)?,
        serde_json::from_str(&serde_json::to_string(&toml)?)?,
    ] {
        assert_eq!(other, toml);
        assert_eq!(format!("{:?}", policies(&other)?), made);
    }
    Ok(())
}

/// What YAML reads otherwise than its writer meant is an error that names the field, or means the same.
#[test]
fn a_mistake_in_yaml_names_its_field() {
    // In place of the quota of the first policy, since a name and a quota are needed.
    let policy = |line: &str| YAML.replacen("quota: 100/min burst 20", line, 1);
    let and = |line: &str| policy(&format!("quota: 100/min\n    {line}"));
    let client = |line: &str| YAML.replacen("hops: 2", line, 1);
    for (text, named) in [
        (policy("quota: 100"), "policies[0].quota: invalid type: integer `100`, expected a quota"),
        (policy("quota: 0/min"), "policies[0].quota: a number cannot be zero"),
        (policy("quota: 1/fortnight"), "policies[0].quota: expected a unit of time"),
        (policy("quota: {permits: 3}"), "policies[0].quota: missing field `period`"),
        (policy("quota: {permits: -3, period: s}"), "policies[0].quota.permits: invalid type"),
        (policy("quota: {permits: 3, period: 0s}"), "policies[0].quota.period: a number cannot"),
        (
            policy("quota: {permits: 3, period: s, bust: 9}"),
            "policies[0].quota: unknown field `bust`",
        ),
        (policy("key: client"), "policies[0]: missing field `quota`"),
        (and("quota: 2/min"), "policies[0]: duplicate field `quota`"),
        (and("Key: client"), "policies[0]: unknown field `Key`"),
        (and("<<: {cost: 2}"), "policies[0]: unknown field `<<`"),
        (and("key: [client]"), "policies[0].key: invalid type: sequence"),
        (and("cost: -1"), "policies[0].cost: invalid type: integer `-1`"),
        (and("cost: 1.5"), "policies[0].cost: invalid type: floating point `1.5`"),
        (and("cost: .inf"), "policies[0].cost: invalid type: floating point `inf`"),
        (and("cost: 4294967296"), "policies[0].cost: invalid value: integer `4294967296`"),
        (and("cost: ~"), "policies[0].cost: invalid type: unit value"),
        (and("enforce: 010"), "policies[0].enforce: invalid type: string \"010\""),
        (and("enforce: 256"), "policies[0].enforce: invalid value: integer `256`"),
        (and("capacity: 1e6"), "policies[0].capacity: invalid type: floating point"),
        (and("capacity: 100_000"), "policies[0].capacity: invalid type: string \"100_000\""),
        (and("paths: /a"), "policies[0].paths: invalid type: string \"/a\""),
        (and("methods: [[PUT]]"), "policies[0].methods[0]: invalid type: sequence"),
        (
            and("refund_on: [304, 70000]"),
            "policies[0].refund_on[1]: invalid value: integer `70000`",
        ),
        (and("algorithm: leaky"), "policies[0].algorithm: unknown variant `leaky`"),
        (and("missing_key: no"), "policies[0].missing_key: unknown variant `no`"),
        (client("hop: 2"), "client: unknown field `hop`"),
        (client("hops: -2"), "client.hops: invalid type: integer `-2`"),
        (client("trusted: 10.0.0.0/8"), "client.trusted: invalid type: string"),
        (client("ipv6_prefix: 64"), "client: duplicate field `ipv6_prefix`"),
        (format!("{YAML}shadow: true"), "unknown field `shadow`"),
        (format!("{YAML}policies: []"), "duplicate field `policies`"),
        ("client: {}".to_owned(), "missing field `policies`"),
        (String::new(), "missing field `policies`"),
    ] {
        let error = yaml(&text).expect_err(named).to_string();
        assert!(error.starts_with(named), "{error}");
    }
    for same in ["cost: 0x1", "key: ~", "key: null", "paths: []", "capacity: 100000"] {
        assert_eq!(yaml(&and(same)).unwrap(), yaml(&policy("quota: 100/min")).unwrap(), "{same}");
    }
}
