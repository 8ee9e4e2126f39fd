//! What is known of a request before it reaches a handler.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use tokio::time::Instant;

use super::{Contract, Failure};
use crate::identity::{Errand, Language, Notes, Visitor};

/// How a request came in, told by whatever received it and never by the client.
#[derive(Debug, Clone, Default)]
pub struct Arrival {
    /// The network address it came from, "" where unknown.
    pub source: String,
    /// Identifies the request in logs and in the answer.
    pub request_id: String,
    /// Whether it came by https.
    pub secure: bool,
    /// The host it was addressed to, where that differs from the `Host` header.
    pub host: Option<String>,
    /// The trace that it belongs to, where it is traced.
    pub trace: Option<String>,
    /// When it has to be answered at the latest, where whoever runs this stops it then.
    pub answer_by: Option<Instant>,
}

/// A request's circumstances, as handlers see them.
#[derive(Debug, Clone)]
pub struct Context {
    /// The contract it speaks.
    pub contract: Contract,
    /// `/name` if its path named the contract, else "".
    pub mount: &'static str,
    /// The language of its answer.
    pub language: Language,
    /// The language that it asked for, if it named one of ours.
    pub asked_language: Option<Language>,
    /// How it came in.
    pub arrival: Arrival,
    /// What the client calls itself.
    pub agent: String,
    /// What mails are sent for.
    pub errand: Errand,
    /// What it turns out to be.
    pub notes: Notes,
}

impl Context {
    /// Scheme and host that the request was addressed to, e.g. `https://id.example.com`; none where the host is unknown.
    pub fn origin(&self) -> Option<String> {
        let scheme = if self.arrival.secure { "https" } else { "http" };
        self.arrival.host.as_ref().map(|host| format!("{scheme}://{host}"))
    }

    /// The same, as the core wants it.
    pub fn visitor(&self) -> Visitor {
        Visitor {
            source: self.arrival.source.clone(),
            agent: self.agent.clone(),
            interface: self.contract.name().to_owned(),
            language: self.language,
            asked_language: self.asked_language,
            notes: self.notes.clone(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Context {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let context = parts.extensions.get::<Self>().cloned();
        Ok(context.ok_or_else(|| anyhow::anyhow!("a request without context"))?)
    }
}

/// A header's text, where it is there and readable.
pub(super) fn header_text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The first value of a query parameter.
pub(crate) fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    form_urlencoded::parse(query?.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The language that a request asks for: `?lang`, then the contract's own signal, then `Accept-Language`.
pub(super) fn asked_language(contract: Contract, query: Option<&str>, headers: &HeaderMap) -> Option<Language> {
    let own = match contract {
        Contract::Mcphub => headers.get("x-language").and_then(|value| value.to_str().ok()),
        Contract::Kite | Contract::Zeaya | Contract::Sproutgate => None,
    };
    query_value(query, "lang")
        .and_then(|tag| language_of(&tag))
        .or_else(|| own.and_then(language_of))
        .or_else(|| accepted_language(header_text(headers, &header::ACCEPT_LANGUAGE)?))
}

/// The language of a contract's answers where none is asked for.
pub(super) fn usual_language(contract: Contract) -> Language {
    match contract {
        Contract::Kite => Language::English,
        Contract::Zeaya | Contract::Sproutgate | Contract::Mcphub => Language::Chinese,
    }
}

fn language_of(tag: &str) -> Option<Language> {
    let primary = tag.trim().split(['-', '_']).next()?;
    match primary.to_ascii_lowercase().as_str() {
        "zh" => Some(Language::Chinese),
        "en" => Some(Language::English),
        _ => None,
    }
}

/// The best-liked of our languages in an `Accept-Language` value (RFC 9110 section 12.5.4).
fn accepted_language(value: &str) -> Option<Language> {
    let ranges = value.split(',').filter_map(|range| {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let weight = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.trim().parse::<f32>().ok())?;
        let language = language_of(tag)?;
        (weight > 0.0).then_some((language, weight))
    });
    // Of equally liked ones the first wins.
    ranges.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn language_by_query_then_signal_then_header_then_default() {
        use Language::{Chinese, English};
        for (contract, query, own, accept, expected) in [
            (Contract::Kite, None, None, None, English),
            (Contract::Zeaya, None, None, None, Chinese),
            (Contract::Kite, None, None, Some("zh-CN,zh;q=0.9,en;q=0.8"), Chinese),
            (Contract::Zeaya, None, None, Some("fr, en;q=0.5, zh;q=0.4"), English),
            (Contract::Zeaya, None, None, Some("en;q=0, zh;q=0.1"), Chinese),
            (Contract::Zeaya, None, None, Some("fr"), Chinese),
            (Contract::Mcphub, None, Some("en"), Some("zh"), English),
            (Contract::Zeaya, None, Some("en"), None, Chinese),
            (Contract::Mcphub, Some("lang=zh_CN"), Some("en"), Some("en"), Chinese),
            (Contract::Kite, Some("a=b&lang=zh"), None, Some("en"), Chinese),
            (Contract::Kite, Some("lang=fr"), None, Some("zh"), Chinese),
        ] {
            let mut headers = HeaderMap::new();
            headers
                .extend(own.map(|tag| (header::HeaderName::from_static("x-language"), HeaderValue::from_static(tag))));
            headers.extend(accept.map(|value| (header::ACCEPT_LANGUAGE, HeaderValue::from_static(value))));
            let chosen = asked_language(contract, query, &headers).unwrap_or_else(|| usual_language(contract));
            assert_eq!(chosen, expected, "{contract:?} {query:?} {own:?} {accept:?}");
        }
    }
}
