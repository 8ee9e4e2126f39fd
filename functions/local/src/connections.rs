//! The port's connections: a bounded number, none of which may be silent for long.
//!
//! A client that has too much under way opens connections that it then needs only later, and they are silent until then. Where
//! all places can be had by such, whoever comes newly waits until their time is over.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, header};
use axum::response::Response;
use axum::serve::Listener;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tower::ServiceBuilder;

use crate::options::Bounds;

/// Answers requests until the sender of `stopped` is dropped and those under way are done.
///
/// Four times as many connections are kept as requests may be under way, since most are silent. As many again are answered
/// one request each and closed. Beyond them new ones wait in the system's own queue.
pub(crate) async fn serve(
    mut listener: TcpListener,
    router: Router,
    bounds: Bounds,
    mut stopped: oneshot::Receiver<()>,
) {
    let kept = bounds.requests * 4;
    let places = Arc::new(Semaphore::new(kept * 2));
    let graceful = GracefulShutdown::new();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, Listener::accept(&mut listener).await)
        };
        let (place, (stream, peer)) = tokio::select! {
            next = next => next,
            // Dropping the sender says the same as sending.
            _ = &mut stopped => break,
        };
        let crowded = places.available_permits() < kept;
        let service = ServiceBuilder::new()
            .map_request(move |request: Request<_>| arriving(request.map(Body::new), peer))
            .map_response(move |response: Response| leaving(response, crowded))
            .service(router.clone());
        let mut builder = Builder::new(TokioExecutor::new()).http1_only();
        builder.http1().timer(TokioTimer::new()).header_read_timeout(bounds.idle_time);
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            // A client that breaks off is no event.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

fn arriving(mut request: Request<Body>, peer: SocketAddr) -> Request<Body> {
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

fn leaving(mut response: Response, crowded: bool) -> Response {
    if crowded {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
