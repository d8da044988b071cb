//! Limits on a gRPC server of tonic, by the peer and by a key in the metadata.
//!
//! ```sh
//! cargo run --example tonic_greeter
//! ```
//!
//! The service is the standard health check, so that no protobuf compiler is needed; the layer is the same around yours.
//! Five zero bytes are the empty message of gRPC. If the answer comes before curl has sent them, some versions of curl
//! print nothing: ask again.
//!
//! ```sh
//! check() {
//!     printf '\0\0\0\0\0' | curl -s -D - -o /dev/null --http2-prior-knowledge -H 'content-type: application/grpc' \
//!         -H 'te: trailers' -H 'x-api-key: ada' --data-binary @- http://127.0.0.1:50051/grpc.health.v1.Health/Check
//! }
//! check
//! # HTTP/2 200
//! # ratelimit: "key";r=2;t=2400, "peer";r=19;t=684
//! # grpc-status: 0
//! ```
//!
//! A key has 3 calls an hour. The fourth is answered in the way of gRPC. The details are a `google.rpc.RetryInfo`, which
//! clients decode:
//!
//! ```sh
//! check; check; check
//! # HTTP/2 200
//! # grpc-status: 8
//! # grpc-message: rate limit exceeded; retry in 1200 s
//! # grpc-status-details-bin: CAgSJ…
//! # retry-after: 1200
//! ```

use casgate::Quota;
use casgate_tower::address::ClientAddress;
use casgate_tower::{KeyBy, MissingKey, Policy, RateLimitLayer};
use clap::Parser;
use std::error::Error;
use std::net::SocketAddr;
use tonic::codegen::http::{HeaderName, StatusCode};
use tonic::transport::Server;
use tonic::transport::server::{TcpConnectInfo, TcpIncoming};

/// Limits calls of gRPC.
#[derive(Debug, Parser)]
struct Args {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(default_value_t = 50_051)]
    port: u16,
}

fn limit() -> RateLimitLayer {
    // tonic keeps the peer in a place of its own.
    let peer = KeyBy::client_with(ClientAddress::peer(), |parts| {
        let connection = parts.extensions.get::<TcpConnectInfo>()?;
        Some(connection.remote_addr()?.ip())
    });
    let peer = Policy::per_key(Quota::per_hour(100).with_burst(20), 100_000, peer).named("peer");
    // Metadata are header fields. The key must be checked before, or a client has as many budgets as it invents keys.
    let key = KeyBy::header(HeaderName::from_static("x-api-key"));
    let key = Policy::per_key(Quota::per_hour(3), 10_000, key)
        .missing_key(MissingKey::Deny(StatusCode::UNAUTHORIZED))
        .named("key");
    RateLimitLayer::all([peer, key])
}

async fn serve(incoming: TcpIncoming) -> Result<(), tonic::transport::Error> {
    let (_, health) = tonic_health::server::health_reporter();
    // tonic's body cannot be made of bytes, so it is wrapped.
    Server::builder()
        .layer(limit().wrap_body())
        .add_service(health)
        .serve_with_incoming(incoming)
        .await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], Args::parse().port)))?;
    println!("http://{}/", incoming.local_addr()?);
    Ok(serve(incoming).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::transport::Channel;
    use tonic::{Code, Request, Status};
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;
    use tonic_types::StatusExt;

    async fn client() -> HealthClient<Channel> {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}", incoming.local_addr().unwrap());
        tokio::spawn(serve(incoming));
        HealthClient::new(Channel::from_shared(url).unwrap().connect().await.unwrap())
    }

    async fn check(client: &mut HealthClient<Channel>, key: &str) -> Result<(), Status> {
        let mut request = Request::new(HealthCheckRequest::default());
        request.metadata_mut().insert("x-api-key", key.parse().unwrap());
        let response = client.check(request).await?;
        assert!(response.metadata().contains_key("ratelimit"), "{response:?}");
        Ok(())
    }

    #[tokio::test]
    async fn a_denied_call_is_resource_exhausted_and_says_when_to_retry() {
        let mut client = client().await;
        for _ in 0..3 {
            check(&mut client, "ada").await.unwrap();
        }
        let denied = check(&mut client, "ada").await.unwrap_err();
        assert_eq!(denied.code(), Code::ResourceExhausted);
        let retry = denied.get_details_retry_info().unwrap();
        let wait = retry.retry_delay.unwrap().as_secs();
        assert!((1_100..=1_201).contains(&wait), "{wait}");
        assert_eq!(denied.message(), format!("rate limit exceeded; retry in {wait} s"));
        assert_eq!(denied.metadata().get("retry-after").unwrap(), &*wait.to_string());
        check(&mut client, "grace").await.unwrap();
    }

    #[tokio::test]
    async fn a_peer_has_a_limit_over_all_of_its_keys() {
        let mut client = client().await;
        for key in 0..20 {
            check(&mut client, &key.to_string()).await.unwrap();
        }
        let denied = check(&mut client, "20").await.unwrap_err();
        assert_eq!(denied.code(), Code::ResourceExhausted);
    }
}
