//! Access tokens: JWTs in the shape of RFC 9068, signed with the newest key and checked against the ring.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::chance;
use super::context::LoadedKeys;
use super::keys::{KeyRing, SigningKey};
use super::{AccessToken, AccountId, Error, Identity, KeyRecord, PublicKey, Result, Session, SessionId, SigningRecord};

/// `typ` of an access token (RFC 9068 section 2.1).
const TOKEN_TYPE: &str = "at+jwt";
/// An unknown key makes the ring load again, but not more often than this.
const RELOAD_GAP: Duration = Duration::from_secs(10);

/// Claims of an access token.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: AccountId,
    aud: String,
    /// The interface that the session was opened through.
    client_id: String,
    /// Seconds since the epoch.
    iat: i64,
    /// Seconds since the epoch.
    exp: i64,
    jti: String,
    sid: SessionId,
}

/// What a valid access token says: whose, and which session. Neither is trusted further before the store agrees.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenSubject {
    pub(super) account: AccountId,
    pub(super) session: SessionId,
}

impl Identity {
    /// Offers the issuer that tokens carry if none is set and none was ever fixed.
    pub fn propose_issuer(&self, issuer: &str) {
        self.proposed_issuer.get_or_init(|| issuer.to_owned());
    }

    /// Fetches the signing keys before they are needed, so that the first request need not wait for them.
    /// A deployment without keys yet gets them with its first token.
    pub async fn warm_up(&self) -> Result<()> {
        let record = self.store.signing_record().await?;
        if let Some(key) = record.code_key.clone() {
            self.code_key.get_or_init(|| async { key }).await;
        }
        if !record.keys.is_empty() && self.issuer_of(record.issuer.as_deref()).is_some() {
            self.keep_keys(&record).await?;
        }
        Ok(())
    }

    /// The published keys, and the issuer they sign for.
    pub async fn public_keys(&self) -> Result<(String, Vec<PublicKey>)> {
        let ring = self.key_ring().await?;
        Ok((ring.issuer.clone(), ring.keys.iter().map(|key| key.public.clone()).collect()))
    }

    /// Signs an access token for a session; returns it with its expiry.
    pub(super) async fn issue_access_token(&self, session: &Session) -> Result<(AccessToken, OffsetDateTime)> {
        let ring = self.key_ring().await?;
        let key = ring.keys.last().context("the key ring is empty")?;
        let now = self.now();
        let expires_at = (now + Duration::from_secs(session.access_seconds)).min(session.ends_at);
        let claims = Claims {
            iss: ring.issuer.clone(),
            sub: session.account,
            aud: ring.issuer.clone(),
            client_id: session.interface.clone(),
            iat: now.unix_timestamp(),
            exp: expires_at.unix_timestamp(),
            jti: URL_SAFE_NO_PAD.encode(chance::bytes::<16>(&*self.chance)?),
            sid: session.id,
        };
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(key.public.kid.clone());
        let token = jsonwebtoken::encode(&header, &claims, &key.encoding).context("sign an access token")?;
        Ok((AccessToken::new(token), expires_at))
    }

    /// Checks signature, type, issuer, audience and expiry, following nothing that the header points to.
    pub(super) async fn check_access_token(&self, token: &AccessToken) -> Result<TokenSubject> {
        let Some(header) = acceptable_header(token) else { return Err(Error::TokenInvalid) };
        let Some(ring) = self.ring_with(&header).await? else { return Err(Error::TokenInvalid) };
        let Some(key) = ring.find(&header) else { return Err(Error::TokenInvalid) };
        let Some(claims) = verified_claims(token, &ring.issuer, key) else { return Err(Error::TokenInvalid) };
        if self.now().unix_timestamp() >= claims.exp {
            return Err(Error::TokenInvalid);
        }
        Ok(TokenSubject { account: claims.sub, session: claims.sid })
    }

    pub(super) async fn key_ring(&self) -> Result<Arc<KeyRing>> {
        if let Some(loaded) = self.keys.read().await.as_ref() {
            return Ok(Arc::clone(&loaded.ring));
        }
        Ok(self.load_keys().await?.ring)
    }

    /// The ring that has this key; loads it anew where another process may have added the key since.
    async fn ring_with(&self, kid: &str) -> Result<Option<Arc<KeyRing>>> {
        let loaded = self.keys.read().await.clone();
        let loaded = match loaded {
            Some(loaded) => loaded,
            None => self.load_keys().await?,
        };
        let known = loaded.ring.find(kid).is_some();
        if known || self.now() < loaded.at + RELOAD_GAP {
            return Ok(known.then_some(loaded.ring));
        }
        let reloaded = self.load_keys().await?;
        Ok(reloaded.ring.find(kid).is_some().then_some(reloaded.ring))
    }

    /// Reads the keys, making the first one and fixing the issuer where that was never done. Both writes are
    /// conditional, so of many processes that start together one wins and the others read what it wrote.
    async fn load_keys(&self) -> Result<LoadedKeys> {
        let mut record = self.store.signing_record().await?;
        if record.keys.is_empty() {
            self.store.add_signing_key(&KeyRecord::generate(1, self.now())?).await?;
            record = self.store.signing_record().await?;
        }
        if self.policy.issuer.is_none() && record.issuer.is_none() {
            let proposed = self.proposed_issuer.get().context("no issuer is set and none was proposed")?;
            self.store.fix_issuer(proposed).await?;
            record = self.store.signing_record().await?;
        }
        self.keep_keys(&record).await
    }

    async fn keep_keys(&self, record: &SigningRecord) -> Result<LoadedKeys> {
        let issuer = self.issuer_of(record.issuer.as_deref()).context("the issuer was not kept")?;
        let keys = record.keys.iter().map(SigningKey::load).collect::<anyhow::Result<Vec<_>>>()?;
        let loaded = LoadedKeys { ring: Arc::new(KeyRing { issuer, keys }), at: self.now() };
        *self.keys.write().await = Some(loaded.clone());
        Ok(loaded)
    }

    fn issuer_of(&self, fixed: Option<&str>) -> Option<String> {
        self.policy.issuer.clone().or_else(|| fixed.map(str::to_owned))
    }
}

/// The key id of a header that is exactly ours: our algorithm and type, and nothing that would have us fetch,
/// trust or interpret a key from elsewhere.
fn acceptable_header(token: &AccessToken) -> Option<String> {
    let header = jsonwebtoken::decode_header(token.reveal()).ok()?;
    let foreign = header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some()
        || header.crit.is_some();
    let ours = header.alg == Algorithm::ES256
        && header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case(TOKEN_TYPE))
        && !foreign;
    if ours { header.kid } else { None }
}

fn verified_claims(token: &AccessToken, issuer: &str, key: &SigningKey) -> Option<Claims> {
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[issuer]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // The library reads the machine's clock; the core is given its own.
    validation.validate_exp = false;
    jsonwebtoken::decode::<Claims>(token.reveal(), &key.decoding, &validation).ok().map(|decoded| decoded.claims)
}
