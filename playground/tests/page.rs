//! What the page is, as a file.

use std::fs;
use std::path::Path;

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/playground.html"))
        .unwrap()
}

#[test]
fn it_needs_nothing_from_elsewhere() {
    let page = page();
    assert!(
        page.contains(r#"content="default-src 'none'; img-src data:; script-src 'unsafe-inline'"#)
    );
    for address in ["src=", "http:", "https:", "@import", "url("] {
        assert!(!page.contains(address), "{address}");
    }
}

#[test]
fn it_is_small_and_has_the_crate_in_it() {
    let page = page();
    assert!(page.len() <= 200_000, "{} bytes", page.len());
    let (_, wasm) = page.split_once("<script id=\"wasm\" type=\"text/plain\">\n").unwrap();
    assert!(wasm.starts_with("AGFzbQEAAAA"), "`.ci/playground --bless`");
}
