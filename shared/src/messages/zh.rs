//! Chinese, simplified.

use super::Text;
use crate::identity::{Kind, Problem};

pub(super) fn text(key: Text) -> &'static str {
    match key {
        Text::InvalidInput => "参数错误",
        Text::MalformedBody => "请求体必须是 JSON 对象",
        Text::WrongCredentials => "用户名或密码错误",
        Text::AccountDisabled => "账号已被禁用",
        Text::TokenMissing => "未登录",
        Text::TokenInvalid => "Token 无效或已过期",
        Text::SessionEnded => "会话已结束，请重新登录",
        Text::SecondFactorRequired => "此账号必须启用两步验证",
        Text::PasswordChangeRequired => "请先修改密码",
        Text::PasswordAlreadyChosen => "密码已设置过，请使用修改密码",
        Text::ScopeMissing => "API Token 无权执行此操作，请登录后再试",
        Text::NotAdministrator => "需要管理员权限",
        Text::RegistrationClosed => "注册已关闭",
        Text::NameTaken => "用户名已存在",
        Text::EmailTaken => "邮箱已存在",
        Text::LastAdministrator => "不能降级、停用或删除最后一个有效的管理员",
        Text::LimitReached => "数量已达上限",
        Text::PrimaryAddress => "主邮箱不能移除，请先将其他邮箱设为主邮箱",
        Text::AddressIsName => "此邮箱同时是登录名，不能放弃；可添加其他邮箱并设为主邮箱",
        Text::UnknownAccount => "账户不存在",
        Text::CounterOutOfBounds => "计数将超出允许范围",
        Text::KeyReused => "该 Idempotency-Key 已用于另一个请求",
        Text::TooManyMatches => "匹配的账户过多，请输入更长的用户名或邮箱",
        Text::CurrentPasswordWrong => "当前密码错误",
        Text::OldPasswordWrong => "旧密码错误",
        Text::SecondFactorNeeded => "请同时输入身份验证器的验证码",
        Text::SecondFactorWrong => "身份验证器的验证码错误或已使用",
        Text::SecondFactorAlreadyOn => "两步验证已启用",
        Text::SecondFactorNotSetUp => "两步验证尚未设置",
        Text::CodeWrong => "验证码错误、已使用或已过期",
        Text::Undeliverable => "无法向此邮箱投递邮件，请换一个邮箱",
        Text::MailBounced => "发往此邮箱的邮件被退回，暂不再向其发送邮件；请添加其他邮箱，或确认此邮箱存在",
        Text::MailUnwanted => "发往此邮箱的邮件被举报为垃圾邮件，不再向其发送邮件；请添加其他邮箱，或联系管理员",
        Text::NotFound => "未找到",
        Text::UnknownPath => "接口不存在",
        Text::MethodNotAllowed => "请求方法不允许",
        Text::BodyTooLarge => "请求体过大",
        Text::UnsupportedMediaType => "请以 application/json 发送请求体",
        Text::MalformedForm => "表单不完整或格式错误",
        Text::NotAForm => "请以 multipart/form-data 上传文件",
        Text::PictureUnreadable => "图片已损坏或不完整",
        Text::PictureTooLarge => "图片不能超过 1600 万像素",
        Text::PictureTypeUnsupported => "图片必须是 JPEG、PNG 或 WebP 格式",
        Text::OriginNotAllowed => "此来源的页面无权执行该操作",
        Text::TooManyRequests => "请求过于频繁，请稍后再试",
        Text::Unavailable => "服务暂时不可用，请稍后重试",
        Text::Internal => "服务器内部错误",
        Text::Registered => "注册成功",
        Text::SignedIn => "登录成功",
        Text::SignedOut => "退出成功",
        Text::Updated => "更新成功",
        Text::Uploaded => "上传成功",
        Text::PasswordChanged => "密码修改成功",
        Text::PasswordUpdated => "密码更新成功",
    }
}

pub(super) fn problem(problem: &Problem) -> String {
    match problem {
        Problem::Missing => "不能为空".to_owned(),
        Problem::WrongType(expected) => format!("类型应为{}", kind(*expected)),
        Problem::TooShort(least) => format!("至少 {least} 个字符"),
        Problem::TooCommon => "过于常见，请另选一个".to_owned(),
        Problem::TooLong(most) => format!("最多 {most} 个字符"),
        Problem::TooMany(most) => format!("最多 {most} 项"),
        Problem::NotAnEmail => "邮箱格式不正确".to_owned(),
        Problem::NotAName => "含有用户名不允许的字符".to_owned(),
        Problem::NotAUrl => "不是 http 或 https 地址".to_owned(),
        Problem::NotADate => "日期格式应为 YYYY-MM-DD".to_owned(),
        Problem::NotACursor => "不是先前响应给出的游标".to_owned(),
        Problem::NotOneOf(values) => format!("只能是 {values} 之一"),
        Problem::OutOfRange(least, most) => format!("必须在 {least} 到 {most} 之间"),
    }
}

pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "文本",
        Kind::Integer => "整数",
        Kind::Boolean => "布尔值",
        Kind::Texts => "文本列表",
        Kind::Object => "对象",
        Kind::Objects => "对象列表",
    }
}
