//! A request whose client is known, made of bytes: random ones here, those that coverage guides in `fuzz`.

use casgate::Ipv6Prefix;
use casgate_tower::address::{ClientAddress, ForwardedHeader, Network};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroUsize;

/// All that a law needs.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) header: ForwardedHeader,
    /// Whether hops are counted, as many as there are entries of proxies.
    pub(crate) by_hops: bool,
    /// A proxy.
    pub(crate) peer: IpAddr,
    /// None of the proxies.
    pub(crate) stranger: IpAddr,
    /// What the client sent in the header, in lines.
    pub(crate) sent: Vec<Vec<u8>>,
    /// Whether the first proxy appended to the last of these lines.
    joined: bool,
    /// What the proxies appended: whom they saw, the client first.
    pub(crate) chain: Vec<Entry>,
    /// Lines of other headers.
    others: Vec<(HeaderName, Vec<u8>)>,
}

#[derive(Debug)]
pub(crate) struct Entry {
    /// `None` if it cannot be read.
    pub(crate) address: Option<IpAddr>,
    text: Vec<u8>,
    begins_line: bool,
}

/// The bytes of a scene that are still unread. Zeros follow them.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn below(&mut self, end: u8) -> u8 {
        self.byte() % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.below(from.len() as u8))]
    }
}

pub(crate) fn networks() -> [Network; 2] {
    ["10.0.0.0/8", "2001:db8:ffff::/48"].map(|text| text.parse().unwrap())
}

pub(crate) fn is_trusted(address: IpAddr) -> bool {
    networks().iter().any(|network| network.contains(address))
}

pub(crate) fn mask(address: IpAddr) -> IpAddr {
    Ipv6Prefix::default().of(address)
}

impl Scene {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let bytes = &mut Bytes(bytes.iter());
        let other = ForwardedHeader::Other(HeaderName::from_static("x-client"));
        let header = match bytes.below(5) {
            0 | 1 => ForwardedHeader::XForwardedFor,
            2 | 3 => ForwardedHeader::Forwarded,
            _ => other,
        };
        let by_hops = bytes.below(4) == 3;
        let joined = bytes.below(2) == 0;
        let chain = (0..=bytes.below(4)).map(|i| Entry::new(bytes, &header, i == 0)).collect();
        let others = (0..bytes.below(3)).map(|_| {
            let names = ["x-real-ip", "cf-connecting-ip", "true-client-ip", "x-forwarded"];
            (HeaderName::from_static(bytes.pick(&names)), line(bytes))
        });
        Self {
            others: others.collect(),
            peer: proxy(bytes),
            stranger: stranger(bytes),
            sent: (0..bytes.below(4)).map(|_| line(bytes)).collect(),
            header,
            by_hops,
            joined,
            chain,
        }
    }

    pub(crate) fn rule(&self) -> ClientAddress {
        match NonZeroUsize::new(self.chain.len()) {
            Some(hops) if self.by_hops => ClientAddress::behind_hops(hops, self.header.clone()),
            _ => ClientAddress::behind(networks(), self.header.clone()),
        }
    }

    /// Whom the proxies saw, or the last of them.
    pub(crate) fn client(&self) -> IpAddr {
        let hidden = if self.by_hops { None } else { self.chain.get(1) };
        let proxy = hidden.and_then(|entry| entry.address).unwrap_or(self.peer);
        mask(self.chain[0].address.unwrap_or(proxy))
    }

    pub(crate) fn name(&self) -> HeaderName {
        match &self.header {
            ForwardedHeader::Forwarded => http::header::FORWARDED,
            ForwardedHeader::Other(name) => name.clone(),
            _ => HeaderName::from_static("x-forwarded-for"),
        }
    }

    /// What arrives from a client that sent nothing, or those lines.
    pub(crate) fn headers(&self, sent: &[Vec<u8>]) -> HeaderMap {
        let mut lines = sent.to_vec();
        for (i, entry) in self.chain.iter().enumerate() {
            let begins_line = if i == 0 { !self.joined } else { entry.begins_line };
            match lines.last_mut() {
                Some(line) if !begins_line => line.extend([b", ", &entry.text[..]].concat()),
                _ => lines.push(entry.text.clone()),
            }
        }
        map(&self.name(), &lines)
    }

    /// Adds the other headers.
    pub(crate) fn add_others(&self, headers: &mut HeaderMap) {
        for (name, line) in &self.others {
            headers.append(name, HeaderValue::from_bytes(line).unwrap());
        }
    }
}

pub(crate) fn map(name: &HeaderName, lines: &[impl AsRef<[u8]>]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(name, HeaderValue::from_bytes(line.as_ref()).unwrap());
    }
    headers
}

/// Any line: parts of what proxies write, and single bytes.
fn line(bytes: &mut Bytes<'_>) -> Vec<u8> {
    const PARTS: [&str; 16] = [
        "",
        "for=",
        "for=\"",
        "\"",
        "\\",
        "\\\"",
        ", ",
        ";",
        "1.2.3.4",
        "10.0.0.9",
        "::1",
        "unknown",
        "host=\"",
        "[2001:db8::7]:80",
        "for=1.2.3.4",
        "198.51.100.7, ",
    ];
    let mut line = Vec::new();
    for _ in 0..bytes.below(12) {
        match bytes.pick(&PARTS) {
            "" => line.push(match bytes.byte() {
                b'\0'..b' ' | 0x7f => b'\t', // A header has no other of these.
                byte => byte,
            }),
            part => line.extend(part.as_bytes()),
        }
    }
    line
}

fn proxy(bytes: &mut Bytes<'_>) -> IpAddr {
    let [a, b] = [bytes.byte(), bytes.byte()];
    match bytes.below(3) {
        0 => Ipv4Addr::new(10, 0, a, b).into(),
        1 => Ipv4Addr::new(10, 0, a, b).to_ipv6_mapped().into(),
        _ => Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, a.into(), b.into()).into(),
    }
}

fn stranger(bytes: &mut Bytes<'_>) -> IpAddr {
    let octets = [bytes.byte(), bytes.byte(), bytes.byte(), bytes.byte()];
    let [a, b, ..] = octets.map(u16::from);
    let address: IpAddr = match bytes.below(5) {
        0 => Ipv4Addr::from(octets).into(),
        1 => Ipv4Addr::from(octets).to_ipv6_mapped().into(),
        2 => Ipv6Addr::new(0x2001, 0xdb8, a, b, 0, 0, 0, 1).into(),
        // A proxy's address, in prefixes that make no proxy.
        3 => Ipv6Addr::new(0x2002, 0x0a00, a, b, 0, 0, 0, 1).into(),
        _ => Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0x0a00, a).into(),
    };
    if is_trusted(address) { Ipv4Addr::new(203, 0, 113, 9).into() } else { address }
}

impl Entry {
    fn new(bytes: &mut Bytes<'_>, header: &ForwardedHeader, is_client: bool) -> Self {
        let begins_line = bytes.below(3) == 0;
        let is_list = *header != ForwardedHeader::Forwarded;
        if is_client && bytes.below(4) == 3 {
            let list: [&[u8]; 6] = [b"unknown", b"_hidden", b"", b"a b", b"\xff", b"1.2.3.4:x"];
            let forwarded: [&[u8]; 9] = [
                b"for=unknown",
                b"for=\"_hidden\"",
                b"",
                b"by=203.0.113.9",
                b"for=\"\xff\"",
                b"for=\"203.0.113.9",
                b"for=203.0.113.9;for=203.0.113.9",
                b"for=\"203.0.113.9\\\"",
                b"203.0.113.9",
            ];
            let text = bytes.pick(if is_list { &list } else { &forwarded });
            return Self { address: None, text: text.to_vec(), begins_line };
        }
        let address = if is_client { stranger(bytes) } else { proxy(bytes) };
        let node = match (address, bytes.below(3)) {
            (IpAddr::V4(v4), 1) => format!("{v4}:{}", bytes.byte()),
            (IpAddr::V6(v6), 1) => format!("[{v6}]:{}", bytes.byte()),
            (IpAddr::V6(v6), 2) => format!("[{v6}%eth0]"),
            _ => address.to_string(),
        };
        let text = if is_list { node } else { element(bytes, &node) };
        Self { address: Some(address), text: text.into_bytes(), begins_line }
    }
}

fn element(bytes: &mut Bytes<'_>, node: &str) -> String {
    let node = match bytes.below(3) {
        0 => node.to_owned(),
        1 => format!("\"{node}\""),
        _ => format!("\"\\{node}\""),
    };
    let before = bytes.pick(&["", "proto=https;", "by=\"_a\";", "host=\"a, \\\";for=1.2.3.4\" ; "]);
    let name = bytes.pick(&["for", "For", "FOR"]);
    let after =
        bytes.pick(&["", ";", ";proto=https", ";host=\"a:1, for=1.2.3.4\\\\\"", "; x=\"\""]);
    format!("{before}{name}={node}{after}")
}
