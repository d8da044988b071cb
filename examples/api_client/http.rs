//! As much of HTTP/1.1 as the two sides need: requests without a body on connections that stay open.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// The longest head of a message.
const LONGEST: usize = 8 << 10;

/// The lines before the body, without their ends; `None` if the other side has hung up.
async fn read_head(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<String>>> {
    let (mut lines, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        let read = (&mut *stream).take(LONGEST as u64).read_line(&mut line).await?;
        length += read;
        match line.trim_end() {
            _ if read == 0 && lines.is_empty() => return Ok(None),
            _ if read == 0 => return Err(ErrorKind::UnexpectedEof.into()),
            _ if length > LONGEST => return Err(io::Error::other("a head is too long")),
            "" => return Ok(Some(lines)),
            line => lines.push(line.to_owned()),
        }
    }
}

/// A client's connection to a server.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: SocketAddr,
}

impl Connection {
    pub(crate) async fn open(host: SocketAddr) -> io::Result<Self> {
        Ok(Self { stream: BufReader::new(TcpStream::connect(host).await?), host })
    }

    /// The status of the answer. The body is read and dropped.
    pub(crate) async fn get(&mut self, path: &str) -> io::Result<u16> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host);
        self.stream.write_all(request.as_bytes()).await?;
        let head = read_head(&mut self.stream).await?.ok_or(ErrorKind::UnexpectedEof)?;
        let (status, length) =
            parse(&head).ok_or_else(|| io::Error::other(format!("no answer: {head:?}")))?;
        let mut body = (&mut self.stream).take(length);
        if tokio::io::copy(&mut body, &mut tokio::io::sink()).await? < length {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(status)
    }
}

/// The status and the length of the body.
fn parse(head: &[String]) -> Option<(u16, u64)> {
    let status = head.first()?.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
    let length =
        head.iter().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())
        })??;
    Some((status, length))
}

/// Answers the requests on a connection until the client hangs up.
pub(crate) async fn answer(
    stream: TcpStream,
    status: impl Fn() -> (&'static str, &'static str),
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while read_head(&mut stream).await?.is_some() {
        let (status, body) = status();
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}
