//! A person's avatar: an address elsewhere, or a picture that was uploaded here.

use std::sync::Arc;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::{Account, Change, Error, Identity, Picture, PictureVersion, Result, Scope, Vouched};

/// Where to see what a person looks like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "StoredAvatar", into = "StoredAvatar")]
pub enum Avatar {
    /// Nowhere.
    #[default]
    None,
    /// At an absolute `http` or `https` address.
    Elsewhere(String),
    /// Here, under the account's number.
    Uploaded(PictureVersion),
}

impl Avatar {
    /// The avatar at an address; "" is none.
    pub fn at(address: String) -> Self {
        if address.is_empty() { Self::None } else { Self::Elsewhere(address) }
    }

    /// Whether a picture is kept here for it.
    pub fn is_uploaded(&self) -> bool {
        matches!(self, Self::Uploaded(_))
    }
}

/// As accounts keep it. They had nothing but the address before pictures could be uploaded.
#[derive(Default, Serialize, Deserialize)]
struct StoredAvatar {
    #[serde(default)]
    avatar_url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    picture: Option<PictureVersion>,
}

impl From<StoredAvatar> for Avatar {
    fn from(stored: StoredAvatar) -> Self {
        stored.picture.map_or_else(|| Self::at(stored.avatar_url), Self::Uploaded)
    }
}

impl From<Avatar> for StoredAvatar {
    fn from(avatar: Avatar) -> Self {
        match avatar {
            Avatar::None => Self::default(),
            Avatar::Elsewhere(avatar_url) => Self { avatar_url, picture: None },
            Avatar::Uploaded(version) => Self { avatar_url: String::new(), picture: Some(version) },
        }
    }
}

impl Account {
    /// What throws away the picture that is kept for it, if one is.
    pub(super) fn without_picture(&self) -> Option<Change<'static>> {
        self.profile.avatar.is_uploaded().then_some(Change::DropPicture { number: self.number })
    }
}

impl Identity {
    /// Makes the person's avatar of an uploaded picture.
    pub async fn upload_avatar(&self, vouched: Vouched, upload: Vec<u8>) -> Result<Account> {
        vouched.by.check(Scope::ProfileWrite)?;
        let picture = self.draw(upload).await?;
        self.amend(vouched, |account| {
            account.profile.avatar = Avatar::Uploaded(picture.version().clone());
            Ok(vec![Change::KeepPicture { number: account.number, picture: picture.clone() }])
        })
        .await
    }

    /// The picture that the account of this number has uploaded.
    pub async fn picture(&self, number: u64) -> Result<Picture> {
        self.store.picture(number).await?.ok_or(Error::NotFound)
    }

    /// One at a time, since the pixels of one may take 64 MB, and apart from what has requests to answer.
    async fn draw(&self, upload: Vec<u8>) -> Result<Picture> {
        let permit = Arc::clone(&self.drawing).acquire_owned().await.context("no pictures are drawn any more")?;
        let drawn = tokio::task::spawn_blocking(move || {
            // Held until the work ends, even if nobody waits for it any more.
            let _permit = permit;
            Picture::draw(&upload)
        });
        drawn.await.context("a picture was not finished")?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Profile;

    #[test]
    fn stored_as_ever_and_with_a_picture() {
        let before =
            r#"{"display_name":"","avatar_url":"ADDRESS","bio":"","gender":"unknown","birthday":null,"phone":""}"#;
        let read = |json: &str| serde_json::from_str::<Profile>(json).expect("a profile");
        let none = read(&before.replace("ADDRESS", ""));
        assert_eq!(none, Profile::default());
        let elsewhere = read(&before.replace("ADDRESS", "https://example.com/a.png"));
        assert_eq!(elsewhere.avatar, Avatar::Elsewhere("https://example.com/a.png".to_owned()));
        let uploaded =
            Profile { avatar: Avatar::Uploaded(Picture::from_stored(b"jpeg").version().clone()), ..none.clone() };
        for profile in [none, elsewhere, uploaded] {
            assert_eq!(read(&serde_json::to_string(&profile).expect("JSON")), profile);
        }
    }
}
