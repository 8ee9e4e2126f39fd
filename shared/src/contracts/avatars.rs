//! `GET /storage/avatars/{file}`, in every contract and on the service's own path; and how accounts tell where it is.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Deserialize;
use serde_json::json;

use crate::http::{App, Context, Failure, Field, Listing, Query, Segment, about};
use crate::identity::{Account, Avatar, Error};
use crate::openapi::{Operation, Output};

/// For an address that names the picture's version: what is there never changes.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
/// For any other: what is there changes with the next upload.
const FOR_A_MINUTE: &str = "public, max-age=60";

pub(super) fn routes<L: Listing>() -> L {
    L::new().get(
        "/storage/avatars/{file}",
        avatar,
        about("The uploaded avatar of an account, `1.jpg` of the account with the number 1"),
    )
}

#[derive(Deserialize, JsonSchema)]
struct AvatarQuery {
    /// The picture's version, with which the answer may be kept for good.
    #[serde(default)]
    v: Field<String>,
}

/// A picture, or the word that the client has it already.
struct PictureAnswer(Response);

impl IntoResponse for PictureAnswer {
    fn into_response(self) -> Response {
        self.0
    }
}

impl Output for PictureAnswer {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.takes_header("If-None-Match", "The `ETag` of the picture that the client has");
        let headers = json!({"ETag": {"schema": {"type": "string"}}, "Cache-Control": {"schema": {"type": "string"}}});
        let picture = json!({"image/jpeg": {"schema": {}}});
        operation.answers(StatusCode::OK, json!({"description": "OK", "headers": headers, "content": picture}));
        operation.answers(StatusCode::NOT_MODIFIED, json!({"description": "Not Modified", "headers": headers}));
    }
}

async fn avatar(
    State(app): State<App>,
    Segment(file): Segment,
    Query(query): Query<AvatarQuery>,
    headers: HeaderMap,
) -> Result<PictureAnswer, Failure> {
    let picture = app.identity.picture(number_of(&file).ok_or(Error::NotFound)?).await?;
    let version = picture.version().as_str();
    let tag = format!("\"{version}\"");
    let named = matches!(&query.v, Field::Given(named) if named == version);
    let life = if named { FOR_GOOD } else { FOR_A_MINUTE };
    let mut response = match knows(&headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, "image/jpeg")], picture.jpeg().to_vec()).into_response(),
    };
    response.headers_mut().insert(header::ETAG, HeaderValue::from_str(&tag).map_err(anyhow::Error::from)?);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(life));
    Ok(PictureAnswer(response))
}

/// The account's number, spelled as [`path_of`] spells it and no other way.
fn number_of(file: &str) -> Option<u64> {
    let number = file.strip_suffix(".jpg")?.parse().ok()?;
    (file == file_of(number)).then_some(number)
}

fn file_of(number: u64) -> String {
    format!("{number}.jpg")
}

/// Whether `If-None-Match` names this tag (RFC 9110 section 13.1.2; weak tags count).
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = values.flat_map(|value| value.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// What follows the base URL, where the avatar is a picture kept here; else its address, "" for none.
pub(super) fn path_of(account: &Account) -> String {
    match &account.profile.avatar {
        Avatar::None => String::new(),
        Avatar::Elsewhere(address) => address.clone(),
        Avatar::Uploaded(version) => {
            format!("/storage/avatars/{}?v={}", file_of(account.number), version.as_str())
        }
    }
}

/// The same as an absolute address, by which every contract finds it.
pub(super) fn address_of(account: &Account, context: &Context) -> String {
    let path = path_of(account);
    match &account.profile.avatar {
        Avatar::None | Avatar::Elsewhere(_) => path,
        Avatar::Uploaded(_) => context.origin().unwrap_or_default() + &path,
    }
}

/// A change of the avatar's address. Clients send back what they were shown along with what they change, which doesn't
/// make another address of an uploaded picture's own.
pub(super) fn changed(given: Option<String>, account: &Account, context: &Context) -> Option<String> {
    given.filter(|address| *address != address_of(account, context))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_one_spelling() {
        assert_eq!(number_of("17.jpg"), Some(17));
        for other in ["17", "17.jpeg", "17.JPG", "017.jpg", "+17.jpg", "-1.jpg", " 17.jpg", ".jpg", "17.jpg.jpg"] {
            assert_eq!(number_of(other), None, "{other}");
        }
        assert_eq!(number_of("99999999999999999999999.jpg"), None);
    }

    #[test]
    fn tags_are_known_in_any_list() {
        let asked = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::IF_NONE_MATCH, HeaderValue::from_static(value));
            }
            knows(&headers, "\"a\"")
        };
        for known in [&["\"a\""][..], &["W/\"a\""], &["*"], &["\"b\", \"a\""], &["\"b\"", "\"a\""]] {
            assert!(asked(known), "{known:?}");
        }
        for other in [&[][..], &["\"b\""], &["a"], &["\"A\""], &[""]] {
            assert!(!asked(other), "{other:?}");
        }
    }
}
