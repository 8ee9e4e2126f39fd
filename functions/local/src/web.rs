//! One port: `/_local` for the development server's own pages, everything else for the service.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware;
use axum::response::Response;
use polygate_shared::http::{Arrival, Front};
use polygate_shared::identity::Chance;

use crate::load::Load;
use crate::mailbox::Mailbox;
use crate::pages;
use crate::ses::{self, Ses};
use crate::text::hex;

#[derive(Clone)]
struct Service {
    front: Front,
    chance: Arc<dyn Chance>,
    load: Load,
}

/// Everything that the port answers.
pub(crate) fn router(front: Front, mailbox: Mailbox, ses: Ses, chance: Arc<dyn Chance>, load: Load) -> Router {
    let local = ses::router(ses).merge(pages::router(mailbox));
    let local = local.layer(middleware::from_fn(pages::only_for_this_machine));
    Router::new().fallback(serve).with_state(Service { front, chance, load }).merge(local)
}

async fn serve(
    State(service): State<Service>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    let mut id = [0; 8];
    // Without randomness the id is zeroes: it only names the request in the log.
    let _ = service.chance.fill(&mut id);
    request.extensions_mut().insert(Arrival {
        source: peer.ip().to_string(),
        request_id: hex(&id),
        ..Arrival::default()
    });
    service.load.carry(&service.front, request).await
}
