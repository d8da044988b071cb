//! What holds of every request.

use crate::scene::{Scene, mask};
use http::HeaderMap;
use std::net::IpAddr;

/// What finds the client of a peer and its headers, by the rule of the scene.
pub(crate) type Walk = fn(&Scene, IpAddr, &HeaderMap) -> IpAddr;

pub(crate) type Law = fn(Walk, &Scene) -> Result<(), String>;

/// The crate's.
pub(crate) fn walk(scene: &Scene, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    scene.rule().of(Some(peer), headers).expect("there is a peer")
}

pub(crate) const LAWS: [Law; 4] = [
    any_header_has_a_client,
    an_untrusted_peer_is_the_client,
    what_a_client_sends_changes_nothing,
    another_header_changes_nothing,
];

fn expect(what: &str, client: IpAddr, expected: IpAddr) -> Result<(), String> {
    if client == expected { Ok(()) } else { Err(format!("{what}: {client}, not {expected}")) }
}

/// Without a panic.
pub(crate) fn any_header_has_a_client(walk: Walk, scene: &Scene) -> Result<(), String> {
    let headers = crate::scene::map(&scene.name(), &scene.sent);
    walk(scene, scene.peer, &headers);
    walk(scene, scene.stranger, &headers);
    Ok(())
}

/// Whatever its headers say.
pub(crate) fn an_untrusted_peer_is_the_client(walk: Walk, scene: &Scene) -> Result<(), String> {
    if scene.by_hops {
        return Ok(()); // A number of hops trusts every peer.
    }
    let mut headers = scene.headers(&scene.sent);
    scene.add_others(&mut headers);
    expect("believed", walk(scene, scene.stranger, &headers), mask(scene.stranger))
}

/// The client is whom the proxies saw, with anything to the left of what they wrote, and with nothing.
pub(crate) fn what_a_client_sends_changes_nothing(walk: Walk, scene: &Scene) -> Result<(), String> {
    expect("sent nothing", walk(scene, scene.peer, &scene.headers(&[])), scene.client())?;
    expect("sent", walk(scene, scene.peer, &scene.headers(&scene.sent)), scene.client())
}

/// Next to the header of the rule, and without it.
pub(crate) fn another_header_changes_nothing(walk: Walk, scene: &Scene) -> Result<(), String> {
    let mut others = HeaderMap::new();
    scene.add_others(&mut others);
    expect("without the header", walk(scene, scene.peer, &others), mask(scene.peer))?;
    let mut headers = scene.headers(&scene.sent);
    scene.add_others(&mut headers);
    expect("next to the header", walk(scene, scene.peer, &headers), scene.client())
}
