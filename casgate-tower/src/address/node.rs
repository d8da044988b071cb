//! An address as proxies write it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest address, in bytes: more than one needs with its brackets, its zone and a port.
pub(super) const LONGEST: usize = 128;

/// Reads an address. `None` for a name, `unknown`, `_hidden`, and anything else.
pub(super) fn address(text: &[u8]) -> Option<IpAddr> {
    if text.len() > LONGEST {
        return None;
    }
    let text = core::str::from_utf8(text).ok()?;
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        if !port.is_empty() {
            port.strip_prefix(':').filter(|port| is_port(port))?;
        }
        return Some(v6(address)?.into());
    }
    if let Some((address, _)) = text.split_once(':').filter(|(_, port)| is_port(port)) {
        // A second colon is in no port, so this is no IPv6 address.
        return Some(address.parse::<Ipv4Addr>().ok()?.into());
    }
    match text.parse::<Ipv4Addr>() {
        Ok(address) => Some(address.into()),
        Err(_) => Some(v6(text)?.into()),
    }
}

/// Reads an IPv6 address and drops its zone.
fn v6(text: &str) -> Option<Ipv6Addr> {
    let address = match text.split_once('%') {
        Some((address, zone)) if zone.bytes().all(is_zone) && !zone.is_empty() => address,
        Some(_) => return None,
        None => text,
    };
    address.parse().ok()
}

fn is_zone(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)
}

/// A number of 16 bits, or an obfuscated port of RFC 7239.
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(name) => {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !name.is_empty() && name.bytes().all(known)
        }
        None => text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok(),
    }
}
