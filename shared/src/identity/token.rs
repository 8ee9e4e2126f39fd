//! Access tokens: JWTs in the shape of RFC 9068, signed with the key whose time it is and checked against the ring.

use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::chance;
use super::keys::SigningKey;
use super::seen::Verified;
use super::{AccessToken, AccountId, Error, Identity, LONGEST_ACCESS, Result, Session, SessionId};

/// `typ` of an access token (RFC 9068 section 2.1).
const TOKEN_TYPE: &str = "at+jwt";

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
#[derive(Debug, Clone)]
pub(super) struct TokenSubject {
    pub(super) account: AccountId,
    pub(super) session: SessionId,
    /// The key that signed it.
    pub(super) kid: String,
}

impl Identity {
    /// Signs an access token for a session; returns it with its expiry.
    pub(super) async fn issue_access_token(&self, session: &Session) -> Result<(AccessToken, OffsetDateTime)> {
        let ring = self.key_ring().await?;
        let now = self.now();
        let key = ring.signing(now).context("the key ring is empty")?;
        // No key verifies for longer than that.
        let life = Duration::from_secs(session.access_seconds).min(LONGEST_ACCESS);
        let expires_at = (now + life).min(session.ends_at);
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
        let mut header = Header::new(key.record.algorithm.in_header());
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(key.public.kid.clone());
        let token = key.sign(&header, &claims).context("sign an access token")?;
        Ok((AccessToken::new(token), expires_at))
    }

    /// Checks signature, type, issuer, audience and expiry, following nothing that the header points to.
    pub(super) async fn check_access_token(&self, token: &AccessToken) -> Result<TokenSubject> {
        let Some(kid) = acceptable_header(token) else { return Err(Error::TokenInvalid) };
        let Some(ring) = self.ring_with(&kid).await? else { return Err(Error::TokenInvalid) };
        let Some(key) = ring.find(&kid, self.now()) else { return Err(Error::TokenInvalid) };
        let Some(said) = verify(token, &ring.issuer, key) else { return Err(Error::TokenInvalid) };
        if self.now().unix_timestamp() >= said.expires_at {
            return Err(Error::TokenInvalid);
        }
        Ok(TokenSubject { account: said.account, session: said.session, kid })
    }
}

/// The key id of a header that is exactly ours: our algorithms and type, and nothing that would have us fetch,
/// trust or interpret a key from elsewhere.
fn acceptable_header(token: &AccessToken) -> Option<String> {
    let header = jsonwebtoken::decode_header(token.reveal()).ok()?;
    let foreign = header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some()
        || header.crit.is_some();
    // Whether it is the very key's own algorithm is seen when the signature is checked.
    let ours = matches!(header.alg, Algorithm::ES256 | Algorithm::RS256)
        && header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case(TOKEN_TYPE))
        && !foreign;
    if ours { header.kid } else { None }
}

/// What a token says that this key signed for this issuer. People present a token many times; the same letters need not
/// be verified by the same key twice.
fn verify(token: &AccessToken, issuer: &str, key: &SigningKey) -> Option<Verified> {
    key.seen.or_verify(token, || {
        let claims = verified_claims(token, issuer, key)?;
        Some(Verified { account: claims.sub, session: claims.sid, expires_at: claims.exp })
    })
}

fn verified_claims(token: &AccessToken, issuer: &str, key: &SigningKey) -> Option<Claims> {
    let mut validation = Validation::new(key.record.algorithm.in_header());
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[issuer]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // The library reads the machine's clock; the core is given its own.
    validation.validate_exp = false;
    jsonwebtoken::decode::<Claims>(token.reveal(), &key.decoding, &validation).ok().map(|decoded| decoded.claims)
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::{AlgorithmParameters, CommonParameters, Jwk, OctetKeyParameters, OctetKeyType};
    use ring::hmac;
    use serde_json::{Value, json};

    use super::*;
    use crate::identity::{KeyRecord, SigningAlgorithm};

    const ISSUER: &str = "https://id.example.com";

    fn key(algorithm: SigningAlgorithm) -> SigningKey {
        crate::identity::signature::install();
        let now = OffsetDateTime::UNIX_EPOCH;
        SigningKey::load(&KeyRecord::generate(algorithm, 1, now, now).expect("a key")).expect("the key")
    }

    fn claims() -> Value {
        let id = uuid::Uuid::nil();
        json!({
            "iss": ISSUER, "sub": id, "aud": ISSUER, "client_id": "app", "iat": 1, "exp": 4_000_000_000_i64,
            "jti": "x", "sid": id,
        })
    }

    fn header(key: &SigningKey) -> Header {
        let mut header = Header::new(key.record.algorithm.in_header());
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(key.public.kid.clone());
        header
    }

    fn signed(header: &Header, claims: &Value, key: &SigningKey) -> AccessToken {
        AccessToken::new(key.sign(header, claims).expect("a token"))
    }

    /// Whether the token is taken, the ring having this one key.
    fn passes(token: &AccessToken, key: &SigningKey) -> bool {
        acceptable_header(token).is_some_and(|kid| kid == key.public.kid) && verify(token, ISSUER, key).is_some()
    }

    const BOTH: [SigningAlgorithm; 2] = [SigningAlgorithm::Es256, SigningAlgorithm::Rs256];

    #[test]
    fn our_own_tokens_pass() {
        for algorithm in BOTH {
            let key = key(algorithm);
            assert!(passes(&signed(&header(&key), &claims(), &key), &key), "{algorithm:?}");
        }
    }

    #[test]
    fn a_header_that_points_elsewhere_or_is_of_another_type_is_refused() {
        let octets = OctetKeyParameters { key_type: OctetKeyType::Octet, value: "c2VjcmV0".to_owned() };
        let jwk = Jwk { common: CommonParameters::default(), algorithm: AlgorithmParameters::OctetKey(octets) };
        let elsewhere = || Some("https://evil.example/keys".to_owned());
        for algorithm in BOTH {
            let key = key(algorithm);
            let ours = header(&key);
            for (what, header) in [
                ("jku", Header { jku: elsewhere(), ..ours.clone() }),
                ("jwk", Header { jwk: Some(jwk.clone()), ..ours.clone() }),
                ("x5u", Header { x5u: elsewhere(), ..ours.clone() }),
                ("x5c", Header { x5c: Some(vec!["MIIB".to_owned()]), ..ours.clone() }),
                ("crit", Header { crit: Some(vec!["exp".to_owned()]), ..ours.clone() }),
                ("JWT", Header { typ: Some("JWT".to_owned()), ..ours.clone() }),
                ("no typ", Header { typ: None, ..ours.clone() }),
                ("no kid", Header { kid: None, ..ours.clone() }),
                ("another kid", Header { kid: Some("other".to_owned()), ..ours }),
            ] {
                assert!(!passes(&signed(&header, &claims(), &key), &key), "{algorithm:?} {what}");
            }
        }
    }

    #[test]
    fn claims_for_somebody_else_are_refused() {
        let key = key(SigningAlgorithm::Es256);
        for (claim, value) in [
            ("iss", json!("https://other.example.com")),
            ("aud", json!("https://other.example.com")),
            ("iss", Value::Null),
            ("aud", Value::Null),
            ("exp", Value::Null),
            ("sub", json!("not an id")),
            ("sid", json!(7)),
        ] {
            let mut claims = claims();
            claims[claim] = value.clone();
            assert!(!passes(&signed(&header(&key), &claims, &key), &key), "{claim} {value}");
        }
    }

    #[test]
    fn no_other_algorithm_than_the_keys_own_is_taken() {
        let (point, rsa) = (key(SigningAlgorithm::Es256), key(SigningAlgorithm::Rs256));
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let body = encode(&claims());
        for key in [&point, &rsa] {
            let kid = &key.public.kid;
            let public = key.decoding.try_get_as_bytes().expect("a public key");
            for alg in ["none", "None", "HS256", "HS512", "ES384", "PS256", "RS512", "EdDSA", "ES256", "RS256"] {
                let head = encode(&json!({"alg": alg, "typ": TOKEN_TYPE, "kid": kid}));
                let message = format!("{head}.{body}");
                // The public key taken for a shared secret (RFC 8725 section 2.1).
                let confused = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public), message.as_bytes());
                for signature in [String::new(), URL_SAFE_NO_PAD.encode(confused)] {
                    assert!(!passes(&AccessToken::new(format!("{message}.{signature}")), key), "{alg}");
                }
            }
        }
        // Signed well, by a key of ours, under the id of the other.
        for (signer, other) in [(&point, &rsa), (&rsa, &point)] {
            let header = Header { kid: Some(other.public.kid.clone()), ..header(signer) };
            assert!(!passes(&signed(&header, &claims(), signer), other));
        }
    }

    #[test]
    fn one_changed_byte_is_noticed() {
        let key = key(SigningAlgorithm::Es256);
        let token = signed(&header(&key), &claims(), &key);
        assert!(passes(&token, &key) && passes(&token, &key), "also once it was seen");
        for place in 0..token.reveal().len() {
            let mut bytes = token.reveal().as_bytes().to_vec();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("text");
            // The last character of a part has bits that say nothing, which the decoder must not ignore.
            assert!(!passes(&AccessToken::new(changed), &key), "{place}");
        }
    }
}
