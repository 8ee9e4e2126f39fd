//! The page of security requirements, `docs/asvs.md`: each test and file that it names is there, and each row says
//! whether its requirement is met.

use std::collections::BTreeSet;
use std::path::Path;

use crate::structure::read;

const PAGE: &str = "docs/asvs.md";

/// Where what it names is, seen from the root.
const PLACES: [&str; 4] = ["docs/", "functions/", "shared/", "tests/"];

/// What stands between backticks.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    page.split('`').skip(1).step_by(2)
}

/// The tests that it names, as file and function.
fn named_tests(page: &str) -> BTreeSet<(&str, &str)> {
    quoted(page).filter_map(|name| name.split_once("::")).filter(|(file, _)| file.ends_with(".rs")).collect()
}

/// Whether a source has a test function of this name.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let is_test = |line: &str| line == "#[test]" || line.starts_with("#[tokio::test");
    let is_named = |line: &str| {
        let function = line.strip_prefix("async ").unwrap_or(line);
        let rest = function.strip_prefix("fn ").and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with('('))
    };
    lines.windows(2).any(|pair| is_test(pair[0]) && is_named(pair[1]))
}

/// The cells of each row that begins with a requirement's number.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let is_row = |line: &&str| line.strip_prefix("| ").is_some_and(|row| row.starts_with(|c: char| c.is_ascii_digit()));
    let rows = page.lines().filter(is_row);
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn the_page_of_requirements_names_tests_that_there_are() {
    let page = read(PAGE);
    let named = named_tests(&page);
    assert!(named.len() > 50, "{named:?}");
    for (file, name) in named {
        assert!(has_test(&read(file), name), "{PAGE}: {file} has no test called {name}");
    }
    let source = "    #[test]\n    fn one() {}\n#[tokio::test]\nasync fn another() {}\nfn none() {}\n";
    assert!(has_test(source, "one") && has_test(source, "another"));
    assert!(!has_test(source, "none") && !has_test(source, "on"));
}

#[test]
fn the_page_of_requirements_names_files_that_there_are() {
    let page = read(PAGE);
    let files = quoted(&page).filter(|name| !name.contains("::") && PLACES.iter().any(|place| name.starts_with(place)));
    let files: BTreeSet<_> = files.collect();
    assert!(files.len() > 20, "{files:?}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in files {
        assert!(root.join(file).exists(), "{PAGE}: {file} is not there");
    }
    for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        let file = link.split('#').next().unwrap_or_default();
        let elsewhere = link.contains("://");
        assert!(elsewhere || root.join("docs").join(file).exists(), "{PAGE}: {link} leads nowhere");
    }
}

#[test]
fn each_requirement_has_one_row_that_says_whether_it_is_met() {
    let page = read(PAGE);
    let mut seen = BTreeSet::new();
    for cells in rows(&page) {
        let [number, level, what, met, place, shown] = cells[..] else { panic!("not six cells: {cells:?}") };
        assert!(seen.insert(number.to_owned()), "{number} stands twice");
        assert!(["1", "2", "3", "1–2"].contains(&level) && !what.is_empty(), "{number}: {level} {what}");
        let (verdict, why) = met.split_once(": ").unwrap_or((met, ""));
        match verdict {
            "yes" => assert!(quoted(place).chain(quoted(shown)).next().is_some(), "{number}: by what?"),
            "partly" | "no" | "doesn't apply" => assert!(!why.is_empty(), "{number}: {verdict}, but why?"),
            other => panic!("{number} is met: {other}?"),
        }
    }
    assert!(seen.len() > 80, "{seen:?}");
}
