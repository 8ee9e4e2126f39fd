//! Whether a template that somebody brings can take the place of a built-in one: told before any mail needs it.

use std::collections::BTreeSet;

use minijinja::Environment;
use time::OffsetDateTime;

use super::built_in::BUILT_IN;
use super::stationery::{BadTemplate, CommonValues, Facts, Page, Stationery, TemplateFile, Words, WordsValues, parse};
use super::{CodeValues, Notice, NoticeValues};
use crate::identity::{EmailAddress, Language, Mail, Purpose};

/// A code that no template has by chance.
const CODE: &str = "804613";
/// What nobody's name may become in a mail.
const HOSTILE: &str = "<b id=hostile>&";

/// Tries the template in every mail that it could be part of.
pub(super) fn check(stationery: &Stationery, file: &TemplateFile) -> Result<(), BadTemplate> {
    let bad = |mend: String| BadTemplate { name: file.name.clone(), mend };
    if !BUILT_IN.iter().any(|(name, _)| *name == file.name) {
        return Err(bad("there is no such template, name it as the built-in one that it replaces".to_owned()));
    }
    let templates = parse(std::slice::from_ref(file)).map_err(|failed| bad(told(&failed)))?;
    check_names(&templates, file).map_err(bad)?;
    let mails = every_mail(stationery, &templates).map_err(|failed| bad(told(&failed)))?;
    mails.iter().try_for_each(check_mail).map_err(bad)
}

fn told(failed: &anyhow::Error) -> String {
    // The engine names the template and the line.
    format!("{failed:#}").replace('\n', " ")
}

/// Every name in it, also where no mail would come by today, must be one that it is given.
fn check_names(templates: &Environment<'_>, file: &TemplateFile) -> Result<(), String> {
    let template = templates.get_template(&file.name).map_err(|failed| failed.to_string())?;
    let given = names_for(&file.name).ok_or("what it may name is not known")?;
    let asked: BTreeSet<_> = template.undeclared_variables(true).into_iter().collect();
    match asked.iter().find(|name| !given.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let given: Vec<_> = given.iter().filter(|name| *name != "brand").map(String::as_str).collect();
            Err(format!("nothing is called `{name}` here, name one of {}", given.join(", ")))
        }
    }
}

/// What a template may name, as the types of its values have it.
fn names_for(template: &str) -> Option<BTreeSet<String>> {
    let brand = &super::Brand::default();
    let values = match template {
        "layout.html" | "layout.txt" => serde_json::to_value(Page::empty(brand)),
        common if common.ends_with("/common.txt") => serde_json::to_value(CommonValues { brand, person: "" }),
        words => {
            let is_notice = Notice::ALL.iter().any(|notice| words.ends_with(&format!("/{}.txt", notice.as_str())));
            if is_notice {
                let own = NoticeValues { name: "", address: None, former: false, by_administrator: false };
                serde_json::to_value(WordsValues { brand, help: String::new(), own })
            } else {
                let own = CodeValues { minutes: 0 };
                serde_json::to_value(WordsValues { brand, help: String::new(), own })
            }
        }
    };
    let values = values.ok()?;
    let nested = values.get("brand")?.as_object()?.keys().map(|key| format!("brand.{key}"));
    Some(values.as_object()?.keys().cloned().chain(nested).collect())
}

/// One mail of each kind in each language, with all that may be in it and with as little as may be.
fn every_mail(stationery: &Stationery, templates: &Environment<'_>) -> anyhow::Result<Vec<Mail>> {
    let to = EmailAddress::parse("sample@example.com")
        .map_err(|problem| anyhow::anyhow!("the sample's address: {problem:?}"))?;
    let mut mails = Vec::new();
    for language in [Language::Chinese, Language::English] {
        for purpose in CODES {
            let (values, facts) = (CodeValues { minutes: 10 }, Facts::default());
            let code = Some(CODE).filter(|_| !matches!(purpose, Purpose::AlreadyRegistered | Purpose::AddressInUse));
            let words = Words { to: &to, purpose, language, code, person: None, facts, values };
            mails.push(stationery.write_on(templates, &words)?);
        }
        for notice in Notice::ALL {
            for (former, by_administrator) in [(false, false), (false, true), (true, false), (true, true)] {
                let values =
                    NoticeValues { name: HOSTILE, address: former.then_some(HOSTILE), former, by_administrator };
                let from = (!by_administrator).then_some((None, HOSTILE));
                let facts = Facts { when: Some(OffsetDateTime::UNIX_EPOCH.date().to_string()), from };
                let (purpose, code) = (Purpose::Notice(notice), None);
                let words = Words { to: &to, purpose, language, code, person: Some(HOSTILE), facts, values };
                mails.push(stationery.write_on(templates, &words)?);
            }
        }
    }
    Ok(mails)
}

/// What codes are mailed for, and who is told in place of one.
pub(super) const CODES: [Purpose; 6] = [
    Purpose::Register,
    Purpose::ResetPassword,
    Purpose::SecondaryEmail,
    Purpose::ChangeEmail,
    Purpose::AlreadyRegistered,
    Purpose::AddressInUse,
];

fn check_mail(mail: &Mail) -> Result<(), String> {
    let Mail { subject, text, html, purpose, to: _ } = mail;
    let purpose = purpose.as_str();
    if subject.is_empty() || text.trim().is_empty() || html.trim().is_empty() {
        return Err(format!("a mail of the kind {purpose} would be empty, write something"));
    }
    if subject.ends_with(CODE) && !(text.contains(CODE) && html.contains(CODE)) {
        return Err("it leaves the code out, put {{ code }} where it is to be seen".to_owned());
    }
    if html.contains(HOSTILE) {
        return Err("what people typed would be HTML, leave it escaped".to_owned());
    }
    Ok(())
}
