//! Mails as SES gets them, and what its answers say of them: a stand-in gives those that no engine can be made to give.

use std::time::Duration;

use polygate_shared::aws::client;
use polygate_shared::aws::ses::SesMailer;
use polygate_shared::identity::{Mail, MailOutcome, Mailer, Purpose, SendError};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::engine::StandIn;

const TAKEN: &str = "<SendEmailResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><SendEmailResult>\
                     <MessageId>1</MessageId></SendEmailResult></SendEmailResponse>";

fn mail() -> Mail {
    Mail {
        to: serde_json::from_value(json!("person@example.com")).expect("an address"),
        purpose: Purpose::ResetPassword,
        subject: "重置密码".to_owned(),
        text: "Your code: 123456".to_owned(),
        html: "<p>Your code: 123456</p>".to_owned(),
    }
}

fn mailer(endpoint: &str, from: &str) -> SesMailer {
    SesMailer::new(&client::connect_local(endpoint).expect("a configuration"), from)
}

/// The word for what came of a mail, and its cause as the log has it.
async fn sent_to(endpoint: &str, time_out: Duration) -> (&'static str, String) {
    let handed = mailer(endpoint, "us@example.com").within(time_out).send(&mail()).await;
    let word = MailOutcome::of(&handed).as_str();
    let cause = match handed {
        Ok(()) => String::new(),
        Err(SendError::NotSent { cause, .. } | SendError::Unknown { cause }) => format!("{cause:#}"),
    };
    assert!(!cause.contains("person"), "{cause}");
    (word, cause)
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

async fn form_of(mailer: SesMailer, service: &StandIn) -> Vec<String> {
    mailer.send(&mail()).await.expect("sent");
    let seen = service.seen().pop().expect("a request");
    seen.body.as_str().expect("a form").split('&').map(str::to_owned).collect()
}

#[tokio::test]
async fn a_mail_is_handed_over_whole() {
    let service = StandIn::start(|_, _| (200, TAKEN.to_owned())).await;
    let form = form_of(mailer(&service.endpoint, "us@example.com"), &service).await;
    for part in [
        "Action=SendEmail",
        "Source=us%40example.com",
        "Destination.ToAddresses.member.1=person%40example.com",
        "Message.Subject.Data=%E9%87%8D%E7%BD%AE%E5%AF%86%E7%A0%81",
        "Message.Subject.Charset=UTF-8",
        "Message.Body.Text.Charset=UTF-8",
        "Message.Body.Html.Charset=UTF-8",
        "Tags.member.1.Name=purpose",
        "Tags.member.1.Value=reset_password",
    ] {
        assert!(form.iter().any(|field| field == part), "{part} in {form:?}");
    }
    assert!(!form.iter().any(|field| field.starts_with("ReplyTo") || field.starts_with("Configuration")), "{form:?}");
}

#[tokio::test]
async fn sender_answers_and_configuration_set_are_as_set() {
    let service = StandIn::start(|_, _| (200, TAKEN.to_owned())).await;
    let mailer = mailer(&service.endpoint, "账号 <us@example.com>");
    let mailer = mailer.reply_to(Some("Help <help@example.com>")).under(Some("my-set".to_owned()));
    let form = form_of(mailer, &service).await;
    for part in [
        "Source=%3D%3FUTF-8%3FB%3F6LSm5Y%2B3%3F%3D%20%3Cus%40example.com%3E",
        "ReplyToAddresses.member.1=Help%20%3Chelp%40example.com%3E",
        "ConfigurationSetName=my-set",
    ] {
        assert!(form.iter().any(|field| field == part), "{part} in {form:?}");
    }
}

#[tokio::test]
async fn each_answer_is_told_from_the_others_and_tried_once() {
    let unverified = "Email address is not verified. The following identities failed the check: person@example.com";
    for (status, code, told, word) in [
        (400, "Throttling", "Maximum sending rate exceeded.", "throttled"),
        (400, "Throttling", "Daily message quota exceeded.", "throttled"),
        (503, "ThrottlingException", "person@example.com", "throttled"),
        (400, "MessageRejected", unverified, "unverified"),
        (400, "MessageRejected", "Email address not verified person@example.com", "unverified"),
        (400, "MessageRejected", "Address person@example.com is on the suppression list", "rejected"),
        (400, "InvalidParameterValue", "Illegal address: person@example.com", "rejected"),
        (400, "MailFromDomainNotVerifiedException", "person@example.com", "misconfigured"),
        (400, "ConfigurationSetDoesNotExist", "person@example.com", "misconfigured"),
        (400, "ConfigurationSetSendingPausedException", "", "misconfigured"),
        (400, "AccountSendingPausedException", "", "misconfigured"),
        (403, "AccessDenied", "not authorized to perform ses:SendEmail for person@example.com", "misconfigured"),
        (403, "InvalidClientTokenId", "", "misconfigured"),
        (500, "InternalFailure", "person@example.com", "unknown"),
        (503, "ServiceUnavailable", "", "unknown"),
    ] {
        let service = StandIn::start(move |_, _| {
            let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{told}</Message></Error>");
            (status, format!("<ErrorResponse>{error}</ErrorResponse>"))
        })
        .await;
        let (outcome, cause) = sent_to(&service.endpoint, LONG).await;
        assert_eq!(outcome, word, "{code} {told}");
        assert!(cause.contains(code) && cause.contains("r-1"), "{cause}");
        assert_eq!(service.seen().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn an_answer_that_is_none_of_ses_leaves_it_open() {
    for (status, body, word) in
        [(502, "<html>bad gateway</html>", "unknown"), (200, "not xml", "unknown"), (404, "nowhere", "misconfigured")]
    {
        let service = StandIn::start(move |_, _| (status, body.to_owned())).await;
        assert_eq!(sent_to(&service.endpoint, LONG).await.0, word, "{status}");
        assert_eq!(service.seen().len(), 1, "{status}");
    }
}

/// A listener that does this with each connection.
async fn listener(answer: &'static [u8], read_first: bool, hang: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                if read_first {
                    // The whole request comes in one piece.
                    stream.readable().await.ok();
                    stream.try_read(&mut [0; 65_536]).ok();
                }
                stream.write_all(answer).await.ok();
                if hang {
                    tokio::time::sleep(LONG).await;
                }
            });
        }
    });
    endpoint
}

#[tokio::test]
async fn what_breaks_after_the_request_went_out_leaves_it_open() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n<SendEmailResponse>".as_slice();
    for (answer, hang) in [(b"".as_slice(), true), (b"".as_slice(), false), (half, true), (half, false)] {
        let (outcome, cause) = sent_to(&listener(answer, true, hang).await, SHORT).await;
        assert_eq!(outcome, "unknown", "{cause}");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let nowhere = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    assert_eq!(sent_to(&nowhere, LONG).await.0, "unreachable");
    assert_eq!(sent_to("http://no-such-host.invalid", LONG).await.0, "unreachable");
}

#[tokio::test]
async fn a_domain_of_another_script_is_mailed_in_its_ascii_form() {
    let service = StandIn::start(|_, _| (200, TAKEN.to_owned())).await;
    let to = serde_json::from_value(json!("a@例子.com")).expect("an address");
    mailer(&service.endpoint, "us@example.com").send(&Mail { to, ..mail() }).await.expect("sent");
    let seen = service.seen();
    let form = seen[0].body.as_str().expect("a form");
    assert!(form.contains("Destination.ToAddresses.member.1=a%40xn--fsqu00a.com"), "{form}");
}
