//! Which requests the fast front takes: as plain as browsers and official clients send them.
//!
//! Owns what is plain, and nothing else. A head is taken apart by httparse alone, which hyper uses too. What is not plain is no
//! error here: it is hyper's to judge, so everything that leaves a doubt about where a request ends is not plain.

use std::mem::MaybeUninit;

/// Headers of one request; hyper refuses more.
const MAX_HEADERS: usize = 100;
/// Bytes of a head, as in Node; hyper takes longer ones.
const MAX_HEAD: usize = 16 * 1024;
/// Digits of a body's length.
const MAX_DIGITS: usize = 12;

/// What the bytes of a connection begin with.
pub(super) enum Seen<'a, 'b> {
    /// Perhaps a plain request, of which something is missing.
    Incomplete,
    /// Something else.
    Foreign,
    Request(Head<'a, 'b>),
}

/// The head of a plain request.
pub(super) struct Head<'a, 'b> {
    /// Its own bytes.
    pub(super) length: usize,
    /// Path and query.
    pub(super) target: &'b str,
    pub(super) query: &'b str,
    pub(super) headers: &'a [httparse::Header<'b>],
    pub(super) kind: Kind,
}

/// What a plain request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A GET without a body.
    Get,
    /// A GET that would like to become a WebSocket.
    Upgrade,
    /// A POST with so many bytes behind its head.
    Post(usize),
}

/// Room for the headers of one request.
pub(super) struct Slots<'b>([MaybeUninit<httparse::Header<'b>>; MAX_HEADERS]);

impl Default for Slots<'_> {
    fn default() -> Self {
        Self([const { MaybeUninit::uninit() }; MAX_HEADERS])
    }
}

/// Looks for a request for `path`, which has no slash at its end, with or without one.
pub(super) fn read<'a, 'b>(path: &str, bytes: &'b [u8], lines: &'a mut Slots<'b>) -> Seen<'a, 'b> {
    if !["GET ", "POST "].iter().any(|method| may_begin(method, path, bytes)) {
        return Seen::Foreign;
    }
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(bytes, &mut lines.0) {
        Ok(httparse::Status::Complete(length)) if length <= MAX_HEAD => {
            plain(path, request, length).map_or(Seen::Foreign, Seen::Request)
        }
        Ok(httparse::Status::Partial) if bytes.len() <= MAX_HEAD => Seen::Incomplete,
        Ok(_) | Err(_) => Seen::Foreign,
    }
}

/// Whether a request line with that method, for that path and with a query, begins so.
fn may_begin(method: &str, path: &str, bytes: &[u8]) -> bool {
    let mut rest = bytes;
    for part in [method.as_bytes(), path.as_bytes()] {
        let common = part.len().min(rest.len());
        if rest[..common] != part[..common] {
            return false;
        }
        rest = &rest[common..];
        if common < part.len() {
            return true;
        }
    }
    matches!(rest, [] | [b'/'] | [b'/', b'?', ..] | [b'?', ..])
}

fn plain<'a, 'b>(path: &str, request: httparse::Request<'a, 'b>, length: usize) -> Option<Head<'a, 'b>> {
    let httparse::Request { method, path: target, version, headers } = request;
    let target =
        target.filter(|target| version == Some(1) && target.bytes().all(|byte| PLAIN[usize::from(byte)]))?;
    let rest = target.strip_prefix('/').and(target.strip_prefix(path))?;
    let query = rest.strip_prefix('/').unwrap_or(rest).strip_prefix('?')?;
    let headers = &*headers;
    let (upgrade, body) = framing(headers)?;
    let kind = match (method?, upgrade, body) {
        ("GET", false, None) => Kind::Get,
        ("GET", true, None) => Kind::Upgrade,
        ("POST", false, Some(body)) => Kind::Post(body),
        _ => return None,
    };
    Some(Head { length, target, query, headers, kind })
}

/// Which bytes stand in addresses (RFC 3986), so that no two readers take one for different ones.
const PLAIN: [bool; 256] = plain_bytes();

const fn plain_bytes() -> [bool; 256] {
    let (marks, mut plain) = (b"-._~!$&'()*+,;=:@/?%", [false; 256]);
    let mut byte = 0;
    while byte < 128 {
        plain[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < marks.len() {
        plain[marks[at] as usize] = true;
        at += 1;
    }
    plain
}

/// What the headers say of the connection: whether it is to become a WebSocket, and the length of a body. None when they
/// say something else, or the same twice.
fn framing(headers: &[httparse::Header<'_>]) -> Option<(bool, Option<usize>)> {
    let (mut upgrade, mut body) = (false, None);
    for httparse::Header { name, value } in headers {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name.len() {
            6 if is("expect") => return None,
            7 if is("upgrade") => {
                let websocket = value.eq_ignore_ascii_case(b"websocket");
                if !websocket || std::mem::replace(&mut upgrade, true) {
                    return None;
                }
            }
            10 if is("connection") => {
                let mut words = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                let known: [&[u8]; 2] = [b"keep-alive", b"upgrade"];
                let is_known = |word: &[u8]| known.iter().any(|known| word.eq_ignore_ascii_case(known));
                words.all(is_known).then_some(())?;
            }
            14 if is("content-length") => {
                let length = length(value)?;
                if body.replace(length).is_some() {
                    return None;
                }
            }
            17 if is("transfer-encoding") => return None,
            _ => {}
        }
    }
    Some((upgrade, body))
}

fn length(value: &[u8]) -> Option<usize> {
    let digits = value.iter().all(u8::is_ascii_digit) && value.len() <= MAX_DIGITS;
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/socket.io";

    /// What is asked for, by a request of that first line and headers.
    fn asked(line: &str, headers: &[&str]) -> Option<Kind> {
        let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let text = format!("{line}\r\n{headers}\r\n");
        match read(PATH, text.as_bytes(), &mut Slots::default()) {
            Seen::Request(head) => {
                assert_eq!(head.length, text.len());
                Some(head.kind)
            }
            Seen::Foreign => None,
            Seen::Incomplete => panic!("{text:?} is whole"),
        }
    }

    const GET: &str = "GET /socket.io/?EIO=4 HTTP/1.1";
    const POST: &str = "POST /socket.io/?EIO=4 HTTP/1.1";

    #[test]
    fn what_official_clients_send_is_plain() {
        assert_eq!(asked(GET, &["Host: a", "Connection: keep-alive"]), Some(Kind::Get));
        assert_eq!(asked("GET /socket.io?EIO=4 HTTP/1.1", &[]), Some(Kind::Get));
        let websocket = ["Upgrade: WebSocket", "Connection: keep-alive, Upgrade"];
        assert_eq!(asked(GET, &websocket), Some(Kind::Upgrade));
        assert_eq!(asked(POST, &["content-LENGTH: 12"]), Some(Kind::Post(12)));
    }

    #[test]
    fn everything_else_is_foreign() {
        for line in [
            "GET / HTTP/1.1",
            "GET /socket.iox/?EIO=4 HTTP/1.1",
            "GET /socket.io/x?EIO=4 HTTP/1.1",
            "GET /socket.io/ HTTP/1.1",
            "GET /socket.io HTTP/1.1",
            "GET //socket.io/?EIO=4 HTTP/1.1",
            "GET /Socket.io/?EIO=4 HTTP/1.1",
            "GET /socket%2Eio/?EIO=4 HTTP/1.1",
            "GET http://a/socket.io/?EIO=4 HTTP/1.1",
            "GET /socket.io/?EIO=4 HTTP/1.0",
            "GET  /socket.io/?EIO=4 HTTP/1.1",
            "GET /socket.io/?EIO=4#x HTTP/1.1",
            "GET /socket.io/?EIO=4\"x HTTP/1.1",
            "GET /socket.io/?EIO=\u{e4} HTTP/1.1",
            "HEAD /socket.io/?EIO=4 HTTP/1.1",
            "OPTIONS /socket.io/?EIO=4 HTTP/1.1",
            "get /socket.io/?EIO=4 HTTP/1.1",
            "PRI * HTTP/2.0",
            "",
        ] {
            assert_eq!(asked(line, &[]), None, "{line}");
        }
        for header in [
            "Content-Length: 0",
            "Transfer-Encoding: chunked",
            "Expect: 100-continue",
            "Upgrade: h2c",
            "Upgrade: websocket, h2c",
            "Upgrade: websocket\r\nUpgrade: websocket",
            "Connection: close",
            "Connection: keep-alive, close",
            "Connection: x",
            "a: b\r\n c",
            "a : b",
            "a",
        ] {
            assert_eq!(asked(GET, &[header]), None, "{header}");
        }
        for header in [
            "a: b",
            "Content-Length: ",
            "Content-Length: +1",
            "Content-Length: 1 1",
            "Content-Length: 0x1",
            "Content-Length: 1, 1",
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: 9999999999999",
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Content-Length: 1\r\nUpgrade: websocket",
        ] {
            assert_eq!(asked(POST, &[header]), None, "{header}");
        }
        assert_eq!(asked(GET, &["a: b"; MAX_HEADERS]), Some(Kind::Get));
        assert_eq!(asked(GET, &["a: b"; MAX_HEADERS + 1]), None);
        assert_eq!(asked(GET, &[&format!("a: {}", "b".repeat(MAX_HEAD))]), None);
    }

    #[test]
    fn a_beginning_is_waited_for_as_long_as_it_may_become_plain() {
        let whole = format!("{GET}\r\nHost: a\r\n\r\n");
        for cut in 0..whole.len() {
            let mut lines = Slots::default();
            assert!(matches!(read(PATH, &whole.as_bytes()[..cut], &mut lines), Seen::Incomplete), "{cut}");
        }
        for foreign in
            ["X", "GET /s/", "GET /socket.io/x", "POST /socket.io ", "\r\n", "GET /socket.io/? HTTP/3"]
        {
            assert!(
                matches!(read(PATH, foreign.as_bytes(), &mut Slots::default()), Seen::Foreign),
                "{foreign}"
            );
        }
        let long = format!("{GET}\r\na: {}", "b".repeat(MAX_HEAD));
        assert!(
            matches!(read(PATH, long.as_bytes(), &mut Slots::default()), Seen::Foreign),
            "hyper may wait"
        );
    }

    #[test]
    fn a_server_at_the_root_has_a_slash() {
        let asked = |line: &str| {
            let text = format!("{line} HTTP/1.1\r\n\r\n");
            matches!(read("", text.as_bytes(), &mut Slots::default()), Seen::Request(_))
        };
        assert!(asked("GET /?EIO=4"));
        assert!(!asked("GET ?EIO=4"));
        assert!(!asked("GET /x?EIO=4"));
    }
}
