//! ES256 and RS256 through ring, plugged into the JWT library: one cryptographic library signs and verifies, and it
//! takes no time to start.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use ring::rsa;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use signature::{Signer, Verifier};

use super::chance::system_random;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::ES256 => Ok(Box::new(Es256Signer::new(key)?)),
        Algorithm::RS256 => Ok(Box::new(Rs256Signer::new(key)?)),
        other => Err(unsupported(*other)),
    },
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

struct Es256Signer(EcdsaKeyPair);

impl Es256Signer {
    fn new(key: &EncodingKey) -> Result<Self, Error> {
        let random = system_random();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_bytes(), &random)
            .map(Self)
            .map_err(|_| ErrorKind::InvalidEcdsaKey.into())
    }
}

impl Signer<Vec<u8>> for Es256Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let signed = self.0.sign(&system_random(), message).map_err(|_| signature::Error::new())?;
        Ok(signed.as_ref().to_vec())
    }
}

impl JwtSigner for Es256Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

struct Rs256Signer(rsa::KeyPair);

impl Rs256Signer {
    fn new(key: &EncodingKey) -> Result<Self, Error> {
        rsa::KeyPair::from_pkcs8(key.as_bytes()).map(Self).map_err(|_| ErrorKind::InvalidKeyFormat.into())
    }
}

impl Signer<Vec<u8>> for Rs256Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let mut signed = vec![0; self.0.public().modulus_len()];
        let failed = |_| signature::Error::new();
        self.0.sign(&RSA_PKCS1_SHA256, &system_random(), message, &mut signed).map_err(failed)?;
        Ok(signed)
    }
}

impl JwtSigner for Rs256Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
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
