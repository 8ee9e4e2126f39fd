//! Settings about mail: what a sender and a configuration set look like.

const NOT_A_SENDER: &str = "write one e-mail address, a@example.com or Name <a@example.com>";
/// The longest name of a configuration set that SES takes.
const LONGEST_SET: usize = 64;

/// One address that a mail can come from, plain or with a name before it. SES has the last word.
pub(super) fn sender(text: &str) -> Result<String, String> {
    let address = match text.split_once('<') {
        Some((name, rest)) if is_name(name.trim()) => rest.strip_suffix('>').unwrap_or_default(),
        Some(_) => "",
        None => text,
    };
    let visible = |c: char| c.is_ascii_graphic() && !"()<>[]:;@\\,\"".contains(c);
    let is_address = address.rsplit_once('@').is_some_and(|(local, domain)| {
        local.chars().all(visible)
            && local.split('.').all(|part| !part.is_empty())
            && !domain.is_empty()
            && domain.split('.').all(is_label)
    });
    if is_address { Ok(text.to_owned()) } else { Err(NOT_A_SENDER.to_owned()) }
}

/// A name in quotes, or one that needs none.
fn is_name(name: &str) -> bool {
    let inner = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
    let plain = |c: char| !c.is_control() && !"\"\\".contains(c);
    match inner {
        Some(inner) => !inner.is_empty() && inner.chars().all(plain),
        None => !name.is_empty() && name.chars().all(|c| plain(c) && !"()<>[]:;@,.".contains(c)),
    }
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
}

pub(super) fn configuration_set(text: &str) -> Result<String, String> {
    let usable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if text.len() <= LONGEST_SET && text.bytes().all(usable) {
        return Ok(text.to_owned());
    }
    Err(format!("write the name of a configuration set: letters, digits, - and _, at most {LONGEST_SET}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders() {
        for good in
            ["a@example.com", "a@localhost", "Polygate <a@example.com>", "账号 <a@b.co>", "\"A. B., Ltd\" <a@b.co>"]
        {
            assert_eq!(sender(good).as_deref(), Ok(good));
        }
        for bad in [
            "a",
            "@example.com",
            "a..b@example.com",
            "a@",
            "a@example.com, b@example.com",
            "<a@example.com>",
            "A. B <a@example.com>",
            "A <a@example.com",
            "A\r\nBcc: b@b.co <a@b.co>",
            "A <a@b.co> <c@b.co>",
            "名@example.com",
            "a@例子.com",
        ] {
            assert_eq!(sender(bad), Err(NOT_A_SENDER.to_owned()), "{bad}");
        }
    }

    #[test]
    fn configuration_sets() {
        assert!(configuration_set("my-Set_1").is_ok());
        assert!(configuration_set("my set").is_err() && configuration_set(&"a".repeat(65)).is_err());
    }
}
