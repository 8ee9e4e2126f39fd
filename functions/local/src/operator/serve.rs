//! `polygate serve`: the development server, until a signal stops it.

use std::io::Write as _;

use tracing::Level;

use super::{Done, Outcome};
use crate::cli::{start_log, stop_signal};
use crate::options::Options;
use crate::server::Server;

pub(super) async fn serve(options: Options) -> Done {
    // A line for each request.
    start_log(Level::INFO);
    let server = Server::start(options).await?;
    // Whoever reads it may be gone; the server still serves.
    let _ = write!(std::io::stdout(), "{}", server.guide().await);
    stop_signal().await;
    // A second signal doesn't wait for requests that are under way.
    tokio::select! {
        () = server.shutdown() => {}
        () = stop_signal() => {}
    }
    Ok(Outcome::Well)
}
