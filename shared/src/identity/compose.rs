//! What mails say, in each language. Only the code varies, so nothing that a person typed needs escaping.

use super::{Code, EmailAddress, Language, Mail, Purpose};

struct Words {
    subject: &'static str,
    reason: &'static str,
    otherwise: &'static str,
}

/// The mail that carries a code, or (for an address that is another account's already) the notice in its place.
pub(super) fn code_mail(purpose: Purpose, to: EmailAddress, code: &Code, language: Language) -> Mail {
    let words = words(purpose, language);
    let shown = match purpose {
        Purpose::Register | Purpose::ResetPassword | Purpose::SecondaryEmail | Purpose::ChangeEmail => {
            Some(code.reveal())
        }
        Purpose::AlreadyRegistered | Purpose::AddressInUse => None,
    };
    let subject = match shown {
        Some(code) => format!("{}{}{code}", words.subject, colon(language)),
        None => words.subject.to_owned(),
    };
    let paragraphs = [Some(words.reason), shown, Some(words.otherwise)];
    let text = paragraphs.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    Mail { to, purpose, subject, text: format!("{text}\n"), html: html(words.reason, shown, words.otherwise, language) }
}

fn colon(language: Language) -> &'static str {
    match language {
        Language::Chinese => "：",
        Language::English => ": ",
    }
}

fn words(purpose: Purpose, language: Language) -> Words {
    match (purpose, language) {
        (Purpose::Register, Language::English) => Words {
            subject: "Your registration code",
            reason: "Somebody, hopefully you, is making an account with this address. This code completes it within 10 minutes:",
            otherwise: "If that wasn't you, ignore this mail: without the code no account is made.",
        },
        (Purpose::Register, Language::Chinese) => Words {
            subject: "您的注册验证码",
            reason: "有人（希望是您）正在用此邮箱注册账号。请在 10 分钟内用以下验证码完成注册：",
            otherwise: "如果不是您本人操作，请忽略此邮件：没有验证码，账号不会创建。",
        },
        (Purpose::ResetPassword, Language::English) => Words {
            subject: "Your password reset code",
            reason: "Somebody, hopefully you, asked to reset the password of your account. This code does it within 10 minutes:",
            otherwise: "If that wasn't you, ignore this mail: your password stays as it is.",
        },
        (Purpose::ResetPassword, Language::Chinese) => Words {
            subject: "您的密码重置验证码",
            reason: "有人（希望是您）请求重置您账号的密码。请在 10 分钟内使用以下验证码：",
            otherwise: "如果不是您本人操作，请忽略此邮件：您的密码不会改变。",
        },
        (Purpose::AlreadyRegistered, Language::English) => Words {
            subject: "You already have an account",
            reason: "Somebody, perhaps you, tried to make an account with this address, which already has one.",
            otherwise: "If that was you, sign in or reset your password instead. If not, there is nothing to do.",
        },
        (Purpose::AlreadyRegistered, Language::Chinese) => Words {
            subject: "您已有账号",
            reason: "有人（也许是您）尝试用此邮箱注册账号，而此邮箱已有账号。",
            otherwise: "如果是您本人，请直接登录或重置密码；如果不是，无需任何操作。",
        },
        (Purpose::SecondaryEmail, Language::English) => Words {
            subject: "Your code to add this address",
            reason: "Somebody, hopefully you, is adding this address to their account. This code proves it within 10 minutes:",
            otherwise: "If that wasn't you, ignore this mail: without the code the address is not added.",
        },
        (Purpose::SecondaryEmail, Language::Chinese) => Words {
            subject: "您的邮箱绑定验证码",
            reason: "有人（希望是您）正在将此邮箱绑定到其账号。请在 10 分钟内使用以下验证码完成绑定：",
            otherwise: "如果不是您本人操作，请忽略此邮件：没有验证码，此邮箱不会被绑定。",
        },
        (Purpose::ChangeEmail, Language::English) => Words {
            subject: "Your code to change your address",
            reason: "Somebody, hopefully you, is making this the address of their account. This code does it within 10 minutes:",
            otherwise: "If that wasn't you, ignore this mail: without the code nothing changes.",
        },
        (Purpose::ChangeEmail, Language::Chinese) => Words {
            subject: "您的邮箱更换验证码",
            reason: "有人（希望是您）正在将其账号的邮箱更换为此邮箱。请在 10 分钟内使用以下验证码完成更换：",
            otherwise: "如果不是您本人操作，请忽略此邮件：没有验证码，一切保持不变。",
        },
        (Purpose::AddressInUse, Language::English) => Words {
            subject: "Your address stays with your account",
            reason: "Somebody, perhaps you, tried to add this address to another account. It belongs to yours, and stays with it.",
            otherwise: "If that was you, use the account that has it. If not, there is nothing to do.",
        },
        (Purpose::AddressInUse, Language::Chinese) => Words {
            subject: "此邮箱仍属于您的账号",
            reason: "有人（也许是您）尝试将此邮箱用于另一个账号。此邮箱已属于您的账号，不会变动。",
            otherwise: "如果是您本人，请使用已拥有此邮箱的账号；如果不是，无需任何操作。",
        },
    }
}

fn html(reason: &str, code: Option<&str>, otherwise: &str, language: Language) -> String {
    let tag = match language {
        Language::Chinese => "zh-CN",
        Language::English => "en",
    };
    let code = code.map_or_else(String::new, |code| {
        format!("<p style=\"font:600 32px/1.4 ui-monospace,monospace;letter-spacing:6px;user-select:all\">{code}</p>")
    });
    format!(
        "<!doctype html><html lang=\"{tag}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"></head>\
         <body style=\"font:16px/1.6 system-ui,sans-serif;max-width:36em;margin:2em auto;padding:0 1em\">\
         <p>{reason}</p>{code}<p style=\"opacity:.75\">{otherwise}</p></body></html>"
    )
}
