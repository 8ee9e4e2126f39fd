//! The embedded DynamoDB-compatible engine: on a loopback port of its own, on a thread of its own.

mod short_way;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use dynoxide::Database;
use polygate_shared::aws::client;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval, timeout};

use self::short_way::{Calls, shortened};
use crate::error::StartError;

/// How often items past their time are removed. The real service takes its time, too.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// A caller that never ends its request doesn't keep the server from stopping.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// A running engine; stops when dropped.
#[derive(Debug)]
pub(crate) struct Engine {
    address: SocketAddr,
    client: aws_sdk_dynamodb::Client,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Engine {
    /// Opens the table's file, or an empty store in memory, and serves it: on the wanted port if it is free, so
    /// that others who were told the address find it again after a restart, else on any.
    pub(crate) fn start(file: Option<&Path>, wanted_port: Option<u16>) -> Result<Self, StartError> {
        let database = match file {
            None => Database::memory().map_err(|cause| StartError::Other(cause.into()))?,
            Some(file) => {
                let broken = |cause: String| StartError::TableBroken(file.to_owned(), cause);
                let path = file.to_str().ok_or_else(|| broken("its path is not UTF-8".to_owned()))?;
                Database::new(path).map_err(|cause| broken(cause.to_string()))?
            }
        };
        let listener = listen(wanted_port).context("no port for the store engine")?;
        let address = listener.local_addr().context("no address for the store engine")?;
        // Nobody is in the way of the engine but itself: it counts every item where it is asked what the table is.
        let config = client::unhurried(client::connect_local(format!("http://{address}"))?);
        let (config, calls) = shortened(config);
        let client = client::dynamodb_unsigned(&config);
        // It works SQLite on its async threads, which must not be those that answer requests.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("polygate-engine-work")
            .build()
            .context("no runtime for the store engine")?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("polygate-engine".to_owned())
            .spawn(move || runtime.block_on(serve(listener, calls, database, stopped)))
            .context("no thread for the store engine")?;
        Ok(Self { address, client, stop, thread })
    }

    /// Where it listens, as the SDK wants it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client in this process, which takes the short way.
    pub(crate) fn client(&self) -> aws_sdk_dynamodb::Client {
        self.client.clone()
    }

    /// Stops it and waits until its file is closed.
    pub(crate) async fn shutdown(self) {
        drop(self.stop);
        let thread = self.thread;
        let joined = tokio::task::spawn_blocking(move || thread.join());
        if !matches!(timeout(STOP_WITHIN, joined).await, Ok(Ok(Ok(())))) {
            tracing::warn!("the store engine did not stop cleanly");
        }
    }
}

fn listen(wanted_port: Option<u16>) -> std::io::Result<TcpListener> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = match wanted_port.map(bind) {
        Some(Ok(listener)) => listener,
        _ => bind(0)?,
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn serve(listener: TcpListener, calls: Calls, database: Database, stopped: oneshot::Receiver<()>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(cause) => return tracing::error!(%cause, "the store engine can't listen"),
    };
    let sweep = tokio::spawn(sweep(database.clone()));
    let answering = tokio::spawn(short_way::answer(calls, database.clone()));
    let shutdown = async {
        // Dropping the sender says the same as sending.
        let _ = stopped.await;
    };
    if let Err(cause) = dynoxide::server::serve_with_shutdown(listener, database, shutdown).await {
        tracing::error!(cause, "the store engine stopped");
    }
    answering.abort();
    sweep.abort();
}

/// Removes items past their time, which the engine does only when asked.
async fn sweep(database: Database) {
    let mut timer = interval(SWEEP_EVERY);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        let database = database.clone();
        // Off this thread: between two pages it waits for requests, which run here.
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Ok(_)) => {}
            Ok(Err(cause)) => tracing::warn!(%cause, "items past their time were not removed"),
            // The runtime stops, and this task with it.
            Err(stopped) if stopped.is_cancelled() => return,
            Err(cause) => tracing::error!(%cause, "the removal of items past their time panicked"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn starts_answers_and_stops_on_the_wanted_port_or_another() {
        let engine = Engine::start(None, None).expect("starts");
        let port = engine.address.port();
        let second = Engine::start(None, Some(port)).expect("starts on another port");
        assert_ne!(second.address.port(), port);
        assert!(tokio::net::TcpStream::connect(engine.address).await.is_ok());
        engine.shutdown().await;
        let third = Engine::start(None, Some(port)).expect("starts");
        assert_eq!(third.url(), format!("http://127.0.0.1:{port}"));
        third.shutdown().await;
        second.shutdown().await;
    }

    #[test]
    fn a_broken_file_is_told() {
        let chance = polygate_shared::identity::SystemChance::default();
        let folder = crate::folder::Folder::temporary(&chance).expect("a folder");
        let file = folder.file("table.db");
        std::fs::write(&file, vec![b'x'; 5000]).expect("writes");
        assert!(matches!(Engine::start(Some(&file), None), Err(StartError::TableBroken(..))));
    }
}
