//! Signing keys: made on first use, kept in the store, published as a JWK set (RFC 7517).

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use ring::digest;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::chance::system_random;

/// A signing key as the store keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Counts from 1; the highest one signs.
    pub sequence: u64,
    /// Private key, PKCS #8, base64.
    pkcs8: String,
    /// When it was made.
    #[serde(with = "time::serde::timestamp")]
    pub created_at: OffsetDateTime,
}

impl std::fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRecord").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

impl KeyRecord {
    /// Makes a P-256 key.
    pub(crate) fn generate(sequence: u64, now: OffsetDateTime) -> anyhow::Result<Self> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &system_random())
            .map_err(|_| anyhow::anyhow!("no signing key could be made"))?;
        Ok(Self { sequence, pkcs8: STANDARD_NO_PAD.encode(document.as_ref()), created_at: now })
    }
}

/// One key of the published set (RFC 7517, RFC 7518 section 6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicKey {
    /// Key type.
    pub kty: &'static str,
    /// Curve.
    pub crv: &'static str,
    /// Abscissa, base64url.
    pub x: String,
    /// Ordinate, base64url.
    pub y: String,
    /// Algorithm.
    pub alg: &'static str,
    /// Use: signatures.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// Identifier: the key's SHA-256 thumbprint (RFC 7638).
    pub kid: String,
}

/// A key ready for work.
pub(crate) struct SigningKey {
    pub(crate) public: PublicKey,
    pub(crate) encoding: EncodingKey,
    pub(crate) decoding: DecodingKey,
}

impl SigningKey {
    pub(crate) fn load(record: &KeyRecord) -> anyhow::Result<Self> {
        let pkcs8 = STANDARD_NO_PAD.decode(&record.pkcs8).context("a stored signing key is not base64")?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &system_random())
            .map_err(|error| anyhow::anyhow!("a stored signing key is broken: {error}"))?;
        // An uncompressed point: 0x04, then 32 bytes each of x and y.
        let point = pair.public_key().as_ref();
        let (x, y) = point.get(1..).context("an empty public key")?.split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()));
        Ok(Self {
            public: PublicKey { kty: "EC", crv: "P-256", x, y, alg: "ES256", usage: "sig", kid },
            encoding: EncodingKey::from_ec_der(&pkcs8),
            decoding: DecodingKey::from_ec_der(point),
        })
    }
}

/// All keys of use, the signing one last, with the issuer they sign for.
pub(crate) struct KeyRing {
    pub(crate) issuer: String,
    pub(crate) keys: Vec<SigningKey>,
}

impl KeyRing {
    pub(crate) fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.public.kid == kid)
    }
}
