//! The whole service in one process: data directory, store engine, mail and the four contracts behind one port.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use polygate_shared::aws::client;
use polygate_shared::aws::dynamodb::{DynamoStore, create_table};
use polygate_shared::aws::ses::SesMailer;
use polygate_shared::http::{Endpoints, Front};
use polygate_shared::identity::{
    self, AdminToken, Chance, HashCost, Hashed, Hasher, Identity, Limits, Password, Policy, Store, SystemChance,
};
use polygate_shared::mail_templates;
use polygate_shared::settings::Settings;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::connections;
use crate::engine::Engine;
use crate::error::StartError;
use crate::folder::Folder;
use crate::lambda_env::LambdaEnv;
use crate::load::Load;
use crate::mailbox::{LocalMail, Mailbox};
use crate::options::{DataDir, Options};
use crate::ses::{self, Ses};
use crate::web;

/// The name of the table, also in `lambda.env`.
pub(crate) const TABLE: &str = "polygate";
const MAIL_FROM: &str = "no-reply@polygate.localhost";
pub(crate) const TABLE_FILE: &str = "table.db";
/// The first administrator's password, until it is changed.
pub(crate) const FIRST_PASSWORD: &str = "admin";
/// A client that never ends its request doesn't keep the server from stopping.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// Memory of hashes is given back after once to twice as long without any.
const REST_EVERY: Duration = Duration::from_secs(5);

/// A running development server. Stops when dropped; [`Server::shutdown`] waits until it has.
pub struct Server {
    base_url: String,
    admin_token: AdminToken,
    mailbox: Mailbox,
    identity: Arc<Identity>,
    store: Arc<dyn Store>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    engine: Engine,
    // After the engine, so that the directory is free only once nothing uses it.
    folder: Folder,
    keeps_accounts: bool,
}

impl Server {
    /// Starts a server. It listens on 127.0.0.1 only.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options { port, data, clock, settings: given, mail_time_out, log, bounds } = options;
        let settings = Settings::parse(&|name| match name {
            "TABLE_NAME" => Some(TABLE.to_owned()),
            _ => given.get(name).cloned(),
        });
        let settings = settings.map_err(|bad| StartError::BadSetting(bad.to_string()))?;
        let mail_from = settings.mail_from.as_deref().unwrap_or(MAIL_FROM);
        let (stationery, bad) = mail_templates::stationery(&settings);
        if let Some(bad) = bad.first() {
            return Err(StartError::BadSetting(bad.to_string()));
        }

        let chance: Arc<dyn Chance> = Arc::new(SystemChance::default());
        let folder = match &data {
            DataDir::Memory => Folder::temporary(chance.as_ref())?,
            DataDir::MemoryBeside(path) | DataDir::Folder(path) => Folder::open(path)?,
        };
        let keeps_accounts = matches!(data, DataDir::Folder(_));
        let (listener, address) = listen(port).await?;
        let base_url = format!("http://{address}");

        let table_file = keeps_accounts.then(|| folder.private_file(TABLE_FILE)).transpose()?;
        let engine_port = (port != 0).then(|| port.checked_add(1)).flatten();
        let engine = Engine::start(table_file.as_deref(), engine_port)?;
        let store = open_store(&engine, table_file, Arc::clone(&chance)).await?;
        let admin_token = folder.admin_token(chance.as_ref())?;
        let issuer = settings.issuer.is_none().then_some(base_url.as_str());
        prepare(store.as_ref(), &admin_token, issuer).await.map_err(because("the store could not be prepared"))?;

        let mail_service = given.get("AWS_ENDPOINT_URL_SES").filter(|url| !url.trim().is_empty()).cloned();
        let mail_service = client::connect_local(mail_service.unwrap_or_else(|| ses::url(&base_url)))?;
        let mailer = SesMailer::new(&mail_service, mail_from)
            .reply_to(settings.mail_reply_to.as_deref())
            .under(settings.mail_configuration_set.clone())
            .within(mail_time_out);
        let policy = Policy {
            allow_registration: settings.allow_registration,
            issuer: settings.issuer.clone(),
            passwords: settings.password_policy,
            second_factor: settings.require_second_factor,
            signing: settings.signing(),
            limits: Limits::default().for_one_source(),
            stationery: Arc::new(stationery),
            ..Policy::default()
        };
        let hasher = hasher(settings.hash_cost);
        let (shared_store, shared_clock) = (Arc::clone(&store), Arc::clone(&clock));
        let identity =
            Identity::new(shared_store, Arc::new(mailer), shared_clock, Arc::clone(&chance), hasher.clone(), policy);
        let identity = Arc::new(identity);
        let administrator = identity.ensure_first_administrator(Password::new(FIRST_PASSWORD)).await;
        administrator.map_err(because("the first administrator could not be made"))?;

        let (base, dynamodb_url) = (&base_url, &engine.url());
        let lambda_env = LambdaEnv { base_url: base, dynamodb_url, table: TABLE, mail_from, given: &given };
        folder.write(LambdaEnv::FILE, &lambda_env.render())?;
        let mailbox = Mailbox::default();
        let front = Front::new(&Endpoints::ALL, Arc::clone(&identity), &settings).logging_to(log);
        let ses = Ses { mailbox: mailbox.clone(), clock };
        let router = web::router(front, mailbox.clone(), ses, chance, Load::within(bounds));
        let (stop, stopped) = oneshot::channel();
        let serving = connections::serve(listener, router, bounds, stopped);
        let serving = tokio::spawn(async move {
            tokio::select! {
                () = serving => {}
                () = rest(hasher) => {}
            }
        });
        Ok(Self { base_url, admin_token, mailbox, identity, store, stop, serving, engine, folder, keeps_accounts })
    }

    /// Where it answers, such as `http://127.0.0.1:9000`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The administrator token of its data directory.
    pub fn admin_token(&self) -> &AdminToken {
        &self.admin_token
    }

    /// The mails that were sent, newest first.
    pub fn mails(&self) -> Vec<LocalMail> {
        self.mailbox.newest_first()
    }

    /// The identity core that it serves.
    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// The store that the core works on.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Where the store engine answers, for an SDK client of one's own.
    pub fn dynamodb_url(&self) -> String {
        self.engine.url()
    }

    /// The name of the table in the store engine.
    pub fn table(&self) -> &'static str {
        TABLE
    }

    /// The data directory.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The settings for functions that run elsewhere on this machine against the same store and mails.
    pub fn lambda_env(&self) -> PathBuf {
        self.folder.file(LambdaEnv::FILE)
    }

    /// Where the administrator token lies.
    pub fn admin_token_file(&self) -> PathBuf {
        self.folder.admin_token_file()
    }

    /// Whether accounts are still there after a restart.
    pub fn keeps_accounts(&self) -> bool {
        self.keeps_accounts
    }

    /// Answers what is under way, then stops and gives the data directory free.
    pub async fn shutdown(self) {
        drop(self.stop);
        let mut serving = self.serving;
        if timeout(STOP_WITHIN, &mut serving).await.is_err() {
            serving.abort();
        }
        self.engine.shutdown().await;
    }
}

/// Connections that the system holds until they are accepted. A client whose connection it drops waits a second and more.
const MOST_WAITING: u32 = 1024;

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |cause: std::io::Error| match cause.kind() {
        std::io::ErrorKind::AddrInUse => StartError::PortTaken(port),
        _ => StartError::Port(port, cause),
    };
    let socket = TcpSocket::new_v4().map_err(failed)?;
    // A server that is started again shouldn't wait for the last one's connections to be forgotten.
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into()).map_err(failed)?;
    let listener = socket.listen(MOST_WAITING).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// The store on the engine, with its table.
async fn open_store(
    engine: &Engine,
    file: Option<PathBuf>,
    chance: Arc<dyn Chance>,
) -> Result<Arc<dyn Store>, StartError> {
    let dynamodb = engine.client();
    match (create_table(&dynamodb, TABLE).await, file) {
        (Ok(()), _) => Ok(Arc::new(DynamoStore::new(dynamodb, TABLE, chance))),
        (Err(cause), Some(file)) => Err(StartError::TableBroken(file, format!("{cause:#}"))),
        (Err(cause), None) => Err(cause.into()),
    }
}

/// Tells the store the administrator token of this directory and, unless a setting says otherwise, the issuer:
/// the first address that a data directory was served at, so that its tokens stay good when the port changes.
async fn prepare(store: &dyn Store, token: &AdminToken, issuer: Option<&str>) -> identity::Result<()> {
    store.set_admin_token(&Hashed::of(token.reveal().as_bytes())).await?;
    if let Some(issuer) = issuer {
        store.fix_issuer(issuer).await?;
    }
    Ok(())
}

/// Says what failed. The core's errors tell their causes themselves.
fn because(what: &'static str) -> impl FnOnce(identity::Error) -> StartError {
    move |cause| StartError::Other(anyhow!("{what}: {cause}"))
}

/// Gives back memory while nobody signs in, for as long as it is asked to.
async fn rest(hasher: Hasher) {
    let mut timer = interval(REST_EVERY);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        hasher.rest();
    }
}

/// As many hashes at a time as there are processors.
fn hasher(cost: HashCost) -> Hasher {
    Hasher::at_cost(cost, std::thread::available_parallelism().map_or(1, NonZeroUsize::get))
}

#[cfg(test)]
mod tests;
