//! What a person should know who signs in, in a field that every contract adds where there is anything to say.

use schemars::JsonSchema;
use serde::Serialize;

use crate::http::{App, Context};
use crate::identity::{Account, Undeliverable};
use crate::messages::{self, Text};

/// Something that the person should see to.
#[derive(Serialize, JsonSchema)]
pub(super) struct Warning {
    code: WarningCode,
    /// The address that it is about.
    email: String,
    message: &'static str,
}

/// Doesn't change with the language.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum WarningCode {
    EmailBounced,
    EmailComplained,
}

/// What there is to say to the owner of an account, in their language.
pub(super) fn warnings(account: &Account, app: &App, context: &Context) -> Vec<Warning> {
    let told = account.undeliverable(app.identity.now()).into_iter().map(|(address, reason)| {
        let (code, text) = match reason {
            Undeliverable::Bounced => (WarningCode::EmailBounced, Text::MailBounced),
            Undeliverable::Complained => (WarningCode::EmailComplained, Text::MailUnwanted),
        };
        Warning { code, email: address.as_str().to_owned(), message: messages::text(text, context.language) }
    });
    told.collect()
}
