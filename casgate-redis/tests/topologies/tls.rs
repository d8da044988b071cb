//! A server that speaks TLS, with certificates of the test's own.

use crate::node::{Node, free_port, until};
use crate::{is_admitted, limiters};
use casgate_redis::{Cause, Fleet, NotAdmitted};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use redis::{Client, ClientTlsConfig, TlsCertificates};

/// Who signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What one side shows the other: texts in PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// Signs a certificate for that name, or address.
    fn identity(&self, name: &str) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.0).expect("a certificate").pem();
        Identity { certificate, key: key.serialize_pem() }
    }
}

/// Starts a server with the certificate of `identity`. Clients need one of `authority` if it `wants_theirs`.
fn start(authority: &Authority, identity: &Identity, wants_theirs: bool) -> (Node, u16) {
    (0..10).find_map(|_| try_start(authority, identity, wants_theirs)).expect("redis-server starts")
}

fn try_start(
    authority: &Authority,
    identity: &Identity,
    wants_theirs: bool,
) -> Option<(Node, u16)> {
    let port = free_port();
    let directory = std::env::temp_dir().join(format!("casgate-tls-{}-{port}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory for temporary files");
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).expect("a file for a certificate");
        path.to_str().expect("a path of text").to_owned()
    };
    let node = Node::try_start(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &file("certificate.pem", &identity.certificate),
        "--tls-key-file",
        &file("key.pem", &identity.key),
        "--tls-ca-cert-file",
        &file("authority.pem", &authority.0.pem()),
        "--tls-auth-clients",
        if wants_theirs { "yes" } else { "no" },
    ]);
    // The server has read them.
    std::fs::remove_dir_all(&directory).expect("the directory is there");
    node.map(|node| (node, port))
}

fn fleet(port: u16, trusted: &Authority, own: Option<Identity>) -> Fleet {
    let certificates = TlsCertificates {
        client_tls: own.map(|Identity { certificate, key }| ClientTlsConfig {
            client_cert: certificate.into_bytes(),
            client_key: key.into_bytes(),
        }),
        root_cert: Some(trusted.0.pem().into_bytes()),
    };
    let url = format!("rediss://127.0.0.1:{port}/");
    let client = Client::build_with_tls(url, certificates).expect("a client");
    Fleet::connect(client.get_connection_info().clone()).expect("an address")
}

/// What a fleet says that has no lease, and how its store failed.
fn failure(fleet: &Fleet) -> (Cause, String) {
    let limiter = &limiters(fleet, 1)[0];
    // The first connection may take longer than the caller waits.
    until("it fails for another reason than time", || {
        let answer = limiter.check();
        assert!(matches!(answer, Err(NotAdmitted::Unavailable(_))), "{answer:?}");
        fleet.last_error().is_some_and(|error| error.cause() != Cause::Timeout)
    });
    let error = fleet.last_error().expect("it failed");
    (error.cause(), error.to_string())
}

#[test]
fn a_fleet_leases_over_tls() {
    let authority = Authority::new("own");
    let (node, port) = start(&authority, &authority.identity("127.0.0.1"), false);
    let fleet = fleet(port, &authority, None);
    let limiter = &limiters(&fleet, 1)[0];
    until("the server grants", || is_admitted(limiter));
    assert_eq!(node.ask::<u64>("DBSIZE"), 1);
}

#[test]
fn a_server_may_want_a_certificate_of_the_client() {
    let authority = Authority::new("own");
    let (node, port) = start(&authority, &authority.identity("127.0.0.1"), true);
    let others = Authority::new("other").identity("client");
    for own in [None, Some(others)] {
        let (cause, text) = failure(&fleet(port, &authority, own));
        assert_eq!(cause, Cause::Unreachable, "{text}");
    }
    assert_eq!(node.ask::<u64>("DBSIZE"), 0);
    let fleet = fleet(port, &authority, Some(authority.identity("client")));
    let limiter = &limiters(&fleet, 1)[0];
    until("the server grants", || is_admitted(limiter));
    assert_eq!(node.ask::<u64>("DBSIZE"), 1);
}

/// An authority that the client does not know, and the certificate of another server.
#[test]
fn a_certificate_that_is_not_trusted_is_named() {
    let (own, other) = (Authority::new("own"), Authority::new("other"));
    for (authority, name, expected) in [
        (&other, "127.0.0.1", "invalid peer certificate: UnknownIssuer"),
        (&own, "127.0.0.9", "certificate not valid for name \"127.0.0.1\""),
    ] {
        let (node, port) = start(&own, &authority.identity(name), false);
        let (cause, text) = failure(&fleet(port, &own, None));
        assert_eq!(cause, Cause::Unreachable, "{text}");
        assert!(text.contains(expected), "{text}");
        assert_eq!(node.ask::<u64>("DBSIZE"), 0);
    }
}
