//! ES256 through ring, plugged into the JWT library: one cryptographic library in the binary, and none that
//! takes time to start.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey};
use signature::{Signer, Verifier};

use super::chance::system_random;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::ES256 => Ok(Box::new(Es256Signer::new(key)?)),
        other => Err(unsupported(*other)),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::ES256 => Ok(Box::new(Es256Verifier(key.clone()))),
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

struct Es256Verifier(DecodingKey);

impl Verifier<Vec<u8>> for Es256Verifier {
    fn verify(&self, message: &[u8], signed: &Vec<u8>) -> Result<(), signature::Error> {
        let point = self.0.try_get_as_bytes().map_err(|_| signature::Error::new())?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(message, signed)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Es256Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}
