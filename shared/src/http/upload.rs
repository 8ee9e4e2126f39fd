//! Files in forms (`multipart/form-data`, RFC 7578).

use std::convert::Infallible;

use axum::extract::{FromRequest, Request};
use axum::http::header;
use futures_util::stream;
use multer::Multipart;

use super::Failure;
use super::body::read;
use super::context::header_text;

/// The largest file, in bytes: in base64 it fits Lambda's 6 MB for an event.
const MOST_FILE: usize = 4 * 1024 * 1024;
/// What a form may have around its file: boundaries, headers, other fields.
const MOST_AROUND: usize = 64 * 1024;

/// A form's parts, each with its name.
#[derive(Debug)]
pub struct Upload(Vec<(String, Vec<u8>)>);

impl<S: Sync> FromRequest<S> for Upload {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let bytes = read(body, MOST_FILE + MOST_AROUND).await.map_err(|failure| match failure {
            // The client broke off: no form either.
            Failure::MalformedBody => Failure::MalformedForm,
            other => other,
        })?;
        let content_type = header_text(&parts.headers, &header::CONTENT_TYPE).unwrap_or_default();
        let boundary = multer::parse_boundary(content_type).map_err(|error| match error {
            multer::Error::NoBoundary => Failure::MalformedForm,
            // Whatever else is wrong with a content type, it doesn't announce a form.
            _ => Failure::NotAForm,
        })?;
        let whole = stream::iter([Ok::<_, Infallible>(bytes)]);
        let mut form = Multipart::new(whole, boundary);
        let mut fields = Vec::new();
        while let Some(part) = form.next_field().await.map_err(malformed)? {
            let name = part.name().unwrap_or_default().to_owned();
            fields.push((name, part.bytes().await.map_err(malformed)?.to_vec()));
        }
        Ok(Self(fields))
    }
}

fn malformed(_: multer::Error) -> Failure {
    Failure::MalformedForm
}

impl Upload {
    /// The file under the first of these names that has one; an empty one is none.
    pub fn file(self, names: &[&str]) -> Result<Option<Vec<u8>>, Failure> {
        let Self(mut fields) = self;
        let place =
            names.iter().find_map(|name| fields.iter().position(|(field, file)| field == name && !file.is_empty()));
        let Some(place) = place else { return Ok(None) };
        let (_, file) = fields.swap_remove(place);
        if file.len() > MOST_FILE { Err(Failure::BodyTooLarge) } else { Ok(Some(file)) }
    }
}
