//! HTTP/1.1 as a client of few words speaks it: requests with the headers that are needed, answers of a length or in chunks.

use crate::frame::LONGEST;
use memchr::{memchr, memmem};
use std::borrow::Cow;
use std::fmt::{Display, Formatter};
use std::io::Write;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The answer to [`KEY`]: the example of RFC 6455.
const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Bytes of the longest head that is waited for.
const LONGEST_HEAD: usize = 64 * 1024;

/// What stands in every request.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    /// Path of the endpoint, with its last slash.
    pub(crate) path: String,
    pub(crate) host: String,
    /// Path of the page that is asked for by who asks for pages.
    pub(crate) page: &'static str,
    /// More headers, each with its line end.
    pub(crate) headers: &'static str,
}

/// What a browser says in its requests, but for the encodings that it takes: what is asked for by this program is not compressed.
pub(crate) const OF_BROWSERS: &str = "\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n\
    sec-ch-ua: \"Chromium\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    sec-ch-ua-platform: \"Linux\"\r\n\
    Accept: */*\r\n\
    Accept-Language: en-US,en;q=0.9\r\n\
    Referer: http://127.0.0.1:8000/\r\n\
    Sec-Fetch-Dest: empty\r\n\
    Sec-Fetch-Mode: cors\r\n\
    Sec-Fetch-Site: same-origin\r\n";

impl Requests {
    /// Asks for the page.
    pub(crate) fn page(&self, out: &mut Vec<u8>) {
        let Self { page, host, headers, .. } = self;
        write(out, format_args!("GET {page} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n"));
    }

    /// Asks for packets; for a session if there is no id yet.
    pub(crate) fn poll(&self, out: &mut Vec<u8>, sid: &str) {
        let Self { path, host, headers, .. } = self;
        let and = if sid.is_empty() { "" } else { "&sid=" };
        write(
            out,
            format_args!(
                "GET {path}?EIO=4&transport=polling{and}{sid} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n"
            ),
        );
    }

    /// Sends packets.
    pub(crate) fn post(&self, out: &mut Vec<u8>, sid: &str, body: &[u8]) {
        let (Self { path, host, headers, .. }, length) = (self, body.len());
        write(
            out,
            format_args!(
                "POST {path}?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: {host}\r\n{headers}\
                 Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {length}\r\n\r\n"
            ),
        );
        out.extend_from_slice(body);
    }

    /// Asks for a WebSocket; of a session if there is an id already.
    pub(crate) fn upgrade(&self, out: &mut Vec<u8>, sid: &str) {
        let Self { path, host, headers, .. } = self;
        let and = if sid.is_empty() { "" } else { "&sid=" };
        write(
            out,
            format_args!(
                "GET {path}?EIO=4&transport=websocket{and}{sid} HTTP/1.1\r\nHost: {host}\r\n{headers}\
                 Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\n\
                 Sec-WebSocket-Version: 13\r\n\r\n"
            ),
        );
    }
}

fn write(out: &mut Vec<u8>, request: std::fmt::Arguments<'_>) {
    out.write_fmt(request).expect("memory takes everything");
}

/// An answer that has come whole.
#[derive(Debug)]
pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    head: &'a [u8],
    pub(crate) body: Cow<'a, [u8]>,
    /// Bytes it took.
    pub(crate) length: usize,
    /// Whether the server closes the connection behind it.
    pub(crate) closes: bool,
}

/// What is no answer as we know them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// Something else than HTTP/1.
    NotHttp,
    /// It does not say how long it is.
    NoLength,
    /// The length of a chunk is none.
    Chunk,
    /// It is longer than any server under test has reason to make it.
    TooLong,
}

impl Display for Malformed {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotHttp => "the answer is not HTTP/1",
            Self::NoLength => "the answer has neither a length nor chunks",
            Self::Chunk => "the answer has a chunk without a length",
            Self::TooLong => "the answer is of absurd length",
        })
    }
}

impl<'a> Response<'a> {
    /// The answer at the start, if it has come whole.
    pub(crate) fn decode(data: &'a [u8]) -> Result<Option<Self>, Malformed> {
        let Some(end) = memmem::find(data, b"\r\n\r\n") else {
            return if data.len() > LONGEST_HEAD { Err(Malformed::TooLong) } else { Ok(None) };
        };
        let (head, rest) = data.split_at(end + 4);
        let framing = Framing::of(head)?;
        let body = match framing.body {
            Body::None => Some((Cow::Borrowed(&rest[..0]), 0)),
            Body::Length(length) if length > LONGEST => return Err(Malformed::TooLong),
            Body::Length(length) => rest.get(..length).map(|body| (Cow::Borrowed(body), length)),
            Body::Chunks => chunks(rest)?.map(|(body, length)| (Cow::Owned(body), length)),
        };
        let Framing { status, closes, .. } = framing;
        Ok(body.map(|(body, length)| Self { status, head, body, length: head.len() + length, closes }))
    }

    /// Whether it opens the WebSocket that was asked for.
    pub(crate) fn accepts(&self) -> bool {
        memmem::find(self.head, ACCEPT).is_some()
    }
}

struct Framing {
    status: u16,
    body: Body,
    closes: bool,
}

enum Body {
    None,
    Length(usize),
    Chunks,
}

impl Framing {
    fn of(head: &[u8]) -> Result<Self, Malformed> {
        let status = head.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
        let status = status.and_then(number).ok_or(Malformed::NotHttp)?;
        let mut body = match status {
            101 | 204 | 304 => Some(Body::None),
            _ => None,
        };
        let mut closes = false;
        for line in head.split(|byte| *byte == b'\n').skip(1) {
            let Some(colon) = memchr(b':', line) else { continue };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"content-length") {
                body = body.or(Some(Body::Length(number(value).ok_or(Malformed::NoLength)?)));
            } else if name.eq_ignore_ascii_case(b"transfer-encoding")
                && value.eq_ignore_ascii_case(b"chunked")
            {
                body = body.or(Some(Body::Chunks));
            } else if name.eq_ignore_ascii_case(b"connection") {
                closes = value.eq_ignore_ascii_case(b"close");
            }
        }
        Ok(Self { status, body: body.ok_or(Malformed::NoLength)?, closes })
    }
}

fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The body that came in chunks and the bytes it took, if it has come whole.
fn chunks(data: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
    let (mut body, mut at) = (Vec::new(), 0);
    while let Some(end) = memmem::find(&data[at..], b"\r\n") {
        let size = std::str::from_utf8(&data[at..at + end]).map_err(|_| Malformed::Chunk)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| Malformed::Chunk)?;
        if size > LONGEST - body.len() {
            return Err(Malformed::TooLong);
        }
        at += end + 2;
        let Some(chunk) = data.get(at..).and_then(|rest| rest.get(..size + 2)) else { break };
        at += chunk.len();
        if size == 0 {
            return Ok(Some((body, at)));
        }
        body.extend_from_slice(&chunk[..size]);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(data: &[u8]) -> Option<Response<'_>> {
        Response::decode(data).expect("it is an answer")
    }

    #[test]
    fn an_answer_of_a_length_is_taken_when_it_is_whole() {
        let data = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nokHTTP/1.1";
        let whole = data.len() - 8;
        let response = decode(data).expect("it is whole");
        assert_eq!((response.status, response.length, response.closes), (200, whole, false));
        assert_eq!(&*response.body, b"ok");
        for cut in 0..whole {
            assert!(decode(&data[..cut]).is_none(), "cut at {cut}");
        }
    }

    #[test]
    fn an_answer_in_chunks_is_taken_when_it_is_whole() {
        let data = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n";
        let response = decode(data).expect("it is whole");
        assert_eq!((&*response.body, response.length, response.closes), (&b"abcde"[..], data.len(), true));
        for cut in 0..data.len() {
            assert!(decode(&data[..cut]).is_none(), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for (data, wrong) in [
            (&b"SSH-2.0\r\n\r\n"[..], Malformed::NotHttp),
            (b"HTTP/1.1 200 OK\r\n\r\n", Malformed::NoLength),
            (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Malformed::NoLength),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", Malformed::Chunk),
        ] {
            assert_eq!(Response::decode(data).err(), Some(wrong));
        }
    }

    #[test]
    fn an_answer_of_absurd_length_is_not_waited_for() {
        let length = LONGEST + 1;
        for head in [
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"),
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n{LONGEST:x}\r\n"),
            format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(LONGEST_HEAD)),
        ] {
            assert_eq!(Response::decode(head.as_bytes()).err(), Some(Malformed::TooLong));
        }
    }

    #[test]
    fn a_connection_is_upgraded_without_a_body() {
        let data = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x00";
        let response = decode(data).expect("it is whole");
        assert!(response.accepts());
        assert_eq!(response.length, data.len() - 2);
    }
}
