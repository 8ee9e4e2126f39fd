//! Every mail as it is written, and what nobody may do to one.

use proptest::prelude::*;
use time::macros::{datetime, offset};

use super::built_in::BUILT_IN;
use super::check::CODES;
use super::*;
use crate::identity::{AccountId, EmailClaim, Name, PasswordHash, Profile, Role, Usage};

const AT: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);
const LANGUAGES: [Language; 2] = [Language::English, Language::Chinese];

fn stationery() -> Stationery {
    let support = EmailAddress::parse("help@example.com").ok();
    let brand = Brand::default().helped_by(support, Some("https://example.com/help".to_owned()));
    Stationery::new(brand, offset!(+8))
}

fn address() -> EmailAddress {
    EmailAddress::parse("anna@example.com").expect("an address")
}

fn account(display_name: &str) -> Account {
    Account {
        id: AccountId(uuid::Uuid::nil()),
        number: 1,
        name: Name::parse("anna", &(1..=32)).expect("a name"),
        email: Some(EmailClaim { address: address(), verified: true }),
        secondary_emails: Vec::new(),
        mail_marks: Vec::new(),
        role: Role::User,
        active: true,
        password: serde_json::from_value::<PasswordHash>("$argon2id$".into()).expect("a hash"),
        must_change_password: false,
        second_factor_required: false,
        session_generation: 0,
        token_generation: 0,
        second_factor: None,
        profile: Profile { display_name: display_name.to_owned(), ..Profile::default() },
        level: 0,
        coins: 0,
        storage_limit: 0,
        storage_used: 0,
        usage: Usage::default(),
        created_at: AT,
        updated_at: AT,
    }
}

fn code_mails(stationery: &Stationery, language: Language) -> Vec<Mail> {
    let code = Code::new("804613");
    let mail = |purpose| stationery.code_mail(purpose, &address(), &code, language).expect("a mail");
    CODES.map(mail).into()
}

fn visitor() -> Visitor {
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned();
    Visitor { source: "2001:db8:1:2:3:4:5:6".to_owned(), agent, ..Visitor::default() }
}

fn notice(
    stationery: &Stationery,
    notice: Notice,
    language: Language,
    account: &Account,
    (former, by_other): (bool, bool),
) -> Mail {
    let visitor = visitor();
    let further = EmailAddress::parse("anna.two@example.com").expect("an address");
    let moved = matches!(notice, Notice::EmailAdded | Notice::EmailRemoved).then_some(&further);
    let from = (!by_other).then_some(&visitor);
    let happening = Happening { notice, account, at: AT, from, address: moved, former };
    stationery.notice(&happening, &address(), language).expect("a mail")
}

/// What a notice can tell of: from its own person, and where it can be, from an administrator or to the former address.
fn variants(of: Notice) -> &'static [(bool, bool)] {
    match of {
        Notice::NewDevice
        | Notice::PasswordChanged
        | Notice::PasswordReset
        | Notice::SecondFactorOn
        | Notice::RecoveryCodesRenewed
        | Notice::ApiTokenCreated => &[(false, false)],
        Notice::PasswordSet => &[(false, true)],
        Notice::EmailAdded | Notice::EmailRemoved | Notice::SecondFactorOff | Notice::NameChanged => {
            &[(false, false), (false, true)]
        }
        Notice::EmailChanged => &[(false, false), (true, false), (false, true), (true, true)],
    }
}

fn every_mail(stationery: &Stationery, language: Language, display_name: &str) -> Vec<(String, Mail)> {
    let codes = code_mails(stationery, language).into_iter().map(|mail| (mail.purpose.as_str().to_owned(), mail));
    let account = account(display_name);
    let notices = Notice::ALL.into_iter().flat_map(|of| variants(of).iter().map(move |variant| (of, *variant)));
    let notices = notices.map(|(of, variant)| {
        let ways = [(variant.0, "former"), (variant.1, "by administrator")];
        let ways: String = ways.iter().filter(|(is, _)| *is).map(|(_, way)| format!(" {way}")).collect();
        (format!("{}{ways}", of.as_str()), notice(stationery, of, language, &account, variant))
    });
    codes.chain(notices).collect()
}

#[test]
fn every_mail_in_both_languages() {
    for language in LANGUAGES {
        for (name, mail) in every_mail(&stationery(), language, "Anna Müller") {
            let snapshot = format!("Subject: {}\n\n{}\n{}", mail.subject, mail.text, mail.html);
            insta::assert_snapshot!(format!("{}_{}", language.code(), name.replace(' ', "_")), snapshot);
        }
    }
}

#[test]
fn the_code_ends_the_subject_and_stands_in_both_parts_once_and_nothing_is_remote() {
    for language in LANGUAGES {
        for (name, mail) in every_mail(&stationery(), language, "Anna") {
            let has_code = ["register", "reset_password", "secondary_email", "change_email"].contains(&name.as_str());
            assert_eq!(mail.subject.ends_with("804613"), has_code, "{}", mail.subject);
            let bodies = [mail.text.as_str(), mail.html.split("<body").nth(1).expect("a body")];
            for body in bodies {
                assert_eq!(body.matches("804613").count(), usize::from(has_code), "{name}: {body}");
            }
            for remote in ["<img", "<script", "<link", "url(", "@import", "src=", "@font-face", "<form", "<iframe"] {
                assert!(!mail.html.contains(remote), "{name}: {remote}");
            }
            assert_eq!(mail.html.matches("https:&#x2f;&#x2f;").count(), 2, "{name}: the link to help and its text");
            let lines = mail.text.lines().chain([mail.subject.as_str()]);
            assert!(mail.html.starts_with("<!doctype html>") && lines.clone().count() > 5, "{name}");
            assert!(!mail.text.contains("\n\n\n") && !mail.text.contains("{{"), "{name}: {}", mail.text);
        }
    }
}

#[test]
fn without_help_no_mail_speaks_of_where_to_find_it() {
    for language in LANGUAGES {
        for (name, mail) in every_mail(&Stationery::default(), language, "Anna") {
            assert!(!mail.html.contains("<a ") && !mail.text.contains("https://"), "{name}");
            assert!(!mail.text.contains("see below") && !mail.text.contains("见下方"), "{name}: {}", mail.text);
        }
    }
}

/// Relative luminance (WCAG 2.2).
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("hexadecimal")) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The value of a property in the rule of a class: in its style, or where it is dark.
fn value_of(html: &str, class: &str, property: &str, dark: bool) -> String {
    let rule = if dark { format!("  .{class} {{ ") } else { format!("class=\"{class}\"") };
    let after = html.split(&rule).nth(1).unwrap_or_else(|| panic!("{rule}"));
    let declarations = after.split(['\n', '>']).next().expect("a line").split([';', '"', '{', '}']);
    let found = declarations.filter_map(|one| one.trim().strip_prefix(property)?.strip_prefix(':')).next();
    let found = found.unwrap_or_else(|| panic!("{property} of {class}: {after:.200}"));
    found.trim().split(' ').next().expect("a value").to_owned()
}

#[test]
fn text_is_readable_by_day_and_by_night() {
    let mail = code_mails(&stationery(), Language::English).remove(0);
    for dark in [false, true] {
        for (text, background) in [("page", "page"), ("card", "card"), ("quiet", "card"), ("code", "code")] {
            let (text, background) =
                (value_of(&mail.html, text, "color", dark), value_of(&mail.html, background, "background", dark));
            let ratio = contrast(&text, &background);
            assert!(ratio >= 4.5, "{text} on {background}: {ratio}");
        }
    }
    assert!(contrast("#000000", "#ffffff") > 20.9 && contrast("#777777", "#ffffff") < 4.5, "the measure itself");
}

const NAMES: [&str; 5] = [
    "<script>alert(1)</script>",
    "\u{202e}annA\u{202c}\u{2067}",
    "\"><img src=x onerror=alert(1)> & '{{ brand.name }}'",
    "Anna\r\nBcc: all@example.com\r\n\r\n<b>hello",
    "</p></body></html>",
];

/// The names of all elements of a document, in order.
fn elements(html: &str) -> Vec<&str> {
    let after = html.split('<').skip(1);
    after.map(|rest| rest.split(|end: char| end.is_whitespace() || end == '>').next().expect("a name")).collect()
}

fn does_no_harm(stationery: &Stationery, name: &str) {
    for language in LANGUAGES {
        let plain = every_mail(stationery, language, "Anna");
        for ((kind, mail), (_, plain)) in every_mail(stationery, language, name).into_iter().zip(plain) {
            assert_eq!(elements(&mail.html), elements(&plain.html), "{kind}: {name:?}");
            assert!(!mail.subject.chars().any(char::is_control), "{kind}: {name:?}");
            assert_eq!(mail.subject, plain.subject, "{kind}: no subject repeats what people typed");
            assert_eq!(mail.text.lines().count(), plain.text.lines().count(), "{kind}: {name:?}");
            assert!(mail.html.len() < plain.html.len() + 1000, "{kind}: {}", mail.html.len());
            for turned in ['\u{202e}', '\u{2067}', '\u{202c}', '\u{0}', '\r'] {
                assert!(!mail.html.contains(turned) && !mail.text.contains(turned), "{kind}: {name:?}");
            }
        }
    }
}

#[test]
fn a_hostile_display_name_does_no_harm() {
    let stationery = stationery();
    for name in NAMES {
        does_no_harm(&stationery, name);
    }
    does_no_harm(&stationery, &"<".repeat(10_000));
    let shown = |name: &str| {
        let mail = notice(&stationery, Notice::PasswordChanged, Language::English, &account(name), (false, false));
        let line = |text: &str| text.lines().find(|line| line.contains("Hello")).expect("a greeting").to_owned();
        format!("{}\n{}", line(&mail.text), line(&mail.html))
    };
    let long = "Anna ".repeat(2_000);
    insta::assert_snapshot!(
        NAMES.into_iter().chain([long.as_str(), "\u{200b}"]).map(shown).collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn a_hostile_brand_and_device_do_no_harm() {
    let plain = Stationery::new(Brand::default().named("Photos"), offset!(+8));
    let hostile = Stationery::new(Brand::default().named("<script>\r\nBcc: x"), offset!(+8));
    for language in LANGUAGES {
        for ((kind, mail), (_, plain)) in
            every_mail(&hostile, language, "Anna").into_iter().zip(every_mail(&plain, language, "Anna"))
        {
            assert_eq!(elements(&mail.html), elements(&plain.html), "{kind}");
            assert!(!mail.subject.contains('\n') && mail.html.contains("&lt;script&gt; Bcc: x"), "{kind}");
        }
    }
}

proptest! {
    #[test]
    fn what_people_type_adds_no_element(name in "\\PC{0,80}|[<>&\"'/a-z \r\n\u{202e}{}%]{0,80}") {
        let stationery = stationery();
        let of = |name: &str| {
            let account = account(name);
            notice(&stationery, Notice::NewDevice, Language::English, &account, (false, false))
        };
        let (mail, plain) = (of(&name), of("Anna"));
        prop_assert_eq!(elements(&mail.html), elements(&plain.html));
        prop_assert_eq!(mail.subject, plain.subject);
        prop_assert_eq!(mail.text.lines().count(), plain.text.lines().count());
    }
}

fn own(name: &str, text: &str) -> Vec<TemplateFile> {
    vec![TemplateFile { name: name.to_owned(), text: text.to_owned() }]
}

#[test]
fn a_template_of_ones_own_takes_the_place_of_the_built_in_one() {
    let text = "{% block heading %}Welcome to {{ brand.name }}{% endblock %}{% block reason %}Type this within \
                {{ minutes }} minutes:{% endblock %}{% block otherwise %}Or don't.{% endblock %}";
    let (stationery, bad) = Stationery::default().with_templates(own("en/register.txt", text));
    assert_eq!(bad, []);
    let mail = code_mails(&stationery, Language::English).remove(0);
    assert_eq!(mail.subject, "Welcome to Polygate: 804613");
    assert!(mail.text.starts_with("Type this within 10 minutes:\n\n804613\n\nOr don't."), "{}", mail.text);
    let other = code_mails(&stationery, Language::Chinese).remove(0);
    assert_eq!(other.subject, "您的注册验证码：804613");
    let (stationery, bad) =
        Stationery::default().with_templates(own("layout.html", "<h1>{{ heading }}</h1>{{ code }}"));
    assert_eq!(bad, []);
    assert_eq!(code_mails(&stationery, Language::English)[0].html, "<h1>Your registration code</h1>804613");
    let all = BUILT_IN.map(|(name, text)| TemplateFile { name: name.to_owned(), text: text.to_owned() });
    assert_eq!(Stationery::default().with_templates(all.into()).1, [], "copies of the built-in ones are good");
}

#[test]
fn a_template_that_can_not_be_used_is_told_and_left_out() {
    let block = |name: &str, text: &str| format!("{{% block {name} %}}{text}{{% endblock %}}");
    let words =
        |reason: &str| format!("{}{}{}", block("heading", "A"), block("reason", reason), block("otherwise", "C"));
    let mut told = Vec::new();
    for (name, text) in [
        ("en/welcome.txt", words("B")),
        ("../register.txt", words("B")),
        ("en/register.txt", words("{% if %}")),
        ("en/register.txt", words("{{ nmae }}")),
        ("en/register.txt", words("{{ name }}")),
        ("zh/new_device.txt", words("{{ brand.nmae }}")),
        ("en/register.txt", words("{{ brand.name|upper }}")),
        ("en/register.txt", block("heading", "A")),
        ("layout.html", "<h1>{{ heading }}</h1>".to_owned()),
        ("layout.txt", "{{ heading }}".to_owned()),
        ("layout.html", "{% autoescape false %}{{ greeting }}{% endautoescape %}{{ code }}".to_owned()),
        ("layout.html", "{{ code }}{{ greeting|safe }}".to_owned()),
        ("layout.txt", String::new()),
    ] {
        let (stationery, bad) = Stationery::default().with_templates(own(name, &text));
        assert_eq!(bad.len(), 1, "{name}: {text}");
        told.push(bad[0].to_string());
        let plain = code_mails(&Stationery::default(), Language::English).remove(0);
        assert_eq!(code_mails(&stationery, Language::English)[0].html, plain.html, "the built-in one is used");
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn an_instant_is_told_in_the_deployments_time_and_in_utc() {
    for (zone, expected) in [
        (offset!(+8), "2026-01-01 20:00 UTC+08:00 (12:00 UTC)"),
        (offset!(-3:30), "2026-01-01 08:30 UTC-03:30 (12:00 UTC)"),
        (offset!(+14), "2026-01-02 02:00 UTC+14:00 (2026-01-01 12:00 UTC)"),
        (UtcOffset::UTC, "2026-01-01 12:00 UTC"),
    ] {
        assert_eq!(Stationery::new(Brand::default(), zone).instant(AT), expected);
    }
}
