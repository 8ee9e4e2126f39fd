//! The identity core: accounts, sessions, codes, tokens, passwords and mail, without a word of how a request
//! came in, in which contract it was spelled or where things are stored.

mod account;
mod address_book;
mod addresses;
mod administer;
mod api_token;
mod avatar;
mod challenge;
pub(crate) mod chance;
mod clock;
mod code_mail;
mod compose;
mod context;
mod error;
mod keys;
mod mail;
mod manage;
mod millis;
mod ownership;
mod password;
mod picture;
mod profile;
mod refresh;
mod register;
mod reset;
mod search;
mod secret;
mod session;
mod sessions;
mod sign_in;
mod signature;
mod store;
mod text;
mod token;
mod tokens;

pub use account::{
    Account, AccountId, DEFAULT_STORAGE_LIMIT, EmailClaim, Gender, Profile, ProfileChanges, Role, Usage,
};
pub use addresses::{EmailChange, MOST_SECONDARY_EMAILS};
pub use administer::{AccountPage, Administrator};
pub use api_token::{ApiToken, ApiTokenId};
pub use avatar::Avatar;
pub use challenge::{CODE_LIFE, Challenge, ChallengeKey, MOST_GUESSES, MailEntry, MailLog, PendingAccount, Purpose};
pub use chance::{Chance, SystemChance};
pub use clock::{Clock, SystemClock};
pub use context::{Identity, Policy};
pub use error::{Error, Result, Violation};
pub use keys::{KeyRecord, PublicKey};
pub use mail::{Language, Mail, Mailer};
pub use manage::{AccountChanges, AccountDetails, NewAccount};
pub use password::{Hasher, PasswordHash};
pub use picture::{Picture, PictureVersion};
pub use profile::FirstLoginReset;
pub use register::{FIRST_ADMINISTRATOR, Registration};
pub use search::{Beginning, MOST_MATCHES, Matches};
pub use secret::{AccessToken, AdminToken, Code, Hashed, Password, RefreshToken};
pub use session::{REPEAT_GRACE, RefreshChain, RefreshTerms, Session, SessionId, SessionTerms, Visitor};
pub use sessions::MOST_LISTED_SESSIONS;
pub use sign_in::{Gate, Opened, SignIn, SignedIn, Tokens, Vouched, Voucher};
pub use store::{Change, Claim, ClaimKind, Refused, SigningRecord, Store, Version, Versioned};
pub use text::{EmailAddress, Identifier, Name, Problem, canonical, check_length};
pub use tokens::MOST_API_TOKENS;
