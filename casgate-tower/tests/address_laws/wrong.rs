//! Walks that are wrong as others have been: each gives the crate's walk what it should not, and a law rejects it.

use crate::laws::{self, Law, Walk, walk};
use crate::scene::{Scene, is_trusted, map, mask};
use casgate_tower::address::{ClientAddress, ForwardedHeader};
use http::{HeaderMap, HeaderValue};
use std::net::IpAddr;
use std::num::NonZeroUsize;

/// The parts of a list between its commas, each a line.
fn parts(scene: &Scene, headers: &HeaderMap) -> Vec<Vec<u8>> {
    let lines = headers.get_all(scene.name()).into_iter().map(HeaderValue::as_bytes);
    lines.flat_map(|line| line.split(|&byte| byte == b',').map(<[u8]>::to_vec)).collect()
}

/// Whom one part is for.
fn read(scene: &Scene, part: &[u8]) -> Option<IpAddr> {
    let nobody = IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 0]);
    let one = ClientAddress::behind_hops(NonZeroUsize::MIN, scene.header.clone());
    let address = one.of(Some(nobody), &map(&scene.name(), &[part])).unwrap();
    (address != nobody).then_some(address)
}

/// Whether nobody can read whom the first proxy saw.
fn is_hidden(scene: &Scene) -> bool {
    scene.chain[0].address.is_none()
}

/// Reads the header as UTF-8 and nothing else.
fn text_only(scene: &Scene, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    for line in headers.get_all(scene.name()) {
        assert!(std::str::from_utf8(line.as_bytes()).is_ok(), "no text");
    }
    walk(scene, peer, headers)
}

/// CVE-2025-59152 (Litestar): any peer's header is read.
fn anybody(scene: &Scene, _: IpAddr, headers: &HeaderMap) -> IpAddr {
    walk(scene, scene.peer, headers)
}

/// CVE-2026-110724.
fn leftmost(scene: &Scene, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if is_hidden(scene) || scene.by_hops || scene.header == ForwardedHeader::Forwarded {
        return walk(scene, peer, headers);
    }
    let parts = parts(scene, headers);
    walk(scene, peer, &map(&scene.name(), &parts[..parts.len().min(1)]))
}

fn first_line(scene: &Scene, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let first: Vec<_> = headers.get(scene.name()).into_iter().collect();
    walk(scene, peer, &map(&scene.name(), &first))
}

/// axum-client-ip #32.
fn skips_what_it_cannot_read(scene: &Scene, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if scene.header == ForwardedHeader::Forwarded {
        return walk(scene, peer, headers);
    }
    let mut parts = parts(scene, headers);
    parts.retain(|part| read(scene, part).is_some());
    walk(scene, peer, &map(&scene.name(), &parts))
}

/// Follows the quotes of the client.
fn quotes_from_the_left(scene: &Scene, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if is_hidden(scene) || scene.header != ForwardedHeader::Forwarded {
        return walk(scene, peer, headers);
    }
    let mut elements = Vec::new();
    for line in headers.get_all(scene.name()) {
        let (mut element, mut is_quoted, mut is_escaped) = (Vec::new(), false, false);
        for &byte in line.as_bytes() {
            is_quoted ^= byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && is_quoted && !is_escaped;
            if byte == b',' && !is_quoted {
                elements.push(std::mem::take(&mut element));
            } else {
                element.push(byte);
            }
        }
        elements.push(element);
    }
    walk(scene, peer, &map(&scene.name(), &elements))
}

/// Trusts a client for the IPv4 address inside its IPv6 address.
fn masks_first(scene: &Scene, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if scene.by_hops || scene.header == ForwardedHeader::Forwarded {
        return walk(scene, peer, headers);
    }
    let mut parts = parts(scene, headers);
    while parts.len() > 1 && parts.last().and_then(|part| read(scene, part)).is_some_and(is_trusted)
    {
        parts.pop();
    }
    walk(scene, peer, &map(&scene.name(), &parts))
}

fn falls_through(scene: &Scene, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let client = walk(scene, peer, headers);
    let real = headers.get("x-real-ip").and_then(|line| line.to_str().ok()?.parse().ok());
    if client == mask(peer) { real.map_or(client, mask) } else { client }
}

#[test]
fn a_law_rejects_each_of_them() {
    let wrong: [(Walk, Law, &str); 8] = [
        (text_only, laws::any_header_has_a_client, "no text"),
        (anybody, laws::an_untrusted_peer_is_the_client, "believed"),
        (leftmost, laws::what_a_client_sends_changes_nothing, "sent: "),
        (first_line, laws::what_a_client_sends_changes_nothing, "sent"),
        (skips_what_it_cannot_read, laws::what_a_client_sends_changes_nothing, "sent: "),
        (quotes_from_the_left, laws::what_a_client_sends_changes_nothing, "sent: "),
        (masks_first, laws::what_a_client_sends_changes_nothing, "sent"),
        (falls_through, laws::another_header_changes_nothing, "without the header"),
    ];
    for (i, (walk, law, how)) in wrong.into_iter().enumerate() {
        let broken = crate::judge(walk, law).expect_err("a wrong walk passes");
        assert!(broken.starts_with(how), "number {i}, otherwise than it should be: {broken}");
    }
}
