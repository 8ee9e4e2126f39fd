//! ES256 and RS256 through ring: one cryptographic library signs and verifies, and it takes no time to start. The JWT
//! library verifies by it. It would read a key anew for each signature that it makes, which is a third of the work, so
//! signatures are made here, by keys that are read once.

use anyhow::anyhow;
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey};
use ring::rsa;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, EcdsaKeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use signature::Verifier;

use super::chance::system_random;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, _| Err(unsupported(*algorithm)),
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::ES256 => Ok(Box::new(RingVerifier::new(Algorithm::ES256, &ECDSA_P256_SHA256_FIXED, key))),
        Algorithm::RS256 => Ok(Box::new(RingVerifier::new(Algorithm::RS256, &RSA_PKCS1_2048_8192_SHA256, key))),
        other => Err(unsupported(*other)),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes ring the JWT library's provider. Safe to call as often as one likes.
pub(crate) fn install() {
    // A second installation is refused by the library, and the first one was ours too.
    let _already = PROVIDER.install_default().is_err();
}

fn unsupported(_: Algorithm) -> Error {
    ErrorKind::InvalidAlgorithm.into()
}

/// A private key, ready to sign.
pub(crate) enum Signer {
    /// Signatures of 64 bytes (RFC 7518 section 3.4).
    Es256(EcdsaKeyPair),
    /// Signatures as long as the modulus (RFC 7518 section 3.3).
    Rs256(rsa::KeyPair),
}

impl Signer {
    /// The signature of a message, in the form that a JWS has.
    pub(crate) fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let failed = |_| anyhow!("ring signs nothing");
        match self {
            Self::Es256(pair) => Ok(pair.sign(&system_random(), message).map_err(failed)?.as_ref().to_vec()),
            Self::Rs256(pair) => {
                let mut signed = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &system_random(), message, &mut signed).map_err(failed)?;
                Ok(signed)
            }
        }
    }
}

struct RingVerifier {
    name: Algorithm,
    algorithm: &'static dyn VerificationAlgorithm,
    key: DecodingKey,
}

impl RingVerifier {
    fn new(name: Algorithm, algorithm: &'static dyn VerificationAlgorithm, key: &DecodingKey) -> Self {
        Self { name, algorithm, key: key.clone() }
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signed: &Vec<u8>) -> Result<(), signature::Error> {
        let public = self.key.try_get_as_bytes().map_err(|_| signature::Error::new())?;
        UnparsedPublicKey::new(self.algorithm, public).verify(message, signed).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.name
    }
}
