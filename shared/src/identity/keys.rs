//! Signing keys as they are kept, published as a JWK set (RFC 7517), and put to work.

use anyhow::{Context, anyhow};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use graviola::signing::rsa;
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use ring::digest;
use ring::rsa::{KeyPair as RsaKeyPair, PublicKeyComponents};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::chance::system_random;
use super::seen::SeenTokens;
use super::signature::Signer;

/// What access tokens are signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4): short, and quick to sign.
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    /// RSA (2048 bits, PKCS #1 v1.5) with SHA-256 (RFC 7518 section 3.3): for verifiers that take nothing else.
    #[serde(rename = "RS256")]
    Rs256,
}

impl SigningAlgorithm {
    /// Its name as `alg` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    pub(crate) fn in_header(self) -> Algorithm {
        match self {
            Self::Es256 => Algorithm::ES256,
            Self::Rs256 => Algorithm::RS256,
        }
    }
}

/// A signing key as the store keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Counts from 1; a higher one takes over from a lower one.
    pub sequence: u64,
    /// What it signs with.
    #[serde(default)]
    pub algorithm: SigningAlgorithm,
    /// Private key, PKCS #8, base64.
    pkcs8: String,
    /// When it was made.
    #[serde(with = "time::serde::timestamp")]
    pub created_at: OffsetDateTime,
    /// From when on it signs; absent in keys that were made before that was written down, which signed at once.
    #[serde(default, with = "time::serde::timestamp::option")]
    signs_from: Option<OffsetDateTime>,
}

impl std::fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRecord").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

impl Drop for KeyRecord {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.pkcs8);
    }
}

impl KeyRecord {
    /// Makes a key that signs from some instant on.
    pub(crate) fn generate(
        algorithm: SigningAlgorithm,
        sequence: u64,
        now: OffsetDateTime,
        signs_from: OffsetDateTime,
    ) -> anyhow::Result<Self> {
        let pkcs8 = match algorithm {
            SigningAlgorithm::Es256 => p256()?,
            SigningAlgorithm::Rs256 => rsa_2048()?,
        };
        let pkcs8 = STANDARD_NO_PAD.encode(&*pkcs8);
        Ok(Self { sequence, algorithm, pkcs8, created_at: now, signs_from: Some(signs_from) })
    }

    /// From when on it signs.
    pub fn signs_from(&self) -> OffsetDateTime {
        self.signs_from.unwrap_or(self.created_at)
    }
}

fn p256() -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &system_random())
        .map_err(|_| anyhow!("no signing key could be made"))?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

/// ring signs with RSA keys but makes none.
fn rsa_2048() -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let failed = |error| anyhow!("no RSA key could be made: {error:?}");
    let key = rsa::SigningKey::generate(rsa::KeySize::Rsa2048).map_err(failed)?;
    let mut buffer = Zeroizing::new([0; 4096]);
    Ok(Zeroizing::new(key.to_pkcs8_der(&mut *buffer).map_err(failed)?.to_vec()))
}

/// One key of the published set (RFC 7517, RFC 7518 section 6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicKey {
    /// What its type says of it.
    #[serde(flatten)]
    pub numbers: KeyNumbers,
    /// Algorithm.
    pub alg: &'static str,
    /// Use: signatures.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// Identifier: the key's SHA-256 thumbprint (RFC 7638).
    pub kid: String,
}

/// The numbers of a public key, base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kty")]
pub enum KeyNumbers {
    /// A point of an elliptic curve.
    #[serde(rename = "EC")]
    Point {
        /// Curve.
        crv: &'static str,
        /// Abscissa.
        x: String,
        /// Ordinate.
        y: String,
    },
    /// An RSA key.
    #[serde(rename = "RSA")]
    Rsa {
        /// Modulus.
        n: String,
        /// Exponent.
        e: String,
    },
}

impl KeyNumbers {
    fn thumbprint(&self) -> String {
        // RFC 7638: the members that it requires, in the order of their names.
        let canonical = match self {
            Self::Point { crv, x, y } => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
        };
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
    }
}

/// A key ready for work.
pub(crate) struct SigningKey {
    pub(crate) record: KeyRecord,
    pub(crate) public: PublicKey,
    pub(crate) decoding: DecodingKey,
    /// What it verified lately.
    pub(super) seen: SeenTokens,
    signer: Signer,
}

impl SigningKey {
    pub(crate) fn load(record: &KeyRecord) -> anyhow::Result<Self> {
        let pkcs8 = STANDARD_NO_PAD.decode(&record.pkcs8).context("a stored signing key is not base64")?;
        let pkcs8 = Zeroizing::new(pkcs8);
        let (numbers, signer, decoding) = match record.algorithm {
            SigningAlgorithm::Es256 => load_p256(&pkcs8)?,
            SigningAlgorithm::Rs256 => load_rsa(&pkcs8)?,
        };
        let kid = numbers.thumbprint();
        let public = PublicKey { numbers, alg: record.algorithm.name(), usage: "sig", kid };
        Ok(Self { record: record.clone(), public, decoding, seen: SeenTokens::default(), signer })
    }

    /// A JWT in the compact form (RFC 7515 section 7.1). The header names this key's algorithm.
    pub(crate) fn sign(&self, header: &Header, claims: &impl Serialize) -> anyhow::Result<String> {
        let [header, claims] = [serde_json::to_vec(header)?, serde_json::to_vec(claims)?];
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.signer.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

fn load_p256(pkcs8: &[u8]) -> anyhow::Result<(KeyNumbers, Signer, DecodingKey)> {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &system_random())
        .map_err(|error| anyhow!("a stored signing key is broken: {error}"))?;
    // An uncompressed point: 0x04, then 32 bytes each of x and y.
    let point = pair.public_key().as_ref();
    let (x, y) = point.get(1..).context("an empty public key")?.split_at(32);
    let numbers = KeyNumbers::Point { crv: "P-256", x: URL_SAFE_NO_PAD.encode(x), y: URL_SAFE_NO_PAD.encode(y) };
    let decoding = DecodingKey::from_ec_der(point);
    Ok((numbers, Signer::Es256(pair), decoding))
}

fn load_rsa(pkcs8: &[u8]) -> anyhow::Result<(KeyNumbers, Signer, DecodingKey)> {
    let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|error| anyhow!("a stored signing key is broken: {error}"))?;
    let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
    let numbers = KeyNumbers::Rsa { n: URL_SAFE_NO_PAD.encode(n), e: URL_SAFE_NO_PAD.encode(e) };
    let decoding = DecodingKey::from_rsa_der(pair.public().as_ref());
    Ok((numbers, Signer::Rs256(pair), decoding))
}
