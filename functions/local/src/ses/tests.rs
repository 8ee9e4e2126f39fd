//! The endpoint, spoken to as the SDK does it: form bodies in, XML out.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use polygate_shared::identity::SystemClock;
use tower::ServiceExt as _;

use super::*;

async fn post_form(mailbox: &Mailbox, body: &str) -> (StatusCode, String) {
    let router = router(Ses { mailbox: mailbox.clone(), clock: Arc::new(SystemClock) });
    let request = Request::post("/_local/ses/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.to_owned()))
        .expect("a request");
    let response = router.oneshot(request).await.expect("infallible");
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

#[tokio::test]
async fn a_mail_arrives() {
    let mailbox = Mailbox::default();
    let (status, xml) = post_form(
        &mailbox,
        "Action=SendEmail&Version=2010-12-01&Source=no-reply%40example.com&Destination.ToAddresses.member.1=a%40example.com\
         &Message.Subject.Data=123456+is+your+code&Message.Body.Text.Data=%E4%BD%A0%E5%A5%BD&Message.Body.Html.Data=%3Cp%3E",
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    assert!(xml.contains("<SendEmailResult><MessageId>local-1</MessageId></SendEmailResult>"), "{xml}");
    let mails = mailbox.newest_first();
    assert_eq!((mails[0].subject.as_str(), mails[0].text.as_str()), ("123456 is your code", "你好"));
    assert_eq!((mails[0].to.as_slice(), mails[0].html.as_str()), (["a@example.com".to_owned()].as_slice(), "<p>"));
}

#[tokio::test]
async fn a_web_page_is_refused() {
    for (method, path) in [("POST", "/_local/ses/"), ("POST", "/_local/ses"), ("GET", "/_local/ses/")] {
        for origin in ["https://evil.example", "http://127.0.0.1:9000", "null", ""] {
            let mailbox = Mailbox::default();
            let router = router(Ses { mailbox: mailbox.clone(), clock: Arc::new(SystemClock) });
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::ORIGIN, origin)
                .body(Body::from(
                    "Action=SendEmail&Source=x%40example.com&Destination.ToAddresses.member.1=a%40example.com\
                     &Message.Subject.Data=s&Message.Body.Text.Data=t",
                ))
                .expect("a request");
            let response = router.oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{method} {path} from {origin:?}");
            assert!(mailbox.newest_first().is_empty());
        }
    }
}

#[tokio::test]
async fn a_raw_mail_arrives() {
    let mailbox = Mailbox::default();
    let raw = STANDARD.encode("From: x@example.com\r\nTo: a@example.com\r\nSubject: hello\r\n\r\nbody");
    let raw = raw.replace('+', "%2B").replace('=', "%3D");
    let body = format!("Action=SendRawEmail&RawMessage.Data={raw}&Destinations.member.1=b%40example.com");
    let (status, xml) = post_form(&mailbox, &body).await;
    assert_eq!(status, StatusCode::OK, "{xml}");
    assert!(xml.contains("<SendRawEmailResult>"), "{xml}");
    let mails = mailbox.newest_first();
    assert_eq!((mails[0].to[0].as_str(), mails[0].from.as_str()), ("b@example.com", "x@example.com"));
    assert_eq!((mails[0].subject.as_str(), mails[0].text.as_str()), ("hello", "body"));
}

#[tokio::test]
async fn what_ses_would_reject() {
    let from = "Source=x%40example.com";
    let to = "Destination.ToAddresses.member.1=a%40example.com";
    let text = "Message.Subject.Data=s&Message.Body.Text.Data=t";
    for (body, code) in [
        (format!("Action=SendEmail&{from}&{text}"), "MessageRejected"),
        (format!("Action=SendEmail&{to}&{text}"), "MessageRejected"),
        (format!("Action=SendEmail&{from}&{to}&Message.Subject.Data=s"), "MessageRejected"),
        (format!("Action=SendEmail&{from}&{text}&Destination.ToAddresses.member.1=a%3Cb"), "MessageRejected"),
        (
            format!("Action=SendEmail&{from}&{to}&Message.Subject.Data=a%0Ab&Message.Body.Text.Data=t"),
            "MessageRejected",
        ),
        ("Action=SendRawEmail&RawMessage.Data=!".to_owned(), "InvalidParameterValue"),
        ("Action=Nothing".to_owned(), "InvalidAction"),
        (String::new(), "InvalidAction"),
    ] {
        let mailbox = Mailbox::default();
        let (status, xml) = post_form(&mailbox, &body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert!(xml.contains(&format!("<Code>{code}</Code>")), "{body}: {xml}");
        assert_eq!(mailbox.newest_first(), [], "{body}");
    }
}
