//! Tables of which client a request comes from. "http N" is the Nth rule of a client's address, as `behind`,
//! `behind_hops` and the module's page state them.

use casgate::Ipv6Prefix;
use casgate_tower::address::{ClientAddress, ForwardedHeader, Network, NoPeer};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::net::IpAddr;
use std::num::NonZeroUsize;

/// The nearest proxy in most tables.
const PROXY: &str = "10.0.0.1";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn networks() -> [Network; 2] {
    ["10.0.0.0/8", "2001:db8:ffff::/48"].map(|text| text.parse().unwrap())
}

fn lines<B: AsRef<[u8]>>(name: &'static str, lines: &[B]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(name, HeaderValue::from_bytes(line.as_ref()).unwrap());
    }
    headers
}

fn key(rule: &ClientAddress, peer: &str, headers: &HeaderMap) -> String {
    rule.of(Some(ip(peer)), headers).unwrap().to_string()
}

fn x_forwarded_for() -> ClientAddress {
    ClientAddress::behind(networks(), ForwardedHeader::XForwardedFor)
}

fn forwarded() -> ClientAddress {
    ClientAddress::behind(networks(), ForwardedHeader::Forwarded)
}

/// Judges rows of a source, a header's lines and the client, behind [`PROXY`].
fn judge(rule: &ClientAddress, name: &'static str, rows: &[(&str, &[&str], &str)]) {
    for (source, header, client) in rows {
        assert_eq!(key(rule, PROXY, &lines(name, header)), *client, "{source}: {header:?}");
    }
}

/// http 1, and CVE-2025-59152 (Litestar): no proxy is configured, and a client sends a new address each time.
#[test]
fn cve_2025_59152_a_new_header_each_time_is_one_client() {
    for rule in [ClientAddress::peer(), ClientAddress::default(), x_forwarded_for(), forwarded()] {
        for name in ["x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip"] {
            for i in 0..9 {
                let headers = lines(name, &[format!("1.2.3.{i}"), format!("for=1.2.3.{i}")]);
                assert_eq!(key(&rule, "192.0.2.7", &headers), "192.0.2.7", "{name}");
            }
        }
    }
}

/// CVE-2026-110724: one trusted proxy, `X-Forwarded-For: spoof, real`.
#[test]
fn cve_2026_110724_the_leftmost_entry_is_not_the_client() {
    let headers = lines("x-forwarded-for", &["1.2.3.4, 203.0.113.9"]);
    assert_eq!(key(&x_forwarded_for(), PROXY, &headers), "203.0.113.9");
    let hop = ClientAddress::behind_hops(NonZeroUsize::MIN, ForwardedHeader::XForwardedFor);
    assert_eq!(key(&hop, PROXY, &headers), "203.0.113.9");
}

/// axum-client-ip #32: `Forwarded: for="1.2.3.4",for="_obf"`.
#[test]
fn axum_client_ip_32_a_hidden_entry_stops_the_walk() {
    let headers = lines("forwarded", &[r#"for="1.2.3.4",for="_obf""#]);
    assert_eq!(key(&forwarded(), PROXY, &headers), PROXY);
}

/// CVE-2026-30827: `::ffff:1.2.3.4` and `::ffff:5.6.7.8` were one client, by their /64.
#[test]
fn cve_2026_30827_mapped_clients_are_told_apart() {
    let nothing = HeaderMap::new();
    assert_eq!(key(&ClientAddress::peer(), "::ffff:1.2.3.4", &nothing), "1.2.3.4");
    assert_eq!(key(&ClientAddress::peer(), "::ffff:5.6.7.8", &nothing), "5.6.7.8");
    for (entry, client) in [("::ffff:1.2.3.4", "1.2.3.4"), ("[::ffff:5.6.7.8]:80", "5.6.7.8")] {
        assert_eq!(key(&x_forwarded_for(), PROXY, &lines("x-forwarded-for", &[entry])), client);
    }
}

/// express-rate-limit #234: `203.0.113.9:41522`, then another port.
#[test]
fn express_rate_limit_234_a_port_makes_no_other_client() {
    for entry in ["203.0.113.9:41522", "203.0.113.9:41523", "203.0.113.9"] {
        let headers = lines("x-forwarded-for", &[entry]);
        assert_eq!(key(&x_forwarded_for(), PROXY, &headers), "203.0.113.9");
    }
}

#[test]
fn the_walk_ends_at_the_first_untrusted_entry() {
    let rows: &[(&str, &[&str], &str)] = &[
        ("http 3: no header", &[], PROXY),
        ("http 3: one line", &["1.2.3.4, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("http 3: all lines", &["1.2.3.4", "203.0.113.9", "10.0.0.2"], "203.0.113.9"),
        ("http 3: not the first line only", &["1.2.3.4", "203.0.113.9"], "203.0.113.9"),
        ("http 3: both", &["1.2.3.4, 203.0.113.9", "10.0.0.3, 10.0.0.2"], "203.0.113.9"),
        ("http 3: space", &["1.2.3.4,203.0.113.9\t, \t 10.0.0.2  "], "203.0.113.9"),
        ("http 3: cannot be read", &["1.2.3.4, proxy.example"], PROXY),
        ("http 3: cannot be read", &["1.2.3.4, 203.0.113.09"], PROXY),
        ("http 3: the last trusted hop", &["1.2.3.4, nonsense, 10.0.0.2"], "10.0.0.2"),
        ("http 3: unknown", &["1.2.3.4, unknown, 10.0.0.2"], "10.0.0.2"),
        ("http 3: obfuscated", &["1.2.3.4, _hidden, 10.0.0.2"], "10.0.0.2"),
        ("http 3: empty", &["1.2.3.4, , 10.0.0.2"], "10.0.0.2"),
        ("http 3: empty at the end", &["1.2.3.4, 203.0.113.9,"], PROXY),
        ("http 3: an empty line", &["1.2.3.4", ""], PROXY),
        ("http 3: an empty line within", &["1.2.3.4", "", "10.0.0.2"], "10.0.0.2"),
        ("http 3: nginx at a Unix socket", &["1.2.3.4, unix:"], PROXY),
        ("http 4: all trusted", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("http 4: all trusted, in lines", &["10.0.0.4", "10.0.0.3, 10.0.0.2"], "10.0.0.4"),
        ("http 4: of this chain", &["10.9.9.9, unknown, 10.0.0.2"], "10.0.0.2"),
    ];
    judge(&x_forwarded_for(), "x-forwarded-for", rows);
    let name = HeaderName::from_static("x-list");
    judge(&ClientAddress::behind(networks(), ForwardedHeader::Other(name)), "x-list", rows);
}

/// http 3 and 4: the one configured header.
#[test]
fn no_other_header_is_read() {
    let names = ["x-forwarded-for", "forwarded", "x-real-ip"];
    let rules = [
        ForwardedHeader::XForwardedFor,
        ForwardedHeader::Forwarded,
        ForwardedHeader::Other(HeaderName::from_static("x-real-ip")),
    ];
    for (mine, header) in rules.into_iter().enumerate() {
        let one = ClientAddress::behind_hops(NonZeroUsize::MIN, header.clone());
        for rule in [ClientAddress::behind(networks(), header), one] {
            for (other, name) in names.into_iter().enumerate() {
                let headers = lines(name, &[["1.2.3.4", "for=1.2.3.4"][usize::from(other == 1)]]);
                let client = if other == mine { "1.2.3.4" } else { PROXY };
                assert_eq!(key(&rule, PROXY, &headers), client, "{name} for {mine}");
            }
        }
    }
}

/// http 2: a peer outside the networks is the client.
#[test]
fn headers_of_an_untrusted_peer_are_ignored() {
    let headers = lines("x-forwarded-for", &["1.2.3.4, 10.0.0.2"]);
    assert_eq!(key(&x_forwarded_for(), "11.0.0.1", &headers), "11.0.0.1");
    let nobody = ClientAddress::behind([], ForwardedHeader::XForwardedFor);
    assert_eq!(key(&nobody, PROXY, &headers), PROXY);
}

#[test]
fn hops_are_counted_from_the_right() {
    let rows: &[(&str, usize, &[&str], &str)] = &[
        ("http 5: what the peer saw", 1, &["1.2.3.4, 203.0.113.9"], "203.0.113.9"),
        ("http 5: the second", 2, &["1.2.3.4, 203.0.113.9, 8.8.8.8"], "203.0.113.9"),
        ("http 5: over lines", 3, &["1.2.3.4, 203.0.113.9", "8.8.8.8", "9.9.9.9"], "203.0.113.9"),
        ("http 5: as many as hops", 2, &["203.0.113.9, 8.8.8.8"], "203.0.113.9"),
        ("http 5: fewer", 2, &["203.0.113.9"], PROXY),
        ("http 5: none", 1, &[], PROXY),
        ("http 5: cannot be read", 1, &["1.2.3.4, unknown"], PROXY),
        ("http 5: cannot be read", 2, &["1.2.3.4, , 9.9.9.9"], PROXY),
        ("http 5: one between counts", 2, &["1.2.3.4, 203.0.113.9, unix:"], "203.0.113.9"),
        ("http 5: no more than there are", usize::MAX, &["1.2.3.4, 203.0.113.9"], PROXY),
    ];
    for (source, hops, header, client) in rows {
        let hops = NonZeroUsize::new(*hops).unwrap();
        let rule = ClientAddress::behind_hops(hops, ForwardedHeader::XForwardedFor);
        let headers = lines("x-forwarded-for", header);
        assert_eq!(key(&rule, PROXY, &headers), *client, "{source}: {header:?}");
    }
    // One that nobody can tell from the next, and two that are only hidden.
    let two = NonZeroUsize::new(2).unwrap();
    let rule = ClientAddress::behind_hops(two, ForwardedHeader::Forwarded);
    for (last, client) in
        [(r#"for=a"b"#, PROXY), ("for=_a", "203.0.113.9"), ("by=_a", "203.0.113.9")]
    {
        let headers = lines("forwarded", &[format!("for=1.2.3.4, for=203.0.113.9, {last}")]);
        assert_eq!(key(&rule, PROXY, &headers), client, "{last}");
    }
}

/// http 6. What cannot be read leaves the proxy's address.
#[test]
fn an_entry_may_have_brackets_a_port_and_a_zone() {
    let rows = [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:1", "192.0.2.7"),
        ("192.0.2.7:65535", "192.0.2.7"),
        ("192.0.2.7:_port", "192.0.2.7"),
        ("2001:db8:1:2::7", "2001:db8:1:2::"),
        ("2001:DB8:1:2::7", "2001:db8:1:2::"),
        ("[2001:db8:1:2::7]", "2001:db8:1:2::"),
        ("[2001:db8:1:2::7]:443", "2001:db8:1:2::"),
        ("[2001:db8:1:2::7]:_x.-_1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("[fe80::1%25eth0]:443", "fe80::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:443", "192.0.2.7"),
        ("192.0.2.7:", PROXY),
        ("192.0.2.7:65536", PROXY),
        ("192.0.2.7:+1", PROXY),
        ("192.0.2.7:-1", PROXY),
        ("192.0.2.7:_", PROXY),
        ("192.0.2.7:_a b", PROXY),
        ("192.0.2.7:1:2", PROXY),
        ("192.0.2.7%eth0", PROXY),
        ("192.0.2", PROXY),
        ("0192.0.2.7", PROXY),
        ("3221225991", PROXY),
        ("192.0.2.7 203.0.113.9", PROXY),
        ("[192.0.2.7]", PROXY),
        ("[2001:db8::7", PROXY),
        ("2001:db8::7]", PROXY),
        ("[2001:db8::7]443", PROXY),
        ("[2001:db8::7]:", PROXY),
        ("[2001:db8::7]:x", PROXY),
        ("[]", PROXY),
        ("fe80::1%", PROXY),
        ("fe80::1%a b", PROXY),
        ("\"192.0.2.7\"", PROXY),
        ("for=192.0.2.7", PROXY),
    ];
    for (entry, client) in rows {
        let headers = lines("x-forwarded-for", &[format!("1.2.3.4, {entry}")]);
        assert_eq!(key(&x_forwarded_for(), PROXY, &headers), client, "http 6: {entry}");
        if !entry.contains(['"', '=']) {
            let headers = lines("forwarded", &[format!("for=1.2.3.4, for=\"{entry}\"")]);
            assert_eq!(key(&forwarded(), PROXY, &headers), client, "http 6: for=\"{entry}\"");
        }
    }
}

/// http 6: in each header alike, and with escapes undone.
#[test]
fn an_entry_has_128_bytes_at_most() {
    for (length, client) in [(128, "fe80::"), (129, PROXY), (5_000, PROXY)] {
        let entry = format!("fe80::1%{}", "z".repeat(length - "fe80::1%".len()));
        let headers = lines("x-forwarded-for", &[&entry]);
        assert_eq!(key(&x_forwarded_for(), PROXY, &headers), client, "{length}");
        let escaped = entry.replace('z', "\\z");
        for entry in
            [format!("for={entry}"), format!("for=\"{entry}\""), format!("for=\"{escaped}\"")]
        {
            assert_eq!(key(&forwarded(), PROXY, &lines("forwarded", &[entry])), client, "{length}");
        }
    }
}

/// http 6 and 7: the zone is in no comparison.
#[test]
fn a_proxy_with_a_zone_is_trusted() {
    let networks = [networks()[0], "fe80::/10".parse().unwrap()];
    let rule = ClientAddress::behind(networks, ForwardedHeader::XForwardedFor);
    let headers = lines("x-forwarded-for", &["1.2.3.4, 203.0.113.9, fe80::7%eth0"]);
    assert_eq!(key(&rule, PROXY, &headers), "203.0.113.9");
}

/// http 7: a proxy is known by its mapped address too, and by no other that has its IPv4 address inside.
#[test]
fn trust_is_in_the_canonical_form() {
    let rows = [
        ("http 7: mapped peer", "::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("http 7: mapped entry", PROXY, "203.0.113.9, ::ffff:10.0.0.2", "203.0.113.9"),
        ("http 7: mapped, in brackets", PROXY, "203.0.113.9, [::ffff:a00:2]:80", "203.0.113.9"),
        ("http 7: IPv6 proxy", "2001:db8:ffff::1", "203.0.113.9", "203.0.113.9"),
        ("http 7: 6to4 peer", "2002:a00:1::", "203.0.113.9", "10.0.0.1"),
        ("http 7: NAT64 peer", "64:ff9b::10.0.0.1", "203.0.113.9", "10.0.0.1"),
        ("http 7: 6to4 client", PROXY, "1.2.3.4, 2002:a00:7::", "10.0.0.7"),
        ("http 7: NAT64 client", PROXY, "1.2.3.4, 64:ff9b::10.0.0.7", "10.0.0.7"),
        ("http 7: local NAT64 client", PROXY, "1.2.3.4, 64:ff9b:1::10.0.0.7", "10.0.0.7"),
        ("http 7: compatible, no longer used", PROXY, "1.2.3.4, ::10.0.0.7", "::"),
        ("http 7: IPv4 inside NAT64", PROXY, "64:ff9b::203.0.113.9", "203.0.113.9"),
        ("http 7: IPv4 inside 6to4", PROXY, "2002:cb00:7109:1::1", "203.0.113.9"),
    ];
    for (source, peer, header, client) in rows {
        let headers = lines("x-forwarded-for", &[header]);
        assert_eq!(key(&x_forwarded_for(), peer, &headers), client, "{source}");
    }
}

/// http 7.
#[test]
fn an_ipv6_client_is_its_network() {
    let widths = [
        (Ipv6Prefix::Bits64, "2001:db8:1:203::"),
        (Ipv6Prefix::Bits56, "2001:db8:1:200::"),
        (Ipv6Prefix::Bits48, "2001:db8:1::"),
    ];
    let headers = lines("x-forwarded-for", &["2001:db8:1:203:4::5"]);
    for (prefix, client) in widths {
        assert_eq!(key(&x_forwarded_for().ipv6_prefix(prefix), PROXY, &headers), client);
        let peer = ClientAddress::peer().ipv6_prefix(prefix);
        assert_eq!(key(&peer, "2001:db8:1:203:4::5", &headers), client);
    }
    assert_eq!(key(&x_forwarded_for(), PROXY, &headers), widths[0].1);
    // A proxy is trusted by its whole address, not by its network.
    let one = ClientAddress::behind([ip("2001:db8::1").into()], ForwardedHeader::XForwardedFor);
    assert_eq!(key(&one, "2001:db8::2", &headers), "2001:db8::");
    assert_eq!(key(&one, "2001:db8::1", &headers), widths[0].1);
}

/// http 8: whatever the rule and the headers, and also at a Unix socket (http 9: the accept loop hands the address in).
#[test]
fn without_a_peer_there_is_no_client() {
    let one = ClientAddress::behind_hops(NonZeroUsize::MIN, ForwardedHeader::XForwardedFor);
    for rule in [ClientAddress::peer(), x_forwarded_for(), one] {
        let headers = lines("x-forwarded-for", &["203.0.113.9"]);
        assert_eq!(rule.of(None, &headers), Err(NoPeer));
    }
    let message = NoPeer.to_string();
    assert!(message.contains("into_make_service_with_connect_info") && message.contains("Unix"));
}

/// http 10: what is shown is the configuration, never a header.
#[test]
fn debug_shows_the_rule() {
    let shown = format!("{:?}", x_forwarded_for());
    assert!(shown.contains("Network(10.0.0.0/8)") && shown.contains("XForwardedFor"), "{shown}");
}

#[test]
fn forwarded_is_read_as_its_rfc_has_it() {
    let rows: &[(&str, &[&str], &str)] = &[
        ("RFC 7239, 4", &[r#"For="[2001:db8:cafe::17]:4711""#], "2001:db8:cafe::"),
        ("RFC 7239, 4", &["for=192.0.2.60;proto=http;by=203.0.113.43"], "192.0.2.60"),
        ("RFC 7239, 4", &["for=192.0.2.43, for=198.51.100.17"], "198.51.100.17"),
        ("RFC 7239, 4", &[r#"for="_gazonk""#], PROXY),
        ("RFC 7239, 6.3", &["for=_hidden, for=_SEVKISEK"], PROXY),
        ("RFC 7239, 7.1", &["for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown"], PROXY),
        ("RFC 7239, 7.1", &["for=192.0.2.43", "for=\"[2001:db8:cafe::17]\""], "2001:db8:cafe::"),
        ("names in any case", &["for=1.2.3.4,FOR=203.0.113.9;BY=10.0.0.1"], "203.0.113.9"),
        ("parameters before it", &["proto=https;by=_a;for=203.0.113.9"], "203.0.113.9"),
        ("around it", &["proto=https;for=203.0.113.9;host=\"a:1\""], "203.0.113.9"),
        ("several trusted", &["for=1.2.3.4, for=203.0.113.9, for=10.0.0.2"], "203.0.113.9"),
        ("lines", &["for=1.2.3.4", "for=203.0.113.9", "for=10.0.0.3,for=10.0.0.2"], "203.0.113.9"),
        ("all trusted", &["for=10.0.0.3,for=10.0.0.2"], "10.0.0.3"),
        ("a comma in a string", &[r#"for=203.0.113.9;host="a, for=6.6.6.6""#], "203.0.113.9"),
        ("a semicolon in one", &[r#"host="a;for=6.6.6.6";for=203.0.113.9"#], "203.0.113.9"),
        ("quotes in one", &[r#"for=203.0.113.9;host="\", for=6.6.6.6, \"""#], "203.0.113.9"),
        ("backslashes in one", &[r#"for=203.0.113.9;host="\\""#], "203.0.113.9"),
        ("backslashes and quotes", &[r#"for=203.0.113.9;host="\\\"\\""#], "203.0.113.9"),
        ("bytes in one", &["for=203.0.113.9;host=\"\u{e9}\""], "203.0.113.9"),
        ("escapes", &[r#"for="2\03.0.113\.9:\8\0""#], "203.0.113.9"),
        ("an empty string", &[r#"for="""#], PROXY),
        ("a space in a string", &[r#"for=" 203.0.113.9""#], PROXY),
        ("no for", &["for=1.2.3.4, by=10.0.0.1;proto=https"], PROXY),
        ("no for, farther", &["for=1.2.3.4, by=10.0.0.1, for=10.0.0.2"], "10.0.0.2"),
        ("empty", &["for=1.2.3.4,,for=10.0.0.2"], "10.0.0.2"),
        ("pairs of nothing", &[";;for=203.0.113.9; ;"], "203.0.113.9"),
        ("space", &["for=1.2.3.4 ,\tfor=203.0.113.9 ; proto=https "], "203.0.113.9"),
        ("unquoted, as proxies write it", &["for=[2001:db8:1:2::7]"], "2001:db8:1:2::"),
        ("unquoted, as proxies write it", &["for=203.0.113.9:80;host=a:8080"], "203.0.113.9"),
        ("another name", &["for=1.2.3.4, xfor=6.6.6.6"], PROXY),
        ("a value with =", &["for=203.0.113.9;secret=YQ=="], "203.0.113.9"),
    ];
    judge(&forwarded(), "forwarded", rows);
    let by_name = ForwardedHeader::Other(http::header::FORWARDED);
    judge(&ClientAddress::behind(networks(), by_name), "forwarded", rows);
}

/// A malformed element stops the walk where it stands.
#[test]
fn a_malformed_element_hides_what_is_left_of_it_alone() {
    let malformed = [
        r#"for="203.0.113.9"#,
        r#"for=203.0.113.9""#,
        r#"for="203.0.113.9"x"#,
        r#"for=x"203.0.113.9""#,
        r#""203.0.113.9""#,
        r#"="203.0.113.9""#,
        r#"for= "203.0.113.9""#,
        r#"for ="203.0.113.9""#,
        r#"for="203.0.113.9\""#,
        r#"by=a"b;for=203.0.113.9"#,
        r#"by="a"for=203.0.113.9"#,
        r#"by="a"for="203.0.113.9""#,
        r#"for"203.0.113.9""#,
        r#"for=203.0.113.9;by="a\""#,
        "=a;for=203.0.113.9",
        "for = 203.0.113.9",
        "for=203.0.113.9;for=203.0.113.9",
        "for=203.0.113.9;for=_a",
        "f(r=1;for=203.0.113.9",
        "203.0.113.9",
        "for",
        "=203.0.113.9",
        "for=203.0.113.9;by",
    ];
    for element in malformed {
        for (suffix, client) in [("", PROXY), (", for=10.0.0.2", "10.0.0.2")] {
            let line = format!("{element}{suffix}");
            let headers = lines("forwarded", &["for=1.2.3.4", &line]);
            assert_eq!(key(&forwarded(), PROXY, &headers), client, "{line}");
            let headers = lines("forwarded", &[format!("for=1.2.3.4, {line}")]);
            assert_eq!(key(&forwarded(), PROXY, &headers), client, "{line}");
        }
    }
}

/// A client writes all that is left of what the proxy appended.
#[test]
fn a_quote_of_the_client_does_not_swallow_what_a_proxy_appended() {
    #[rustfmt::skip]
    let sent = [
        "for=\"", "\"", "\\", "\"\\", "for=\"a, for=\\", "for=\"\\\"", "for=1.2.3.4;host=\"x", "a\"b\"c\"",
        "for=\"1.2.3.4\", \"", ";", ",", "=", "for=", "for", "\"\"\"", "for=\"x\\\\",
    ];
    let appended = [
        "for=203.0.113.9",
        r#"for="203.0.113.9:80""#,
        r#"proto="https";for=203.0.113.9;host="a\"b, c;d""#,
        r#"for="203.0.113.9", for="10.0.0.2";by="\\", for=10.0.0.3"#,
    ];
    for sent in sent {
        for appended in appended {
            for separator in [",", ", "] {
                let headers = lines("forwarded", &[format!("{sent}{separator}{appended}")]);
                let client = key(&forwarded(), PROXY, &headers);
                assert_eq!(client, "203.0.113.9", "{sent}{separator}{appended}");
            }
            let client = key(&forwarded(), PROXY, &lines("forwarded", &[sent, appended]));
            assert_eq!(client, "203.0.113.9", "{sent} and then {appended}");
        }
    }
}

/// Bytes that are no UTF-8 spoil the entry in which they are.
#[test]
fn bytes_spoil_one_entry() {
    let rows: &[(&[u8], &str)] = &[
        (b"\xff, 203.0.113.9", "203.0.113.9"),
        (b"1.2.3.4, \xff, 10.0.0.2", "10.0.0.2"),
        (b"1.2.3.4, 203.0.113.9\xff", PROXY),
        (b"1.2.3.4\xff203.0.113.9", PROXY),
    ];
    for (line, client) in rows {
        assert_eq!(key(&x_forwarded_for(), PROXY, &lines("x-forwarded-for", &[line])), *client);
    }
    let rows: &[(&[u8], &str)] = &[
        (b"for=\"\xff, for=203.0.113.9", "203.0.113.9"),
        (b"for=1.2.3.4, for=\xff, for=10.0.0.2", "10.0.0.2"),
        (b"for=1.2.3.4, \xff=a, for=10.0.0.2", "10.0.0.2"),
        (b"for=1.2.3.4, for=\"203.0.113.9\xff\"", PROXY),
        (b"for=203.0.113.9;host=\"\xff\"", "203.0.113.9"),
    ];
    for (line, client) in rows {
        assert_eq!(key(&forwarded(), PROXY, &lines("forwarded", &[line])), *client);
    }
}

#[test]
fn a_network_is_a_prefix() {
    let rows = [
        ("10.0.0.0/8", Ok("10.0.0.0/8")),
        ("192.0.2.7", Ok("192.0.2.7/32")),
        ("::1", Ok("::1/128")),
        ("2001:db8::/32", Ok("2001:db8::/32")),
        ("::ffff:10.0.0.0/104", Ok("10.0.0.0/8")),
        ("::ffff:10.0.0.1", Ok("10.0.0.1/32")),
        ("::ffff:10.0.0.1/128", Ok("10.0.0.1/32")),
        ("10.0.0.1/8", Err("the network is 10.0.0.0/8")),
        // Somebody meant /104.
        ("::ffff:10.0.0.0/8", Err("the network is ::/8")),
        ("::ffff:0.0.0.0/95", Err("the network is ::fffe:0:0/95")),
        ("10.0.0.0/33", Err("33 bits is too long: the address has 32")),
        ("::1/129", Err("129 bits is too long: the address has 128")),
        ("0.0.0.0/0", Err("trusts every address")),
        ("::/0", Err("trusts every address")),
        ("::ffff:0.0.0.0/96", Err("trusts every address")),
        ("", Err("expected an IPv4 or IPv6 address")),
        ("/8", Err("expected an IPv4 or IPv6 address")),
        ("proxy", Err("expected an IPv4 or IPv6 address")),
        (" 10.0.0.0/8", Err("expected an IPv4 or IPv6 address")),
        ("10.0.0.0:80", Err("expected an IPv4 or IPv6 address")),
        ("fe80::1%eth0", Err("expected an IPv4 or IPv6 address")),
        ("10.0.0.0/", Err("expected the number of bits")),
        ("10.0.0.0/+8", Err("expected the number of bits")),
        ("10.0.0.0/256", Err("expected the number of bits")),
        ("10.0.0.0/255.0.0.0", Err("expected the number of bits")),
        ("10.0.0.0/8/8", Err("expected the number of bits")),
    ];
    for (text, expected) in rows {
        match (text.parse::<Network>().map_err(|error| error.to_string()), expected) {
            (Ok(network), Ok(canonical)) => {
                assert_eq!(network.to_string(), canonical, "{text}");
                assert_eq!(canonical.parse(), Ok(network));
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
            (parsed, _) => panic!("{text}: {parsed:?}"),
        }
    }
}

#[test]
fn a_network_compares_canonical_forms() {
    let rows = [
        ("10.0.0.0/8", "10.255.255.255", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "::ffff:10.0.0.1", true),
        ("10.0.0.0/8", "::10.0.0.1", false),
        ("10.0.0.0/8", "64:ff9b::10.0.0.1", false),
        ("10.0.0.0/8", "64:ff9b:1::10.0.0.1", false),
        ("10.0.0.0/8", "2002:a00:1::", false),
        ("2001:db8::/32", "2001:db8:ffff::", true),
        ("2001:db8::/32", "2001:db9::", false),
        // Mapped addresses are IPv4 addresses, so no IPv6 network has them.
        ("::/16", "::ffff:10.0.0.1", false),
    ];
    for (network, address, expected) in rows {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(ip(address)), expected, "{network:?} {address}");
    }
    let inside = |networks: &[Network], address| networks.iter().any(|n| n.contains(ip(address)));
    for address in ["10.0.0.0", "172.31.255.255", "192.168.255.255", "fc00::", "fdff::1"] {
        assert!(inside(&Network::private(), address), "{address}");
    }
    for address in ["11.0.0.0", "172.32.0.0", "192.169.0.0", "fe00::", "127.0.0.1", "100.64.0.1"] {
        assert!(!inside(&Network::private(), address), "{address}");
    }
    assert!(inside(&Network::loopback(), "127.9.9.9") && inside(&Network::loopback(), "::1"));
    assert!(!inside(&Network::loopback(), "128.0.0.1") && !inside(&Network::loopback(), "::2"));
}

#[test]
fn nothing_allocates() {
    let hops = NonZeroUsize::new(5).unwrap();
    let rules = [
        ClientAddress::peer(),
        x_forwarded_for(),
        forwarded(),
        ClientAddress::behind(networks(), ForwardedHeader::Other("x-real-ip".parse().unwrap())),
        ClientAddress::behind_hops(hops, ForwardedHeader::XForwardedFor),
        ClientAddress::behind_hops(hops, ForwardedHeader::Forwarded),
    ];
    let mut headers = HeaderMap::new();
    for (name, entry) in [
        ("x-forwarded-for", "10.0.0.2, [2001:db8:ffff::7]:80".to_owned()),
        ("forwarded", r#"for="\[2001:db8:ffff::7]:80";host="a\"b", for=10.0.0.9"#.to_owned()),
        ("x-real-ip", "203.0.113.9, unknown, ".repeat(2_000)),
    ] {
        for _ in 0..20 {
            headers.append(name, entry.parse().unwrap());
        }
    }
    let allocated = allocation_counter::measure(|| {
        for rule in &rules {
            for peer in [Some(ip(PROXY)), Some(ip("2001:db8::7")), None] {
                let _ = rule.of(peer, &headers);
            }
        }
    });
    assert_eq!(allocated.count_total, 0);
    assert_eq!(allocation_counter::measure(|| drop(Box::new(1))).count_total, 1, "it counts");
}
