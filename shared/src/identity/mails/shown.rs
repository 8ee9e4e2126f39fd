//! Text that people typed, as mails show it.

use unicode_normalization::char::is_combining_mark;

/// How many marks may stand on one letter: more of them run over the lines around it.
const MOST_MARKS: usize = 4;

/// In one line and at most `most` characters, without what can't be seen: control characters, and marks that turn
/// the direction of what follows or hide it.
pub(in crate::identity) fn shown(text: &str, most: usize) -> String {
    let mut line = String::new();
    let (mut length, mut marks, mut gap) = (0, 0, false);
    for character in text.chars() {
        if character.is_whitespace() {
            gap = true;
            continue;
        }
        marks = if is_combining_mark(character) { marks + 1 } else { 0 };
        if is_unseen(character) || marks > MOST_MARKS {
            continue;
        }
        let spaced = gap && !line.is_empty();
        gap = false;
        length += if spaced { 2 } else { 1 };
        if length > most {
            line.push('…');
            return line;
        }
        line.extend(spaced.then_some(' '));
        line.push(character);
    }
    line
}

/// Whether it has no shape of its own: control characters and Unicode's format characters (category Cf), among them
/// those that turn the direction, and the tags that spell hidden text.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{115f}' | '\u{1160}' | '\u{3164}'
            | '\u{ffa0}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// What a client calls itself, as a person would say it: its program and its system. Of what stands in no list here only
/// a run of letters and digits is shown, which no mail program makes a link of. `None` where it says nothing.
pub(in crate::identity) fn device(agent: &str) -> Option<String> {
    let has = |word: &str| agent.contains(word);
    let program = PROGRAMS.iter().find(|(word, _)| has(word)).map(|(_, name)| (*name).to_owned());
    let program = program.or_else(|| {
        let first: String = agent.chars().take_while(char::is_ascii_alphanumeric).take(MOST_PROGRAM).collect();
        (!first.is_empty()).then_some(first)
    })?;
    let system = SYSTEMS.iter().find(|(word, _)| has(word)).map(|(_, name)| *name);
    Some(system.map_or_else(|| program.clone(), |system| format!("{program}, {system}")))
}

const MOST_PROGRAM: usize = 30;

/// Words in what clients call themselves. The first that is found decides: most claim to be several others too.
const PROGRAMS: [(&str, &str); 13] = [
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("okhttp", "okhttp"),
    ("curl/", "curl"),
    ("python-requests", "Python"),
    ("Mozilla/", "browser"),
];

const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("HarmonyOS", "HarmonyOS"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_seen_is_left_out_and_what_is_long_is_cut() {
        for (text, expected) in [
            ("Anna", "Anna"),
            ("  Anna\t  Maria ", "Anna Maria"),
            ("Anna\r\nBcc: all@example.com", "Anna Bcc: all@example.com"),
            ("a\u{2028}b\u{85}c\u{0}d", "a b cd"),
            ("\u{202e}annA\u{202c}\u{2066}\u{200b}", "annA"),
            ("a\u{e0041}\u{feff}b", "ab"),
            ("abcdefghijk", "abcdefghij…"),
            ("abcdefghij", "abcdefghij"),
            ("abcdefghi j", "abcdefghi…"),
            ("李雷和韩梅梅", "李雷和韩梅梅"),
            ("عمر", "عمر"),
            ("e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}", "e\u{301}\u{301}\u{301}\u{301}"),
            ("<script>alert(1)</script>", "<script>al…"),
        ] {
            let most = if text.contains("Bcc") { 100 } else { 10 };
            assert_eq!(shown(text, most), expected, "{text:?}");
        }
        assert_eq!(shown(&"x".repeat(10_000), 60).chars().count(), 61);
    }

    #[test]
    fn a_device_is_its_program_and_system() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18 Safari/604.1";
        for (agent, expected) in [
            ("", None),
            (chrome, Some("Chrome, Linux")),
            (&format!("{chrome} Edg/130"), Some("Edge, Linux")),
            (phone, Some("Safari, iPhone")),
            ("curl/8.5.0", Some("curl")),
            ("PhotosApp/3.1 (Android 15)", Some("PhotosApp, Android")),
            ("https://evil.example/win", Some("https")),
            ("www.evil.example", Some("www")),
            ("<script>alert(1)</script>", None),
        ] {
            assert_eq!(device(agent).as_deref(), expected, "{agent}");
        }
    }
}
