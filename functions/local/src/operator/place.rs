//! Where a pool is, and the way to it: a data directory, a running server's engine or a deployment's table.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use polygate_shared::aws::client;
use polygate_shared::aws::dynamodb::DynamoStore;
use polygate_shared::aws::ses::SesMailer;
use polygate_shared::identity::{
    Hasher, Identity, Mail, Mailer, NotSent, Policy, SendError, SigningPolicy, Store as _, SystemChance, SystemClock,
};
use polygate_shared::mail_templates;
use polygate_shared::settings::{Settings, environment};

use super::{Done, Failed, told};
use crate::command::{DEFAULT_DATA, Place};
use crate::engine::Engine;
use crate::error::StartError;
use crate::folder::Folder;
use crate::lambda_env::LambdaEnv;
use crate::server::{TABLE, TABLE_FILE};

/// A pool that a command works on.
pub(super) struct Pool {
    pub(super) store: DynamoStore,
    pub(super) client: aws_sdk_dynamodb::Client,
    /// Its table's name.
    pub(super) table: String,
    /// The way to the mail service, of a deployment.
    pub(super) config: Option<SdkConfig>,
    engine: Option<Engine>,
    // After the engine, so that the directory is free only once nothing uses it.
    folder: Option<Folder>,
}

impl Pool {
    /// The pool at this place, which must be there.
    pub(super) async fn open(place: &Place) -> Done<Self> {
        let pool = Self::find(place).await?;
        // A directory has its table, and an engine counts every item to tell what that is.
        if pool.engine.is_some() {
            return Ok(pool);
        }
        match pool.look(place).await {
            Ok(()) => Ok(pool),
            Err(failed) => {
                pool.close().await;
                Err(failed)
            }
        }
    }

    /// Whether there is a table at the end of the way, which is told in better words than by the first request that fails.
    async fn look(&self, place: &Place) -> Done<()> {
        let table = &self.table;
        let Err(error) = self.client.describe_table().table_name(table).send().await else { return Ok(()) };
        let is_missing = error.as_service_error().is_some_and(|told| told.is_resource_not_found_exception());
        let has_code = error.code().is_some();
        let cause = DisplayErrorContext(&error);
        match &place.endpoint {
            Some(endpoint) if is_missing => Err(told(format!("there is no table {table} at {endpoint}"))),
            Some(endpoint) => Err(told(format!(
                "{endpoint} doesn't answer as a store engine does: name the address that the server's guide gives for its \
                 store engine, which isn't the server's own ({cause})"
            ))),
            None if is_missing => Err(told(format!(
                "there is no table {table}: name the one of the stack's output TableName, and its region with --region"
            ))),
            // Whoever may read a table need not be one who may look at what it is.
            None if has_code => Ok(()),
            None => Err(told(format!(
                "the table {table} can't be reached: look at the region and at the way there ({cause})"
            ))),
        }
    }

    /// The way to the pool at this place.
    pub(super) async fn find(place: &Place) -> Done<Self> {
        match (&place.endpoint, &place.table) {
            (Some(endpoint), table) => {
                let table = table.as_deref().unwrap_or(TABLE);
                Ok(Self::new(client::dynamodb(&client::connect_local(endpoint)?), table))
            }
            (None, Some(table)) => {
                let (config, lookup) = (deployed(place.region.as_deref())?, environment());
                let at_endpoint = client::at_endpoint_of(config.clone(), "DYNAMODB", &lookup);
                let pool = Self::new(client::dynamodb(&at_endpoint), table);
                Ok(Self { config: Some(client::at_endpoint_of(config, "SES", &lookup)), ..pool })
            }
            (None, None) => {
                let path = data_directory(place);
                let file = path.join(TABLE_FILE);
                if !file.exists() {
                    let path = path.display();
                    return Err(told(format!(
                        "{path} has no data: name its directory with --data, a running server's store engine with \
                         --endpoint, or a deployment's table with --table"
                    )));
                }
                Self::local(&path)
            }
        }
    }

    /// The pool in this directory, which is made where it isn't there; its table may be none yet.
    pub(super) fn local(path: &Path) -> Done<Self> {
        let folder = Folder::open(path).map_err(|failed| in_use(failed, path))?;
        let engine = Engine::start(Some(&folder.private_file(TABLE_FILE)?), None)?;
        let pool = Self::new(engine.client(), TABLE);
        Ok(Self { engine: Some(engine), folder: Some(folder), ..pool })
    }

    /// The pool behind a running server's engine.
    pub(super) fn beside(config: &SdkConfig) -> Self {
        Self::new(client::dynamodb(config), TABLE)
    }

    fn new(client: aws_sdk_dynamodb::Client, table: &str) -> Self {
        let store = DynamoStore::new(client.clone(), table, Arc::new(SystemChance::default()));
        Self { store, client, table: table.to_owned(), config: None, engine: None, folder: None }
    }

    /// The core on this pool, with the rules that the environment sets. It signs nothing: the issuer stays as it is, a key
    /// that takes over is of the kind that the deployment has, and none takes over by age.
    pub(super) async fn identity(&self) -> Done<Identity> {
        let settings = Settings::parse(&environment()).map_err(|bad| told(bad.to_string()))?;
        let (stationery, bad) = mail_templates::stationery(&settings);
        if let Some(bad) = bad.first() {
            return Err(told(bad.to_string()));
        }
        let record = self.store.signing_record().await?;
        let algorithm = record.keys.last().map_or(settings.signing_algorithm, |newest| newest.algorithm);
        let policy = Policy {
            issuer: Some(record.issuer.or(settings.issuer.clone()).unwrap_or_default()),
            passwords: settings.password_policy,
            signing: SigningPolicy { algorithm, max_age: None },
            stationery: Arc::new(stationery),
            ..Policy::default()
        };
        let mailer: Arc<dyn Mailer> = match (&self.config, settings.mail_from.as_deref()) {
            (Some(config), Some(from)) => {
                let mailer = SesMailer::new(config, from);
                Arc::new(mailer.reply_to(settings.mail_reply_to.as_deref()).under(settings.mail_configuration_set))
            }
            (Some(_) | None, _) => Arc::new(Unmailed),
        };
        let chance = Arc::new(SystemChance::default());
        let store = Arc::new(self.store.clone());
        Ok(Identity::new(store, mailer, Arc::new(SystemClock), chance, Hasher::at_cost(settings.hash_cost, 1), policy))
    }

    /// Gives the data directory free.
    pub(super) async fn close(self) {
        if let Some(engine) = self.engine {
            engine.shutdown().await;
        }
        drop(self.folder);
    }
}

pub(super) fn data_directory(place: &Place) -> PathBuf {
    place.data.clone().unwrap_or_else(|| DEFAULT_DATA.into())
}

/// The configuration for a deployment's table, with time for large answers over long ways.
fn deployed(region: Option<&str>) -> Done<SdkConfig> {
    let lookup = environment();
    let is_set = |name: &str| lookup(name).is_some_and(|value| !value.trim().is_empty());
    if !(is_set("AWS_ACCESS_KEY_ID") && is_set("AWS_SECRET_ACCESS_KEY")) {
        return Err(told(
            "no AWS credentials in the environment; those of a profile get there by \
             eval \"$(aws configure export-credentials --profile NAME --format env)\"",
        ));
    }
    let region = region.map(str::to_owned).or_else(|| lookup("AWS_REGION")).or_else(|| lookup("AWS_DEFAULT_REGION"));
    let Some(region) = region else { return Err(told("no region: name it with --region, or in AWS_REGION")) };
    let config = client::connect(&|name| if name == "AWS_REGION" { Some(region.clone()) } else { lookup(name) })?;
    Ok(client::unhurried(config))
}

/// A directory that a server holds, with the way through that server.
fn in_use(failed: StartError, path: &Path) -> Failed {
    let StartError::DataInUse { .. } = &failed else { return failed.into() };
    match engine_beside(path) {
        Some(url) => {
            told(format!("{} is in use by a running server: stop it, or give --endpoint {url}", path.display()))
        }
        None => failed.into(),
    }
}

/// Where the engine of the server that holds this directory listens, as it wrote down for functions.
pub(super) fn engine_beside(path: &Path) -> Option<String> {
    let settings = fs::read_to_string(path.join(LambdaEnv::FILE)).ok()?;
    let url = settings.lines().find_map(|line| line.strip_prefix("AWS_ENDPOINT_URL_DYNAMODB="))?;
    Some(url.to_owned())
}

/// Stands where nothing can be mailed: beside a data directory, whose mailbox is its server's, or without a sender.
struct Unmailed;

#[async_trait]
impl Mailer for Unmailed {
    async fn send(&self, _: &Mail) -> Result<(), SendError> {
        let cause = anyhow!("this command has no sender: a deployment's is named by MAIL_FROM");
        Err(SendError::NotSent { why: NotSent::Misconfigured, cause })
    }
}
