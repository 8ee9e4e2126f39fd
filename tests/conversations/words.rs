//! What is said to people: every key has words in both languages and somebody says it, and words stand nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use crate::structure::{read, rust_files};

const CATALOGUES: [&str; 2] = ["shared/src/messages/en.rs", "shared/src/messages/zh.rs"];

/// What a document has clients compare, in whichever language it is.
const LITERALS: [&str; 1] = ["User already exists"];

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}

/// The names that follow `prefix` in a text, each with what comes after it.
fn named_after<'a>(text: &'a str, prefix: &str) -> Vec<(&'a str, &'a str)> {
    let rests = text.split(prefix).skip(1);
    rests.map(|rest| rest.split_at(rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len()))).collect()
}

/// The keys that can be said: the enumeration's variants.
fn keys() -> BTreeSet<String> {
    let source = read("shared/src/messages/mod.rs");
    let body = source.split("enum Text {").nth(1).and_then(|rest| rest.split('}').next()).expect("the keys");
    let variants = body.lines().map(str::trim).filter(|line| !line.starts_with("///"));
    variants.filter_map(|line| line.strip_suffix(',')).map(str::to_owned).collect()
}

/// A catalogue's words by key.
fn words(catalogue: &str) -> BTreeMap<String, String> {
    let source = read(catalogue);
    let arms = named_after(&source, "Text::").into_iter().filter(|(_, rest)| rest.trim_start().starts_with("=>"));
    arms.map(|(key, rest)| (key.to_owned(), literals(rest).into_iter().next().expect("words"))).collect()
}

/// The text literals of Rust code, comments left out.
fn literals(code: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), code);
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let from = &rest[at..];
        rest = if let Some(quoted) = from.strip_prefix('"') {
            let end = end_of_text(quoted);
            found.push(quoted[..end].to_owned());
            quoted.get(end + 1..).unwrap_or_default()
        } else if from.starts_with("//") {
            from.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(after) = from.strip_prefix("'\"'") {
            after
        } else {
            &from[1..]
        };
    }
    found
}

fn end_of_text(quoted: &str) -> usize {
    let mut escaped = false;
    let end = quoted.char_indices().find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(quoted.len(), |(at, _)| at)
}

#[test]
fn every_key_has_words_in_both_languages() {
    let keys = keys();
    assert!(keys.len() > 40 && keys.contains("WrongCredentials"), "{keys:?}");
    let [english, chinese] = CATALOGUES.map(words);
    for spoken in [&english, &chinese] {
        assert_eq!(spoken.keys().cloned().collect::<BTreeSet<_>>(), keys);
    }
    for key in &keys {
        let (english, chinese) = (&english[key], &chinese[key]);
        assert!(!english.trim().is_empty() && !english.chars().any(is_han), "{key}: {english}");
        assert!(chinese.chars().any(is_han), "{key}: {chinese}");
    }
}

#[test]
fn no_two_keys_say_the_same_in_both_languages() {
    let [english, chinese] = CATALOGUES.map(words);
    let mut seen = BTreeMap::new();
    for (key, words) in &english {
        if let Some(other) = seen.insert((words, &chinese[key]), key) {
            panic!("{key} and {other} both say {words}");
        }
    }
}

#[test]
fn every_key_is_said_somewhere() {
    let mut said = BTreeSet::new();
    for file in rust_files("shared/src").iter().filter(|file| !CATALOGUES.contains(&file.as_str())) {
        said.extend(named_after(&read(file), "Text::").into_iter().map(|(key, _)| key.to_owned()));
    }
    let silent: Vec<_> = keys().into_iter().filter(|key| !said.contains(key)).collect();
    assert!(silent.is_empty(), "nobody says {silent:?}");
}

#[test]
fn contracts_have_no_words_of_their_own() {
    let files = rust_files("shared/src/contracts");
    assert!(files.len() > 20, "{files:?}");
    let mut allowed = BTreeSet::new();
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        for text in literals(&said_to_people(&read(file))) {
            assert!(!text.chars().any(is_han), "{file} says {text:?}");
            match LITERALS.contains(&text.as_str()) {
                true => {
                    allowed.insert(text);
                }
                false => assert!(!has_several_words(&text), "{file} says {text:?}"),
            }
        }
    }
    assert_eq!(allowed.len(), LITERALS.len(), "{allowed:?}");
}

/// The code without what is said elsewhere: causes are for the log, and what describes an endpoint for the documents.
fn said_to_people(code: &str) -> String {
    let mut describes = false;
    let mut said = String::new();
    for line in code.lines() {
        describes =
            (describes || line.starts_with("impl Input for ") || line.starts_with("impl Output for ")) && line != "}";
        if !describes
            && !line.contains("anyhow!(")
            && !line.trim_start().starts_with("about(")
            && !line.contains(", about(")
        {
            said.push_str(line);
            said.push('\n');
        }
    }
    said
}

/// Two words with a blank between them. One alone may be a field's name, a header's or a path's.
fn has_several_words(text: &str) -> bool {
    let word = |part: &&str| part.len() > 1 && part.chars().all(|c| c.is_ascii_alphabetic() || ".'".contains(c));
    text.split(' ').collect::<Vec<_>>().windows(2).any(|pair| pair.iter().all(word))
}

#[test]
fn literals_are_found_where_they_are() {
    let code = "let a = \"one \\\" two\"; // \"not this\"\nlet b = ('\"', \"three\", 1 / 2, 'x');";
    assert_eq!(literals(code), ["one \\\" two", "three"]);
    assert!(has_several_words("User already exists") && !has_several_words("[year]-[month]-[day] [hour]"));
}
