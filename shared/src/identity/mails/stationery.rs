//! The templates of mails: parsed at the first one that is sent, and checked where somebody brings their own.

use std::sync::OnceLock;

use anyhow::Context;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;
use time::UtcOffset;

use super::built_in::BUILT_IN;
use super::check::check;
use super::{Brand, shown};
use crate::identity::{EmailAddress, Language, Mail, Purpose};

/// A template, by the name of a built-in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFile {
    /// Such as `layout.html` or `en/register.txt`.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// A template that can't be used: one line that says which, why, and how to mend it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the mail template {name} is not usable: {mend}")]
pub struct BadTemplate {
    pub(super) name: String,
    pub(super) mend: String,
}

/// What all mails are written on: whose they are and how they look.
#[derive(Debug, Default)]
pub struct Stationery {
    pub(super) brand: Brand,
    pub(super) zone: Option<UtcOffset>,
    own: Vec<TemplateFile>,
    parsed: OnceLock<Environment<'static>>,
}

/// The words of one mail, as its template has them for what happened.
pub(super) struct Words<'a, W> {
    pub(super) to: &'a EmailAddress,
    pub(super) purpose: Purpose,
    pub(super) language: Language,
    pub(super) code: Option<&'a str>,
    /// Whom the mail greets.
    pub(super) person: Option<&'a str>,
    pub(super) facts: Facts<'a>,
    /// What the template may name besides the brand.
    pub(super) values: W,
}

/// What is told of a happening besides what it is.
#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    pub(super) when: Option<String>,
    /// Device and network, where they are told.
    pub(super) from: Option<(Option<String>, &'a str)>,
}

/// What the words that all mails of a language share may name.
#[derive(Debug, Serialize)]
pub(super) struct CommonValues<'a> {
    pub(super) brand: &'a Brand,
    pub(super) person: &'a str,
}

/// What the words of one kind of mail may name.
#[derive(Debug, Serialize)]
pub(super) struct WordsValues<'a, W> {
    pub(super) brand: &'a Brand,
    /// How to get help, to be put into a sentence.
    pub(super) help: String,
    #[serde(flatten)]
    pub(super) own: W,
}

/// What a layout may name.
#[derive(Debug, Serialize)]
pub(super) struct Page<'a> {
    pub(super) brand: &'a Brand,
    pub(super) language: &'static str,
    pub(super) subject: &'a str,
    pub(super) heading: String,
    pub(super) greeting: Option<String>,
    pub(super) reason: String,
    pub(super) code: Option<&'a str>,
    pub(super) facts: Vec<Fact>,
    pub(super) otherwise: String,
    pub(super) support: String,
    pub(super) footer: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Fact {
    label: String,
    value: String,
}

impl<'a> Page<'a> {
    /// One with nothing on it, for its names.
    pub(super) fn empty(brand: &'a Brand) -> Self {
        let empty = String::new;
        Self {
            brand,
            language: "",
            subject: "",
            heading: empty(),
            greeting: None,
            reason: empty(),
            code: None,
            facts: Vec::new(),
            otherwise: empty(),
            support: empty(),
            footer: empty(),
        }
    }
}

impl Stationery {
    /// Plain mails of a brand; instants are shown in UTC and, where it differs, by this offset.
    pub fn new(brand: Brand, zone: UtcOffset) -> Self {
        Self { brand, zone: Some(zone).filter(|zone| !zone.is_utc()), ..Self::default() }
    }

    /// The same with these templates in place of the built-in ones. What can't be used is left out and told of.
    #[must_use]
    pub fn with_templates(self, files: Vec<TemplateFile>) -> (Self, Vec<BadTemplate>) {
        let (mut own, mut bad) = (Vec::new(), Vec::new());
        for file in files {
            match check(&self, &file) {
                Ok(()) => own.push(file),
                Err(told) => bad.push(told),
            }
        }
        (Self { own, parsed: OnceLock::new(), ..self }, bad)
    }

    /// Writes a mail on the templates in use.
    pub(super) fn write<W: Serialize>(&self, words: &Words<'_, W>) -> anyhow::Result<Mail> {
        let templates = match self.parsed.get() {
            Some(parsed) => parsed,
            None => {
                let parsed = parse(&self.own)?;
                self.parsed.get_or_init(|| parsed)
            }
        };
        self.write_on(templates, words).context("a mail could not be written")
    }

    pub(super) fn write_on<W: Serialize>(
        &self,
        templates: &Environment<'_>,
        words: &Words<'_, W>,
    ) -> anyhow::Result<Mail> {
        let (brand, language) = (&self.brand, words.language.code());
        let values = CommonValues { brand, person: words.person.unwrap_or_default() };
        let common = blocks(templates, &format!("{language}/common.txt"), &values, COMMON)?;
        let [greeting, when, device, network, unknown, help, support, footer] = common;
        let values = WordsValues { brand, help, own: &words.values };
        let [heading, reason, otherwise] =
            blocks(templates, &format!("{language}/{}.txt", words.purpose.as_str()), &values, WORDS)?;
        let subject = shown(&subject(&heading, words), usize::MAX);
        let mut facts: Vec<_> =
            words.facts.when.iter().map(|at| Fact { label: when.clone(), value: at.clone() }).collect();
        if let Some((program, source)) = &words.facts.from {
            let known = |value: &str| if value.is_empty() { unknown.clone() } else { value.to_owned() };
            facts.push(Fact { label: device, value: known(program.as_deref().unwrap_or_default()) });
            facts.push(Fact { label: network, value: known(source) });
        }
        let greeting = words.person.map(|_| greeting);
        let language = words.language.tag();
        let page = Page {
            brand,
            language,
            subject: &subject,
            heading,
            greeting,
            reason,
            code: words.code,
            facts,
            otherwise,
            support,
            footer,
        };
        let page = Value::from(Serde(&page));
        let text = templates.get_template("layout.txt")?.render(page.clone())?;
        let html = templates.get_template("layout.html")?.render(page)?;
        Ok(Mail { to: words.to.clone(), purpose: words.purpose, subject, text, html })
    }
}

/// Ends with the code, where programs and people look for it.
fn subject<W>(heading: &str, words: &Words<'_, W>) -> String {
    match (words.code, words.language) {
        (None, _) => heading.to_owned(),
        (Some(code), Language::Chinese) => format!("{heading}：{code}"),
        (Some(code), Language::English) => format!("{heading}: {code}"),
    }
}

/// The blocks of a template with words, in the order in which they are returned.
pub(super) const WORDS: [&str; 3] = ["heading", "reason", "otherwise"];
pub(super) const COMMON: [&str; 8] = ["greeting", "when", "device", "network", "unknown", "help", "support", "footer"];

fn blocks<const N: usize>(
    templates: &Environment<'_>,
    name: &str,
    values: &impl Serialize,
    blocks: [&str; N],
) -> anyhow::Result<[String; N]> {
    let mut rendered = templates.get_template(name)?.render_captured(Value::from(Serde(values)))?;
    let mut texts = [const { String::new() }; N];
    for (text, block) in texts.iter_mut().zip(blocks) {
        *text = rendered.with_state_mut(|state| state.render_block(block))?.trim().to_owned();
    }
    Ok(texts)
}

/// The built-in templates with these in place of those of the same name. Nothing in them reaches beyond what it is given:
/// there are no filters, so that nothing can be let off from being escaped, and no functions.
pub(super) fn parse(own: &[TemplateFile]) -> anyhow::Result<Environment<'static>> {
    let mut templates = Environment::empty();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    templates.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    for (name, text) in BUILT_IN {
        templates.add_template(name, text)?;
    }
    for file in own {
        templates.add_template_owned(file.name.clone(), file.text.clone())?;
    }
    Ok(templates)
}
