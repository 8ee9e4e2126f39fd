//! Which addresses the local mail endpoint takes.

/// Whether this is one address, plain or as `Name <address>`, that a mail could be sent to.
pub(super) fn is_acceptable(text: &str) -> bool {
    let Some((local, domain)) = bare(text).and_then(|bare| bare.rsplit_once('@')) else { return false };
    let visible = |c: char| c.is_ascii_graphic() && !"()<>[]:;@\\,\"".contains(c);
    (1..=64).contains(&local.len())
        && local.chars().all(visible)
        && local.split('.').all(|part| !part.is_empty())
        && domain.len() <= 255
        && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// The address without the name before it.
fn bare(text: &str) -> Option<&str> {
    if text.contains(['\r', '\n']) {
        return None;
    }
    match text.rsplit_once('<') {
        Some((_, rest)) => rest.strip_suffix('>'),
        None => Some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::is_acceptable;

    #[test]
    fn addresses() {
        for good in ["a@example.com", "a.b+c@mail.example.com", "Ann <a@example.com>", "a@localhost", "o'x@a-b.co"] {
            assert!(is_acceptable(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "@example.com",
            "a@",
            "a@@example.com",
            "a b@example.com",
            "a@example..com",
            "a@-example.com",
            "a@example.com\r\nBcc: b@example.com",
            "a@example.com, b@example.com",
            "Ann <a@example.com",
            "名@example.com",
            ".a@example.com",
        ] {
            assert!(!is_acceptable(bad), "{bad}");
        }
    }
}
