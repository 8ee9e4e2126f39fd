//! Templates of mails that a deployment brings in a directory.

use std::io;
use std::path::{Path, PathBuf};

use crate::identity::{Stationery, TemplateFile};
use crate::settings::Settings;

/// Why templates are not used as they are: one line that says which, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum BadTemplates {
    /// The directory, or something in it, can't be read.
    #[error("MAIL_TEMPLATES={} can't be read ({cause}): name a directory of templates in UTF-8", path.display())]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A template can't be used.
    #[error("MAIL_TEMPLATES={}: {bad}", folder.display())]
    Unusable {
        /// The directory.
        folder: PathBuf,
        /// Which, and why.
        bad: crate::identity::BadTemplate,
    },
}

/// What mails are written on by these settings. What is wrong with templates that the deployment brings is told, and
/// the built-in ones are used in their place.
pub fn stationery(settings: &Settings) -> (Stationery, Vec<BadTemplates>) {
    let plain = Stationery::new(settings.brand.clone(), settings.zone);
    let Some(folder) = &settings.mail_templates else { return (plain, Vec::new()) };
    let (files, unreadable) = match read(folder) {
        Ok(files) => (files, None),
        Err(unreadable) => (Vec::new(), Some(unreadable)),
    };
    let (stationery, unusable) = plain.with_templates(files);
    let unusable = unusable.into_iter().map(|bad| BadTemplates::Unusable { folder: folder.clone(), bad });
    (stationery, unreadable.into_iter().chain(unusable).collect())
}

/// The files of the directory and of the directories in it, by their names from there. What starts with a dot is no
/// template.
fn read(folder: &Path) -> Result<Vec<TemplateFile>, BadTemplates> {
    let mut files = Vec::new();
    for (name, path) in entries(folder)? {
        if !path.is_dir() {
            files.push(TemplateFile { name, text: text(&path)? });
            continue;
        }
        for (inner, path) in entries(&path)? {
            files.push(TemplateFile { name: format!("{name}/{inner}"), text: text(&path)? });
        }
    }
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, BadTemplates> {
    let unreadable = |cause| BadTemplates::Unreadable { path: folder.to_owned(), cause };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            found.push((name, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

fn text(path: &Path) -> Result<String, BadTemplates> {
    std::fs::read_to_string(path).map_err(|cause| BadTemplates::Unreadable { path: path.to_owned(), cause })
}
