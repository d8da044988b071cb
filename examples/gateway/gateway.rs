//! The parts together: a proxy on one port and its page on another.

use crate::feed::Feed;
use crate::file::PolicyFile;
use crate::live::{BUILT_IN, Live};
use crate::tally::Tally;
use crate::upstream::Upstream;
use crate::{page, proxy};
use axum::Router;
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What a gateway is made of.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) page_listen: SocketAddr,
    pub(crate) upstream: Upstream,
    /// The file of the policies; without it they are those of the demo.
    pub(crate) config: Option<PathBuf>,
}

/// A gateway that serves.
#[derive(Debug)]
pub(crate) struct Gateway {
    address: SocketAddr,
    page_address: SocketAddr,
    feed: Arc<Feed>,
    stop: CancellationToken,
    servers: JoinSet<()>,
    /// Dropped with the gateway.
    _watchers: JoinSet<()>,
}

impl Gateway {
    pub(crate) async fn start(options: Options) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let file = options.config.map(PolicyFile::open).transpose()?;
        let live = Arc::new(Live::new(file.as_ref().map_or(BUILT_IN, PolicyFile::text))?);
        let (tally, feed) = (Arc::new(Tally::new()), Arc::new(Feed::new()));
        let public = listen(options.listen).await?;
        let private = listen(options.page_listen).await?;
        let (address, page_address) = (public.local_addr()?, private.local_addr()?);

        let limit = live.policies.layer().observer(Arc::clone(&tally));
        let proxy = proxy::router(options.upstream).layer(limit);
        let page = page::router(Arc::clone(&live), Arc::clone(&feed));
        let (stop, mut servers) = (CancellationToken::new(), JoinSet::new());
        servers.spawn(serve(public, proxy, stop.clone()));
        servers.spawn(serve(private, page, stop.clone()));

        let mut watchers = JoinSet::new();
        if let Some(file) = file {
            let live = Arc::clone(&live);
            watchers.spawn(async move { file.watch(&live).await });
        }
        let (told, shown) = (Arc::clone(&feed), Arc::clone(&live));
        watchers.spawn(async move { told.run(&shown, &tally).await });
        Ok(Self { address, page_address, feed, stop, servers, _watchers: watchers })
    }

    /// Where clients send their requests.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the page is.
    pub(crate) const fn page_address(&self) -> SocketAddr {
        self.page_address
    }

    /// What the page is told.
    #[cfg(test)]
    pub(crate) fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Takes no new requests, and waits for those that are under way.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        self.feed.end(); // or the open pages would keep it
        while self.servers.join_next().await.is_some() {}
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))
}

async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service);
    // It ends without an error.
    let _ = server.with_graceful_shutdown(stop.cancelled_owned()).await;
}
