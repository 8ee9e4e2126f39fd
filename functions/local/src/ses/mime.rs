//! Reads a raw mail (RFC 5322, MIME) as far as showing it takes: addresses, subject, the text and the HTML part.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::mailbox::Draft;

/// Deeper nesting than any mail has.
const MOST_LEVELS: u8 = 8;

/// Reads a whole mail; what it lacks stays empty.
pub(super) fn parse(raw: &str) -> Draft {
    let raw = raw.replace("\r\n", "\n");
    let part = Part::of(&raw);
    let mut draft = Draft {
        from: part.header("from").map(decode_words).unwrap_or_default(),
        subject: part.header("subject").map(decode_words).unwrap_or_default(),
        ..Draft::default()
    };
    for name in ["to", "cc", "bcc"] {
        let list = part.header(name).map(decode_words).unwrap_or_default();
        draft.to.extend(list.split(',').map(str::trim).filter(|to| !to.is_empty()).map(String::from));
    }
    collect(&part, &mut draft, 0);
    draft
}

/// Takes the first text and the first HTML part.
fn collect(part: &Part<'_>, draft: &mut Draft, level: u8) {
    let content_type = part.header("content-type").unwrap_or("text/plain");
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind.starts_with("multipart/") {
        let Some(boundary) = parameter(content_type, "boundary").filter(|_| level < MOST_LEVELS) else { return };
        let body = format!("\n{}", part.body);
        let (separator, end) = (format!("\n--{boundary}"), format!("\n--{boundary}--"));
        let body = body.split(end.as_str()).next().unwrap_or_default();
        for inner in body.split(separator.as_str()).skip(1) {
            collect(&Part::of(inner.strip_prefix('\n').unwrap_or(inner)), draft, level + 1);
        }
        return;
    }
    let target = match kind.as_str() {
        "text/plain" if draft.text.is_empty() => &mut draft.text,
        "text/html" if draft.html.is_empty() => &mut draft.html,
        _ => return,
    };
    *target = part.decoded_body();
}

/// Headers and body of a mail or of one of its parts.
struct Part<'a> {
    headers: Vec<(String, String)>,
    body: &'a str,
}

impl<'a> Part<'a> {
    fn of(raw: &'a str) -> Self {
        let (head, body) = match raw.strip_prefix('\n') {
            Some(body) => ("", body),
            None => raw.split_once("\n\n").unwrap_or((raw, "")),
        };
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in head.lines() {
            match (line.strip_prefix([' ', '\t']), headers.last_mut()) {
                (Some(more), Some((_, value))) => {
                    value.push(' ');
                    value.push_str(more.trim());
                }
                _ => {
                    let Some((name, value)) = line.split_once(':') else { continue };
                    headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                }
            }
        }
        Self { headers, body }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn decoded_body(&self) -> String {
        match self.header("content-transfer-encoding").unwrap_or_default().to_ascii_lowercase().as_str() {
            "base64" => decode_base64(self.body),
            "quoted-printable" => String::from_utf8_lossy(&unquote(self.body, false)).into_owned(),
            _ => self.body.to_owned(),
        }
    }
}

/// A parameter of a structured header, such as `boundary`.
fn parameter(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn decode_base64(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(text).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// Undoes quoted-printable (RFC 2045), or its variant for headers (RFC 2047), where `_` is a blank.
fn unquote(text: &str, header: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'=' if rest.starts_with(b"\n") => rest = &rest[1..],
            b'=' => match rest.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()) {
                Some(hex) if hex.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                    out.extend(u8::from_str_radix(hex, 16));
                    rest = &rest[2..];
                }
                _ => out.push(byte),
            },
            b'_' if header => out.push(b' '),
            _ => out.push(byte),
        }
    }
    out
}

/// Undoes the encoded words of a header (RFC 2047); every charset is taken for UTF-8.
fn decode_words(header: &str) -> String {
    let mut out = String::new();
    let mut rest = header;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let Some((word, length)) = decode_word(&rest[start..]) else { break };
        // Blanks between two encoded words only separate them.
        if !(after_word && rest[..start].trim().is_empty()) {
            out.push_str(&rest[..start]);
        }
        out.push_str(&word);
        rest = &rest[start + length..];
        after_word = true;
    }
    out.push_str(rest);
    out
}

/// One encoded word, `=?charset?B?…?=`, and how long it was.
fn decode_word(text: &str) -> Option<(String, usize)> {
    let mut fields = text.get(2..)?.splitn(4, '?');
    let (charset, encoding, encoded, end) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    if !end.starts_with('=') {
        return None;
    }
    let decoded = match encoding {
        "B" | "b" => decode_base64(encoded),
        "Q" | "q" => String::from_utf8_lossy(&unquote(encoded, true)).into_owned(),
        _ => return None,
    };
    Some((decoded, "=?".len() + charset.len() + encoding.len() + encoded.len() + "???=".len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_of_two_parts() {
        let draft = parse(concat!(
            "From: =?UTF-8?B?5aSa?= <no-reply@example.com>\r\n",
            "To: a@example.com,\r\n b@example.com\r\n",
            "Subject: =?utf-8?Q?123456_ist?= =?utf-8?q?_Ihr_C=C3=B6de?=\r\n",
            "Content-Type: multipart/alternative; boundary=\"xx\"\r\n",
            "\r\n",
            "preamble\r\n--xx\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n",
            "\r\nyour c=\r\node =C3=A9 = x\r\n--xx\r\n",
            "Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+\r\naGk8L3A+\r\n--xx--\r\nafter",
        ));
        assert_eq!(draft.from, "多 <no-reply@example.com>");
        assert_eq!(draft.to, ["a@example.com", "b@example.com"]);
        assert_eq!(draft.subject, "123456 ist Ihr Cöde");
        assert_eq!(draft.text, "your code é = x");
        assert_eq!(draft.html, "<p>hi</p>");
    }

    #[test]
    fn a_plain_mail_and_rubbish() {
        let draft = parse("To: a@example.com\nSubject: hi =? there\n\nbody\n\nmore");
        assert_eq!((draft.subject.as_str(), draft.text.as_str()), ("hi =? there", "body\n\nmore"));
        assert_eq!(parse(""), Draft::default());
        assert_eq!(parse("Content-Type: multipart/mixed\n\nx"), Draft::default());
    }
}
