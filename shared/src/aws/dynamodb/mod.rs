//! The core's store in one DynamoDB table.
//!
//! `items` has every key and shape. Writes are conditional, one alone or several as a transaction; reads that
//! decide are strongly consistent.

mod attempts;
mod commit;
mod copy;
mod fault;
mod inspect;
mod items;
mod lines;
mod listing;
mod reads;
mod search;
mod table;
mod trail;
mod usage;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use time::OffsetDateTime;

pub use copy::{Ground, Page, PoolMark, Put};
pub use inspect::{Defect, Found, Inspection, Mended, Report};
pub use items::Wrong;
pub use table::create_table;

use crate::identity::{
    Account, AccountId, ApiToken, ApiTokenId, AttemptKey, Attempts, AuditEvent, Challenge, ChallengeKey, Chance,
    Change, Claim, ClaimKind, CodeKey, Counting, EventId, Hashed, KeptReport, MailLog, Mailbox, PendingId,
    PendingSignIn, Picture, RefreshChain, Refused, Result, RuntimeSettings, Session, SessionId, SigningRecord, Store,
    Trail, Versioned,
};
use items::{
    AccountItem, AdminTokenItem, CodeKeyItem, CounterItem, IssuerItem, Key, MailLogItem, PictureItem, ReportItem,
    SettingsItem, attribute, refreshed,
};
use write::Write;

/// The store of one deployment.
#[derive(Clone)]
pub struct DynamoStore {
    client: aws_sdk_dynamodb::Client,
    table: String,
    chance: Arc<dyn Chance>,
}

impl DynamoStore {
    /// The store in this table, which must exist in the shape that [`create_table`] gives it. Chance spreads
    /// repeated attempts in time.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>, chance: Arc<dyn Chance>) -> Self {
        Self { client, table: table.into(), chance }
    }

    /// Asks for everything in the table, a page at a time.
    fn all_items(&self) -> ScanFluentBuilder {
        self.client.scan().table_name(&self.table).consistent_read(true)
    }

    async fn write(&self, write: Write) -> Result<bool> {
        write.alone(self).await
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn commit(&self, changes: &[Change<'_>]) -> Result<Result<(), Refused>> {
        commit::commit(self, changes).await
    }

    async fn claims(&self, keys: &[(ClaimKind, String)]) -> Result<Vec<Claim>> {
        self.read_claims(keys).await
    }

    async fn claims_and_settings(&self, keys: &[(ClaimKind, String)]) -> Result<(Vec<Claim>, RuntimeSettings)> {
        self.read_claims_and_settings(keys).await
    }

    async fn runtime_settings(&self) -> Result<RuntimeSettings> {
        let stored = self.get::<SettingsItem<'_>>(Key::runtime_settings()).await?;
        Ok(stored.map(|item| item.settings.into_owned()).unwrap_or_default())
    }

    async fn claims_and_attempts(
        &self,
        names: &[(ClaimKind, String)],
        attempts: &[AttemptKey],
    ) -> Result<(Vec<Claim>, Vec<Option<Attempts>>)> {
        self.read_claims_and_attempts(names, attempts).await
    }

    async fn account(&self, id: AccountId) -> Result<Option<Versioned>> {
        Ok(self.get::<AccountItem<'_>>(Key::account(id)).await?.map(Versioned::from))
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Versioned>> {
        self.read_accounts(ids).await
    }

    async fn account_and_session(
        &self,
        account: AccountId,
        session: SessionId,
    ) -> Result<(Option<Versioned>, Option<Session>)> {
        self.read_account_and_session(account, session).await
    }

    async fn account_and_api_token(
        &self,
        account: AccountId,
        token: ApiTokenId,
    ) -> Result<(Option<Versioned>, Option<ApiToken>)> {
        self.read_account_and_api_token(account, token).await
    }

    async fn account_and_pending(
        &self,
        account: AccountId,
        pending: PendingId,
    ) -> Result<(Option<Versioned>, Option<PendingSignIn>)> {
        self.read_account_and_pending(account, pending).await
    }

    async fn count_attempt(
        &self,
        key: &AttemptKey,
        counting: &Counting,
    ) -> Result<std::result::Result<(), Option<Attempts>>> {
        self.count(key, counting).await
    }

    async fn take_attempt_back(&self, key: &AttemptKey) -> Result<()> {
        self.take_back(key).await
    }

    async fn remember_device(&self, device: &AttemptKey, now: OffsetDateTime, until: OffsetDateTime) -> Result<()> {
        self.remember(device, now, until).await
    }

    async fn forget_attempts(&self, key: &AttemptKey) -> Result<()> {
        self.write(Write::delete(Key::attempts(key))).await?;
        Ok(())
    }

    async fn sessions(&self, account: AccountId) -> Result<Vec<Session>> {
        self.read_sessions(account).await
    }

    async fn api_tokens(&self, account: AccountId) -> Result<Vec<ApiToken>> {
        self.read_api_tokens(account).await
    }

    async fn note_use(&self, token: &ApiToken, now: OffsetDateTime) -> Result<()> {
        // Seconds, as the token itself has them.
        let now = now.unix_timestamp();
        let write = Write::update(Key::api_token(token.account, token.id), "SET #token.#last_used = :now")
            .when("attribute_exists(#pk) AND (attribute_type(#token.#last_used, :null) OR #token.#last_used < :now)")
            .value(":now", &now)?
            .value(":null", &"NULL")?;
        self.write(write).await?;
        Ok(())
    }

    async fn next_account_number(&self) -> Result<u64> {
        // A repetition by the SDK may count twice; gaps are allowed.
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::account_number().attributes()))
            .update_expression("ADD #count :one")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":one", attribute(&1)?)
            .return_values(ReturnValue::UpdatedNew);
        let sent = fault::patiently(&*self.chance, || request.clone().send(), write::is_conflict).await;
        let answer = sent.map_err(|error| fault::fault("UpdateItem", error))?;
        let counter: CounterItem = items::read(answer.attributes.context("a counter without a count")?)?;
        Ok(counter.count)
    }

    async fn rotate(&self, session: &Session, was: &Hashed, next: &RefreshChain, now: OffsetDateTime) -> Result<bool> {
        let expression = "SET #session.#refresh = :refresh, #session.#seen_at = :seen_at, #expires_at = :expires_at";
        let write = Write::update(Key::session(session.account, session.id), expression)
            .when("#session.#refresh.#current = :was")
            .values(refreshed(session, next, now)?)
            .value(":was", was)?;
        self.write(write).await
    }

    async fn end_session(&self, account: AccountId, session: SessionId) -> Result<()> {
        self.write(Write::delete(Key::session(account, session))).await?;
        Ok(())
    }

    async fn challenges(&self, key: &ChallengeKey) -> Result<Vec<Challenge>> {
        self.read_challenges(key).await
    }

    async fn reserve_guess(&self, challenge: &Challenge, most: u32) -> Result<bool> {
        // A repetition by the SDK may count twice: that costs a guess and never gives one away.
        let expression = "SET #challenge.#guesses = #challenge.#guesses + :one";
        let write = Write::update(Key::challenge(challenge), expression)
            .when("#challenge.#code = :code AND #challenge.#guesses < :most")
            .value(":one", &1)?
            .value(":code", &challenge.code)?
            .value(":most", &most)?;
        self.write(write).await
    }

    async fn mail_log(&self, address_key: &str) -> Result<MailLog> {
        let stored = self.get::<MailLogItem>(Key::mail_log(address_key)).await?;
        Ok(stored.map_or_else(|| MailLog::empty(address_key), |item| item.log))
    }

    async fn mailbox(&self, address_key: &str) -> Result<Mailbox> {
        self.read_mailbox(address_key).await
    }

    async fn kept_report(&self, key: &Hashed) -> Result<Option<KeptReport>> {
        let stored = self.get::<ReportItem>(Key::report(key)).await?;
        Ok(stored.map(|item| item.report(key)).transpose()?)
    }

    async fn picture(&self, number: u64) -> Result<Option<Picture>> {
        Ok(self.get::<PictureItem>(Key::picture(number)).await?.map(Picture::from))
    }

    async fn signing_record(&self) -> Result<SigningRecord> {
        self.read_signing_record().await
    }

    async fn add_code_key(&self, key: &CodeKey) -> Result<bool> {
        self.write(Write::put(&CodeKeyItem::new(key))?.when("attribute_not_exists(#pk)")).await
    }

    async fn fix_issuer(&self, issuer: &str) -> Result<bool> {
        self.write(Write::put(&IssuerItem::new(issuer))?.when("attribute_not_exists(#pk)")).await
    }

    async fn admin_token(&self) -> Result<Option<Hashed>> {
        let stored = self.get::<AdminTokenItem<'_>>(Key::admin_token()).await?;
        Ok(stored.map(|item| item.hashed.into_owned()))
    }

    async fn set_admin_token(&self, hashed: &Hashed) -> Result<()> {
        self.write(Write::put(&AdminTokenItem::new(hashed))?).await?;
        Ok(())
    }

    async fn first_administrator_was_made(&self) -> Result<bool> {
        Ok(self.get::<Key>(Key::first_administrator()).await?.is_some())
    }

    async fn list_accounts(&self, after: u64, limit: u32) -> Result<Vec<Account>> {
        listing::list(self, after, limit).await
    }

    async fn events(&self, trail: Trail, before: Option<EventId>, limit: u32) -> Result<Vec<AuditEvent>> {
        trail::read(self, trail, before, limit as usize).await
    }

    async fn owners_of_beginnings(
        &self,
        beginnings: &[(ClaimKind, String)],
        most: usize,
    ) -> Result<Option<BTreeSet<AccountId>>> {
        search::owners(self, beginnings, most).await
    }

    async fn count_accounts(&self) -> Result<u64> {
        self.read_total().await
    }
}
