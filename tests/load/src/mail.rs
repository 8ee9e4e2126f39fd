//! The mail service: takes what the server sends as Amazon SES would, and remembers the newest code for each address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The codes that were mailed and not yet taken; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Codes(Arc<Mutex<HashMap<String, String>>>);

impl Codes {
    /// Starts the service; tells where it is.
    pub(crate) async fn serve() -> anyhow::Result<(Self, String)> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for mail")?;
        let url = format!("http://{}", listener.local_addr()?);
        let codes = Self::default();
        let kept = codes.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, kept.clone()));
            }
        });
        Ok((codes, url))
    }

    /// The code that was mailed to an address.
    pub(crate) fn take(&self, address: &str) -> Option<String> {
        self.lock().remove(address)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const ANSWER: &str = "<SendEmailResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><SendEmailResult>\
    <MessageId>load</MessageId></SendEmailResult><ResponseMetadata><RequestId>load</RequestId></ResponseMetadata>\
    </SendEmailResponse>";

/// Answers all requests of one connection.
async fn answer(mut stream: TcpStream, codes: Codes) {
    let mut read = Vec::new();
    while let Some(form) = next_form(&mut stream, &mut read).await {
        let (mut address, mut subject) = (String::new(), String::new());
        for (name, value) in form_urlencoded::parse(&form) {
            match name.as_ref() {
                "Destination.ToAddresses.member.1" => address = value.into_owned(),
                "Message.Subject.Data" => subject = value.into_owned(),
                _ => {}
            }
        }
        let code = subject.len().checked_sub(6).and_then(|start| subject.get(start..));
        if let Some(code) = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_digit())) {
            codes.lock().insert(address, code.to_owned());
        }
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n", ANSWER.len());
        if stream.write_all(format!("{head}{ANSWER}").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The body of the next request; what was read beyond it stays.
async fn next_form(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            let whole = end + 4 + length.unwrap_or(0_usize);
            if read.len() >= whole {
                let rest = read.split_off(whole);
                let mut form = std::mem::replace(read, rest);
                return Some(form.split_off(end + 4));
            }
        }
        let mut some = [0; 8192];
        let count = stream.read(&mut some).await.ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&some[..count]);
    }
}
