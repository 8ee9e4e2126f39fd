//! One HTTP/1.1 connection, with as little work as can be, since the client shares the machine with what it measures.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that stays open, from an address of its own.
pub(crate) struct Connection {
    to: SocketAddr,
    from: Ipv4Addr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The values of all headers of this name, in lower case.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Connection {
    pub(crate) fn new(from: Ipv4Addr, to: SocketAddr) -> Self {
        Self { to, from, stream: None, buffer: Vec::with_capacity(16 * 1024) }
    }

    /// Sends a request and reads the whole answer. A connection that the service has ended meanwhile, as it was silent, is
    /// opened again.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        let was_open = self.stream.is_some();
        let answer = timeout(PATIENCE, self.exchange(request)).await.context("no answer in time")?;
        if answer.is_err() && was_open && self.buffer.is_empty() {
            return timeout(PATIENCE, self.exchange(request)).await.context("no answer in time")?;
        }
        answer
    }

    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.buffer.clear();
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let socket = TcpSocket::new_v4()?;
                socket.bind(SocketAddr::new(self.from.into(), 0))?;
                let stream = socket.connect(self.to).await.context("no connection")?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        stream.write_all(request).await?;
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            more(&mut stream, &mut self.buffer).await?;
        };
        let mut answer = parse(&self.buffer[..head])?;
        if let Some(length) = answer.header("content-length") {
            let end = head + length.parse::<usize>()?;
            while self.buffer.len() < end {
                more(&mut stream, &mut self.buffer).await?;
            }
            answer.body = self.buffer[head..end].to_vec();
        } else if answer.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            let mut at = head;
            loop {
                while find(&self.buffer[at..], b"\r\n").is_none() {
                    more(&mut stream, &mut self.buffer).await?;
                }
                let line = at + find(&self.buffer[at..], b"\r\n").context("no chunk")?;
                let size = std::str::from_utf8(&self.buffer[at..line])?.split(';').next().unwrap_or_default();
                let size = usize::from_str_radix(size.trim(), 16)?;
                at = line + 2 + size + 2;
                while self.buffer.len() < at {
                    more(&mut stream, &mut self.buffer).await?;
                }
                if size == 0 {
                    break;
                }
                answer.body.extend_from_slice(&self.buffer[line + 2..at - 2]);
            }
        } else {
            ensure!(matches!(answer.status, 204 | 304), "an answer without a length");
        }
        if !answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    if stream.read_buf(buffer).await? == 0 {
        bail!("the connection ended within an answer");
    }
    Ok(())
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn parse(head: &[u8]) -> anyhow::Result<Answer> {
    let mut lines = std::str::from_utf8(head)?.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(Answer { status, headers, body: Vec::new() })
}
