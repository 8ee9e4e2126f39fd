//! Reads: strongly consistent wherever something is decided by them.

use std::collections::HashSet;

use anyhow::Context;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use serde::de::DeserializeOwned;

use super::DynamoStore;
use super::fault::{ATTEMPTS, fault, pause, unavailable};
use super::items::{
    self, API_TOKEN, AccountItem, ApiTokenItem, ChallengeItem, ClaimItem, CodeKeyItem, CounterItem, IssuerItem, Item,
    Key, MailLogItem, MailMarkItem, PendingItem, SESSION, SessionItem, SettingsItem, SigningKeyItem, TOTAL_SHARDS,
};
use crate::identity::{
    AccountId, ApiToken, ApiTokenId, Challenge, ChallengeKey, Claim, ClaimKind, MailLog, Mailbox, PendingId,
    PendingSignIn, Result, RuntimeSettings, Session, SessionId, SigningRecord, Versioned,
};

/// As many as one request takes.
const BATCH: usize = 100;

impl DynamoStore {
    /// One item by its key.
    pub(super) async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| fault("GetItem", error))?;
        Ok(answer.item.map(items::read).transpose()?)
    }

    /// The items that exist of these keys, in no order.
    pub(super) async fn batch(&self, keys: impl IntoIterator<Item = Key>) -> Result<Vec<Item>> {
        // The same key twice would be refused.
        let keys: Vec<Key> = keys.into_iter().collect::<HashSet<_>>().into_iter().collect();
        let mut found = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(BATCH) {
            let mut wanted: Vec<Item> = chunk.iter().cloned().map(Key::attributes).collect();
            let mut attempt = 1;
            loop {
                let (some, rest) = self.batch_once(wanted).await?;
                found.extend(some);
                if rest.is_empty() {
                    break;
                }
                if attempt == ATTEMPTS {
                    return Err(unavailable(anyhow::anyhow!("BatchGetItem left {} keys unread", rest.len())));
                }
                pause(attempt, &*self.chance).await;
                attempt += 1;
                wanted = rest;
            }
        }
        Ok(found)
    }

    /// What one request brings, and the keys that the table had no capacity for.
    async fn batch_once(&self, keys: Vec<Item>) -> Result<(Vec<Item>, Vec<Item>)> {
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let answer = self
            .client
            .batch_get_item()
            .request_items(&self.table, wanted.context("an incomplete batch")?)
            .send()
            .await
            .map_err(|error| fault("BatchGetItem", error))?;
        let found = answer.responses.into_iter().flatten().flat_map(|(_, items)| items).collect();
        let rest = answer.unprocessed_keys.into_iter().flatten().flat_map(|(_, wanted)| wanted.keys).collect();
        Ok((found, rest))
    }

    /// All items of one partition, in order.
    pub(super) async fn partition(&self, pk: &str) -> Result<Vec<Item>> {
        self.all_of(self.query(pk).key_condition_expression("#pk = :pk")).await
    }

    /// The items of one partition whose sort keys begin so, in order.
    async fn beginning(&self, pk: &str, sk: &str) -> Result<Vec<Item>> {
        let request = self
            .query(pk)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :sk)")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":sk", AttributeValue::S(sk.to_owned()));
        self.all_of(request).await
    }

    fn query(&self, pk: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
    }

    async fn all_of(&self, request: QueryFluentBuilder) -> Result<Vec<Item>> {
        let (mut found, mut start) = (Vec::new(), None);
        loop {
            let page =
                request.clone().set_exclusive_start_key(start).send().await.map_err(|error| fault("Query", error))?;
            found.extend(page.items.into_iter().flatten());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    pub(super) async fn read_claims(&self, keys: &[(ClaimKind, String)]) -> Result<Vec<Claim>> {
        let found = self.batch(keys.iter().map(|(kind, key)| Key::claim(*kind, key))).await?;
        let claims = found.into_iter().map(|item| items::read::<ClaimItem>(item).map(Claim::from));
        Ok(claims.collect::<anyhow::Result<_>>()?)
    }

    pub(super) async fn read_claims_and_settings(
        &self,
        keys: &[(ClaimKind, String)],
    ) -> Result<(Vec<Claim>, RuntimeSettings)> {
        let settings_key = Key::runtime_settings();
        let wanted = keys.iter().map(|(kind, key)| Key::claim(*kind, key)).chain([settings_key.clone()]);
        let (mut claims, mut settings) = (Vec::with_capacity(keys.len()), RuntimeSettings::default());
        for item in self.batch(wanted).await? {
            match item.get("sk").and_then(|sk| sk.as_s().ok()) == Some(&settings_key.sk) {
                true => settings = items::read::<SettingsItem<'_>>(item)?.settings.into_owned(),
                false => claims.push(items::read::<ClaimItem>(item)?.into()),
            }
        }
        Ok((claims, settings))
    }

    pub(super) async fn read_mailbox(&self, address_key: &str) -> Result<Mailbox> {
        let (log_key, mark_key) = (Key::mail_log(address_key), Key::mail_mark(address_key));
        let mut mailbox = Mailbox { log: MailLog::empty(address_key), mark: None };
        for item in self.batch([log_key, mark_key.clone()]).await? {
            match item.get("sk").and_then(|sk| sk.as_s().ok()) == Some(&mark_key.sk) {
                true => mailbox.mark = Some(items::read::<MailMarkItem<'_>>(item)?.mark.into_owned()),
                false => mailbox.log = items::read::<MailLogItem>(item)?.log,
            }
        }
        Ok(mailbox)
    }

    pub(super) async fn read_accounts(&self, ids: &[AccountId]) -> Result<Vec<Versioned>> {
        let found = self.batch(ids.iter().map(|id| Key::account(*id))).await?;
        let accounts = found.into_iter().map(|item| items::read::<AccountItem<'_>>(item).map(Versioned::from));
        Ok(accounts.collect::<anyhow::Result<_>>()?)
    }

    pub(super) async fn read_account_and_session(
        &self,
        account: AccountId,
        session: SessionId,
    ) -> Result<(Option<Versioned>, Option<Session>)> {
        let (owner, opened) = self.account_and::<SessionItem<'_>>(account, Key::session(account, session)).await?;
        Ok((owner, opened.map(|item| item.session.into_owned())))
    }

    pub(super) async fn read_account_and_api_token(
        &self,
        account: AccountId,
        token: ApiTokenId,
    ) -> Result<(Option<Versioned>, Option<ApiToken>)> {
        let (owner, kept) = self.account_and::<ApiTokenItem<'_>>(account, Key::api_token(account, token)).await?;
        Ok((owner, kept.map(|item| item.token.into_owned())))
    }

    pub(super) async fn read_account_and_pending(
        &self,
        account: AccountId,
        pending: PendingId,
    ) -> Result<(Option<Versioned>, Option<PendingSignIn>)> {
        let (owner, waiting) = self.account_and::<PendingItem<'_>>(account, Key::pending(account, pending)).await?;
        Ok((owner, waiting.map(|item| item.pending.into_owned())))
    }

    /// An account and another item, in one round trip.
    async fn account_and<T: DeserializeOwned>(
        &self,
        account: AccountId,
        other: Key,
    ) -> Result<(Option<Versioned>, Option<T>)> {
        let account_key = Key::account(account);
        let (mut owner, mut found) = (None, None);
        for item in self.batch([account_key.clone(), other]).await? {
            match item.get("sk").and_then(|sk| sk.as_s().ok()) == Some(&account_key.sk) {
                true => owner = Some(items::read::<AccountItem<'_>>(item)?.into()),
                false => found = Some(items::read::<T>(item)?),
            }
        }
        Ok((owner, found))
    }

    pub(super) async fn read_sessions(&self, account: AccountId) -> Result<Vec<Session>> {
        let found = self.beginning(&Key::account(account).pk, SESSION).await?;
        let sessions =
            found.into_iter().map(|item| items::read::<SessionItem<'_>>(item).map(|kept| kept.session.into_owned()));
        Ok(sessions.collect::<anyhow::Result<_>>()?)
    }

    pub(super) async fn read_api_tokens(&self, account: AccountId) -> Result<Vec<ApiToken>> {
        let found = self.beginning(&Key::account(account).pk, API_TOKEN).await?;
        let tokens =
            found.into_iter().map(|item| items::read::<ApiTokenItem<'_>>(item).map(|kept| kept.token.into_owned()));
        Ok(tokens.collect::<anyhow::Result<_>>()?)
    }

    pub(super) async fn read_challenges(&self, key: &ChallengeKey) -> Result<Vec<Challenge>> {
        let found = self.partition(&Key::challenges(key)).await?;
        let challenges = found
            .into_iter()
            .map(|item| items::read::<ChallengeItem<'_>>(item).map(|stored| stored.challenge.into_owned()));
        Ok(challenges.collect::<anyhow::Result<_>>()?)
    }

    pub(super) async fn read_signing_record(&self) -> Result<SigningRecord> {
        let (mut record, code_key) = (SigningRecord::default(), Key::code_key().attributes());
        for item in self.partition(Key::SIGNING).await? {
            if item.contains_key("issuer") {
                record.issuer = Some(items::read::<IssuerItem<'_>>(item)?.issuer.into_owned());
            } else if item.contains_key("key") {
                record.keys.push(items::read::<SigningKeyItem<'_>>(item)?.key.into_owned());
            } else if item.get("sk") == code_key.get("sk") {
                record.code_key = Some(items::read::<CodeKeyItem<'_>>(item)?.into());
            }
        }
        Ok(record)
    }

    pub(super) async fn read_total(&self) -> Result<u64> {
        let shards = self.batch((0..TOTAL_SHARDS).map(Key::total)).await?;
        let counts = shards.into_iter().map(|item| items::read::<CounterItem>(item).map(|counter| counter.count));
        Ok(counts.sum::<anyhow::Result<u64>>()?)
    }
}
