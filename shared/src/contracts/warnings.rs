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
    /// The address that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    email: Option<String>,
    message: &'static str,
}

/// Doesn't change with the language.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum WarningCode {
    EmailBounced,
    EmailComplained,
    SecondFactorRequired,
}

/// What there is to say to the owner of an account, in their language.
pub(super) fn warnings(account: &Account, app: &App, context: &Context) -> Vec<Warning> {
    let told = account.undeliverable(app.identity.now()).into_iter().map(|(address, reason)| {
        let (code, text) = match reason {
            Undeliverable::Bounced => (WarningCode::EmailBounced, Text::MailBounced),
            Undeliverable::Complained => (WarningCode::EmailComplained, Text::MailUnwanted),
        };
        Warning { code, email: Some(address.as_str().to_owned()), message: messages::text(text, context.language) }
    });
    let factor = app.identity.lacks_second_factor(account).then(|| Warning {
        code: WarningCode::SecondFactorRequired,
        email: None,
        message: messages::text(Text::SecondFactorRequired, context.language),
    });
    told.chain(factor).collect()
}
