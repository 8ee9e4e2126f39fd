//! What differs each time, replaced once its shape was asserted.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

pub(crate) fn redact_header(name: &str, value: &str) -> String {
    match name {
        "x-request-id" => {
            assert!(value.len() == 16 && value.bytes().all(|byte| byte.is_ascii_hexdigit()), "request id {value}");
            "[request id]".to_owned()
        }
        "set-cookie" => {
            let (pair, attributes) = value.split_once(';').expect("attributes");
            let (name, secret) = pair.split_once('=').expect("a value");
            let shown = match (name, secret) {
                (_, "") => "",
                ("access_token", token) => shape_of_access_token(token),
                ("refresh_token", token) => shape_of_refresh_token(token),
                other => panic!("an unknown cookie {other:?}"),
            };
            format!("{name}={shown};{attributes}")
        }
        _ => value.to_owned(),
    }
}

pub(crate) fn redact(key: &str, value: &mut Value) {
    match value {
        // Of a session, which alone tells when it was last seen.
        Value::Object(fields) if fields.contains_key("last_seen") => {
            let id: uuid::Uuid = fields["id"].as_str().expect("an id").parse().expect("a UUID");
            assert_eq!(id.get_version_num(), 4);
            fields["id"] = "[uuid]".into();
        }
        Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| redact(key, value)),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(key, item)),
        Value::String(text) => {
            let shown = match key {
                "token" if text.starts_with("pgt_") => shape_of_api_token(text),
                "token" | "access_token" => shape_of_access_token(text),
                "refresh_token" => shape_of_refresh_token(text),
                "challenge_token" => shape_of_challenge_token(text),
                "secret" => shape_of_totp_secret(text),
                "uri" => shape_of_totp_uri(text),
                "qr" => shape_of_qr(text),
                "recovery_codes" => shape_of_recovery_code(text),
                "id" | "user_id" => shape_of_account_id(text),
                "nextCursor" | "next_cursor" if text.len() == 36 => shape_of_account_id(text),
                // A session or an API token.
                "detail" if text.len() == 36 => shape_of_id(text),
                "kid" | "x" | "y" => shape_of_32_bytes(text),
                _ => return,
            };
            *text = shown.to_owned();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Ids in what a request says, wherever they stand.
pub(crate) fn redact_ids(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(redact_ids),
        Value::Array(items) => items.iter_mut().for_each(redact_ids),
        Value::String(text) if text.parse::<uuid::Uuid>().is_ok() => *text = "[uuid]".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A JWT in the shape of RFC 9068, signed with ES256 (64 bytes).
pub(crate) fn shape_of_access_token(token: &str) -> &'static str {
    let parts: Vec<Vec<u8>> = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url")).collect();
    let [header, claims, signature] = parts.as_slice() else { panic!("three parts in {token}") };
    let header: Value = serde_json::from_slice(header).expect("a header");
    assert_eq!((&header["alg"], &header["typ"]), (&"ES256".into(), &"at+jwt".into()), "{header}");
    assert!(header["kid"].is_string(), "{header}");
    let claims: Value = serde_json::from_slice(claims).expect("claims");
    for claim in ["iss", "sub", "aud", "client_id", "jti", "sid"] {
        assert!(claims[claim].is_string(), "{claim} in {claims}");
    }
    assert!(claims["exp"].as_i64() > claims["iat"].as_i64(), "{claims}");
    assert_eq!(signature.len(), 64);
    "[access token]"
}

fn shape_of_api_token(token: &str) -> &'static str {
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("pgt_").expect("the prefix")).expect("base64url");
    assert_eq!(bytes.len(), 16 + 16 + 32 + 4);
    "[API token]"
}

fn shape_of_refresh_token(token: &str) -> &'static str {
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("pgr_").expect("the prefix")).expect("base64url");
    assert_eq!(bytes.len(), 16 + 16 + 32 + 16);
    "[refresh token]"
}

fn shape_of_challenge_token(token: &str) -> &'static str {
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("pgc_").expect("the prefix")).expect("base64url");
    assert_eq!(bytes.len(), 16 + 16 + 32);
    "[challenge token]"
}

/// 160 bits in base32.
fn shape_of_totp_secret(secret: &str) -> &'static str {
    assert!(secret.len() == 32 && secret.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')), "{secret}");
    "[secret]"
}

fn shape_of_totp_uri(uri: &str) -> &'static str {
    let (label, query) = uri.strip_prefix("otpauth://totp/").and_then(|rest| rest.split_once('?')).expect("a label");
    let (service, account) = label.split_once(':').expect("service and account");
    assert!(!service.is_empty() && !account.is_empty(), "{uri}");
    let (secret, rest) = query.strip_prefix("secret=").and_then(|rest| rest.split_once('&')).expect("a secret");
    shape_of_totp_secret(secret);
    assert_eq!(rest, format!("issuer={service}&algorithm=SHA1&digits=6&period=30"));
    "[otpauth uri]"
}

fn shape_of_qr(address: &str) -> &'static str {
    let encoded = address.strip_prefix("data:image/svg+xml;base64,").expect("a data address");
    let svg = String::from_utf8(STANDARD.decode(encoded).expect("base64")).expect("text");
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>") && svg.contains("<path"), "{svg}");
    "[qr code]"
}

/// 120 bits in base32, in six groups.
fn shape_of_recovery_code(code: &str) -> &'static str {
    let groups: Vec<_> = code.split('-').collect();
    let fits = |group: &&str| group.len() == 4 && group.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    assert!(groups.len() == 6 && groups.iter().all(fits), "{code}");
    "[recovery code]"
}

fn shape_of_account_id(text: &str) -> &'static str {
    let id: uuid::Uuid = text.parse().expect("a UUID");
    assert_eq!(id.get_version_num(), 7);
    "[uuid]"
}

fn shape_of_id(text: &str) -> &'static str {
    let id: uuid::Uuid = text.parse().expect("a UUID");
    assert!([4, 7].contains(&id.get_version_num()), "{text}");
    "[uuid]"
}

fn shape_of_32_bytes(text: &str) -> &'static str {
    assert_eq!(URL_SAFE_NO_PAD.decode(text).expect("base64url").len(), 32);
    "[32 bytes]"
}
