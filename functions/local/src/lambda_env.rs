//! `lambda.env`: the settings by which functions run by cargo-lambda use this server's store and mails.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::ses;

/// What the file tells.
pub(crate) struct LambdaEnv<'a> {
    pub(crate) base_url: &'a str,
    pub(crate) dynamodb_url: &'a str,
    pub(crate) table: &'a str,
    pub(crate) mail_from: &'a str,
    /// The settings that were given, see [`crate::SETTINGS`].
    pub(crate) given: &'a BTreeMap<String, String>,
}

impl LambdaEnv<'_> {
    /// Its name in the data directory.
    pub(crate) const FILE: &'static str = "lambda.env";

    /// Its text.
    pub(crate) fn render(&self) -> String {
        let ses_url = ses::url(self.base_url);
        let mut lines = BTreeMap::from([
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb_url),
            ("AWS_ENDPOINT_URL_SES", ses_url.as_str()),
            ("AWS_REGION", "us-east-1"),
            // The engine takes any, but the SDK doesn't go without.
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("TABLE_NAME", self.table),
        ]);
        let given = self.given.iter().map(|(name, value)| (name.as_str(), value.trim()));
        lines.extend(given.filter(|(_, value)| !value.is_empty()));
        lines.insert("MAIL_FROM", self.mail_from);
        lines.iter().fold(String::new(), |mut text, (name, value)| {
            // Writing into a string can't fail.
            let _ = writeln!(text, "{name}={}", quoted(value));
            text
        })
    }
}

/// As the readers of such files take it: they refuse the whole file for one bare value with a space or an equals sign.
fn quoted(value: &str) -> Cow<'_, str> {
    if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:/@,+%".contains(&byte)) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(format!("\"{}\"", value.replace('\\', r"\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_setting_a_line() {
        let given = BTreeMap::from([
            ("ROOT_CONTRACT".to_owned(), "zeaya".to_owned()),
            ("CONTRACT_HOSTS".to_owned(), "a.example=kite,b.example=mcphub".to_owned()),
            ("ISSUER".to_owned(), String::new()),
        ]);
        let file = LambdaEnv {
            base_url: "http://127.0.0.1:9000",
            dynamodb_url: "http://127.0.0.1:9001",
            table: "polygate",
            mail_from: "Polygate <a@example.com>",
            given: &given,
        };
        assert_eq!(
            file.render(),
            "AWS_ACCESS_KEY_ID=local\nAWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:9001\n\
             AWS_ENDPOINT_URL_SES=http://127.0.0.1:9000/_local/ses\nAWS_REGION=us-east-1\n\
             AWS_SECRET_ACCESS_KEY=local\nCONTRACT_HOSTS=\"a.example=kite,b.example=mcphub\"\nMAIL_FROM=\"Polygate <a@example.com>\"\n\
             ROOT_CONTRACT=zeaya\nTABLE_NAME=polygate\n"
        );
    }
}
