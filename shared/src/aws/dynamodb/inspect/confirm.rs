//! A second and a third look at what is suspect, all of it read again at about one time.

use std::collections::BTreeSet;
use std::time::Duration;

use time::OffsetDateTime;

use super::{DynamoStore, Seen, Wrong, look};
use crate::aws::dynamodb::items::{self, EventItem, Item, Key};
use crate::identity::{
    AccountId, Avatar, Belongings, Challenge, Claim, ClaimKind, Finding, Record, Result, Store as _, Suspect, Versioned,
};

/// How often what is suspect is looked at before it is told.
const LOOKS: u32 = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(400);

pub(super) struct Confirm<'a> {
    pub(super) store: &'a DynamoStore,
    pub(super) now: OffsetDateTime,
}

impl Confirm<'_> {
    /// What is still wrong with an item by itself; `None`: nothing is.
    pub(super) async fn item(&self, key: &Key) -> Result<Option<Vec<Wrong>>> {
        let items = self.store.batch([key.clone()]).await?;
        Ok(items.first().map(|item| look(item).1).filter(|wrong| !wrong.is_empty()))
    }

    /// What is wrong at each of several looks.
    pub(super) async fn suspects(&self, suspects: BTreeSet<Suspect>) -> Result<Vec<Finding>> {
        let mut open = Vec::with_capacity(suspects.len());
        for suspect in suspects {
            let found = self.look(&suspect).await?;
            open.push((suspect, found));
        }
        for _ in 1..LOOKS {
            open.retain(|(_, found)| !found.is_empty());
            if open.is_empty() {
                break;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
            for (suspect, found) in &mut open {
                let again = self.look(suspect).await?;
                // The versions may differ; what is told is the last look's.
                let told: Vec<_> = found.iter().map(Finding::to_string).collect();
                *found = again.into_iter().filter(|finding| told.contains(&finding.to_string())).collect();
            }
        }
        Ok(open.into_iter().flat_map(|(_, found)| found).collect())
    }

    async fn look(&self, suspect: &Suspect) -> Result<Vec<Finding>> {
        match suspect {
            Suspect::Account(account) => Ok(self.belongings(*account, None).await?.findings(self.now)),
            Suspect::Claim(kind, key) => self.claim(*kind, key).await,
            Suspect::Picture(number) => self.picture(*number).await,
            Suspect::Number(number, accounts) => {
                let ids: Vec<_> = accounts.iter().copied().collect();
                let read = self.store.accounts(&ids).await?;
                let same = read.iter().filter(|one| one.account.number == *number).count();
                let shared = Finding::NumberShared { number: *number, accounts: ids };
                Ok(if same > 1 { vec![shared] } else { Vec::new() })
            }
        }
    }

    async fn claim(&self, kind: ClaimKind, key: &str) -> Result<Vec<Finding>> {
        let held = self.store.claims(&[(kind, key.to_owned())]).await?;
        let Some(claim) = held.into_iter().next() else { return Ok(Vec::new()) };
        Ok(self.belongings(claim.account, Some(claim)).await?.findings(self.now))
    }

    /// Several accounts may have one number; that is told of itself.
    async fn picture(&self, number: u64) -> Result<Vec<Finding>> {
        let Some(picture) = self.store.picture(number).await? else {
            let account = self.numbered(number).await?;
            let own = match account {
                Some(read) => self.belongings(read.account.id, None).await?.findings(self.now),
                None => Vec::new(),
            };
            return Ok(own);
        };
        let account = self.numbered(number).await?;
        let named = account.as_ref().is_some_and(|read| match &read.account.profile.avatar {
            Avatar::Uploaded(version) => version == picture.version(),
            Avatar::None | Avatar::Elsewhere(_) => false,
        });
        let uploaded = account.as_ref().is_some_and(|read| read.account.profile.avatar.is_uploaded());
        Ok(match (named, uploaded, account) {
            (true, _, _) => Vec::new(),
            // Another picture than the account names stands under its number.
            (false, true, Some(read)) => vec![Finding::PictureMissing { account: read.account.id }],
            (false, _, account) => {
                let account = account.map(|read| (read.account.id, read.version));
                vec![Finding::PictureUnowned { number, account }]
            }
        })
    }

    /// The account of a number, by the index, and then as it is.
    async fn numbered(&self, number: u64) -> Result<Option<Versioned>> {
        let found = self.store.list_accounts(number.saturating_sub(1), 1).await?;
        let Some(account) = found.into_iter().find(|account| account.number == number) else { return Ok(None) };
        self.store.account(account.id).await
    }

    /// What is wrong with a mailed code.
    pub(super) async fn code(&self, code: &Challenge) -> Result<Vec<Finding>> {
        let stored = self.store.challenges(&code.key).await?;
        let mut found = Vec::new();
        for code in stored.into_iter().filter(|one| one.code == code.code) {
            let made = match code.used_by {
                Some(account) => {
                    let own = self.belongings(account, None).await?;
                    own.account.is_some() || own.was_deleted()
                }
                None => true,
            };
            found.extend(code.findings(made));
        }
        Ok(found)
    }

    /// An account and all that is its own, with a claim that says it is.
    async fn belongings(&self, id: AccountId, besides: Option<Claim>) -> Result<Belongings> {
        let mut own = Belongings {
            id,
            account: self.store.account(id).await?,
            claims: Vec::new(),
            sessions: Vec::new(),
            tokens: Vec::new(),
            pending: Vec::new(),
            events: Vec::new(),
            picture: None,
            administrators: self.store.administrators().await?,
        };
        for item in self.store.partition(&Key::account(id).pk).await? {
            sort(&mut own, &item);
        }
        if let Some(read) = &own.account {
            own.claims = self.store.claims(&Belongings::wanted(&read.account)).await?;
            own.picture = self.store.picture(read.account.number).await?.map(|picture| picture.version().clone());
        }
        own.claims.extend(besides.filter(|claim| !own.claims.contains(claim)));
        Ok(own)
    }
}

fn sort(own: &mut Belongings, item: &Item) {
    if let Ok(kept) = items::read::<EventItem<'_>>(item.clone()) {
        own.events.push(kept.event.into_owned());
    }
    match look(item).0 {
        Some(Seen::Record(Record::Session(session))) => own.sessions.push(*session),
        Some(Seen::Record(Record::ApiToken(token))) => own.tokens.push(*token),
        Some(Seen::Record(Record::Pending(pending))) => own.pending.push(*pending),
        Some(_) | None => {}
    }
}
