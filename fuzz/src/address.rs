//! Which client a request comes from, before bytes that are a request.

use crate::laws::{LAWS, Walk, walk};
use crate::scene::{Scene, mask};
use std::net::IpAddr;

/// Judges the walk to a client.
///
/// # Panics
///
/// If a law rejects it.
pub fn address(bytes: &[u8]) {
    judge(bytes, walk);
}

/// Judges a walk that takes one client of the 2³² for a proxy: the fuzzer must meet it.
///
/// # Panics
///
/// If a law rejects it.
pub fn seeded_address(bytes: &[u8]) {
    judge(bytes, |scene, peer, headers| match walk(scene, peer, headers) {
        IpAddr::V4(v4) if u32::from_le_bytes(v4.octets()) == 1_234_567_891 => mask(scene.peer),
        client => client,
    });
}

fn judge(bytes: &[u8], walk: Walk) {
    let scene = Scene::new(bytes);
    for law in LAWS {
        law(walk, &scene).unwrap_or_else(|broken| panic!("{broken}\n{scene:#?}"));
    }
}
