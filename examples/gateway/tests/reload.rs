//! A file that changes.

use super::per_client;
use crate::file::PolicyFile;
use crate::live::{BUILT_IN, Live};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

struct Reload {
    _dir: TempDir,
    path: PathBuf,
    file: PolicyFile,
    live: Live,
}

impl Reload {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("policies.toml");
        fs::write(&path, text).unwrap();
        let file = PolicyFile::open(path.clone()).unwrap();
        let live = Live::new(file.text()).unwrap();
        Self { _dir: dir, path, file, live }
    }

    fn write(&mut self, text: &str) {
        fs::write(&self.path, text).unwrap();
        self.file.poll(&self.live);
    }

    fn quota(&self) -> String {
        self.live.policies.get("client").unwrap().quota().to_string()
    }
}

#[test]
fn a_new_text_holds() {
    let mut reload = Reload::new(&per_client("2/d"));
    reload.write(&per_client("7/min burst 3"));
    assert_eq!((reload.quota(), reload.live.problem()), ("7/min burst 3".to_owned(), None));
}

#[test]
fn a_file_with_a_mistake_is_reported_and_changes_nothing() {
    let mut reload = Reload::new(&per_client("2/d"));
    for (text, problem) in [
        ("policies = [", "TOML"),
        ("policies = []", "0 policies"),
        (&per_client("3/fortnight"), "unit of time"),
        (&format!("{}\nkeys = 'client'", per_client("3/d")), "unknown field"),
        (&format!("{}\npaths = ['/{{a']", per_client("3/d")), "\"client\""),
    ] {
        reload.write(text);
        let told = reload.live.problem().expect(text);
        assert!(told.contains(problem), "{problem}: {told}");
        assert_eq!(reload.quota(), "2/d", "{text}");
    }
    reload.write(&per_client("3/d"));
    assert_eq!((reload.quota(), reload.live.problem()), ("3/d".to_owned(), None));
}

#[test]
fn a_file_that_is_gone_changes_nothing() {
    let mut reload = Reload::new(&per_client("2/d"));
    fs::remove_file(&reload.path).unwrap();
    reload.file.poll(&reload.live);
    assert!(reload.live.problem().unwrap().contains("policies.toml"));
    assert_eq!(reload.quota(), "2/d");
    // The same text is back: the problem goes.
    reload.write(&per_client("2/d"));
    assert_eq!(reload.live.problem(), None);
}

#[test]
fn a_quota_of_the_page_holds_until_the_file_changes() {
    let mut reload = Reload::new(&per_client("2/d"));
    reload.live.set_quota("client", "9/d".parse().unwrap()).unwrap();
    reload.file.poll(&reload.live);
    assert_eq!(reload.quota(), "9/d");
    reload.write(&format!("{}# changed", per_client("2/d")));
    assert_eq!(reload.quota(), "2/d");
}

#[test]
fn a_gateway_does_not_start_with_a_bad_file() {
    assert!(Live::new("policies = []").is_err());
    let missing = PolicyFile::open("/there is/no such file".into()).unwrap_err();
    assert!(missing.contains("no such file"), "{missing}");
    assert!(Live::new(BUILT_IN).is_ok());
}
