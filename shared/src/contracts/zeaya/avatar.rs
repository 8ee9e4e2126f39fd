//! `POST /api/auth/avatar`.

use axum::extract::{FromRequest, Request, State};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::json;

use super::{Caller, Told, success};
use crate::contracts::avatars;
use crate::http::{App, Checks, Context, Failure, Listing, Upload, about};
use crate::identity::{Error, Problem};
use crate::messages::Text;
use crate::openapi::{Input, Operation};

pub(super) fn routes<L: Listing>() -> L {
    L::new().post(
        "/api/auth/avatar",
        upload,
        about("Upload a JPEG, PNG or WebP of at most 4 MiB and 16 megapixels as the avatar"),
    )
}

/// Where a form may have the picture.
const FIELDS: [&str; 2] = ["avatar", "file"];

/// The picture of a form.
struct File(Vec<u8>);

impl<S: Sync> FromRequest<S> for File {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let form = Upload::from_request(request, state).await?;
        let Some(file) = form.file(&FIELDS)? else {
            let mut checks = Checks::new();
            checks.note(FIELDS[0], Problem::Missing, None);
            return Err(checks.refuse());
        };
        Ok(Self(file))
    }
}

impl Input for File {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        let file = json!({"type": "string", "format": "binary"});
        let fields = FIELDS.map(|field| (field.to_owned(), file.clone()));
        let either = FIELDS.map(|field| json!({"required": [field]}));
        let schema = json!({
            "type": "object",
            "properties": serde_json::Map::from_iter(fields),
            "anyOf": either,
        });
        operation.takes("multipart/form-data", &schema, true);
        operation.refuses([Failure::MalformedForm, Failure::BodyTooLarge, Failure::NotAForm]);
        let refusals = [
            Error::Invalid(Vec::new()),
            Error::PictureUnreadable,
            Error::PictureTooLarge,
            Error::PictureTypeUnsupported,
        ];
        operation.refuses(refusals.map(Failure::Core));
    }
}

#[derive(Serialize, JsonSchema)]
struct Uploaded {
    /// A path under the base URL, which changes with the picture.
    avatar: String,
}

async fn upload(State(app): State<App>, context: Context, Caller(caller): Caller, File(file): File) -> Told<Uploaded> {
    let account = app.identity.upload_avatar(caller, file).await?;
    success(Some(Text::Uploaded), Uploaded { avatar: avatars::path_of(&account) }, context.language)
}
