//! What a client has said of itself: by the request that opened its session, and when it asked to enter a namespace.
//!
//! Owns a compact copy of that request, kept as long as the session. Whoever knows HTTP makes it; nothing of an HTTP
//! library stays in it, since those keep whole read buffers alive.

use super::Value;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::SystemTime;

/// The request that opened a client's session. [`Socket::handshake`](crate::Socket::handshake) has it, and
/// [`raw::Session::handshake`](crate::raw::Session::handshake); all sockets of a session share it.
///
/// ```
/// # use encke_server::{Server, Refusal};
/// # let _ =
/// Server::builder().namespace("/", |on| {
///     on.admit(|socket, _auth| {
///         let handshake = socket.handshake();
///         if handshake.query("room").is_none() {
///             return Err(Refusal::new("which room?"));
///         }
///         println!("{:?} from {:?}", handshake.header("user-agent"), handshake.remote_address());
///         Ok(())
///     });
/// });
/// ```
///
/// ```
/// # use encke_server::Server;
/// # let _ =
/// Server::builder().namespace("/", |on| {
///     on.on_connect(|socket| {
///         let handshake = socket.handshake();
///         let lock = if handshake.is_secure() { "secure" } else { "open" };
///         println!("{} since {:?}, {lock}", handshake.url(), handshake.time());
///     });
/// });
/// ```
#[derive(Clone)]
pub struct Handshake {
    /// The url in the first line, then `name:value` in one line for each header. No url or header has a line end.
    text: Box<str>,
    remote: Option<SocketAddr>,
    time: SystemTime,
    secure: bool,
    carried: Box<[Value]>,
}

/// What a browser says of itself is hardly longer.
const USUAL_BYTES: usize = 1_024;

impl Handshake {
    /// Names get small letters; what is not UTF-8 in a value is replaced.
    pub(crate) fn new<'a>(url: &str, headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut text = String::with_capacity(USUAL_BYTES);
        text.push_str(url);
        for (name, value) in headers {
            text.push('\n');
            let start = text.len();
            text.push_str(name);
            text[start..].make_ascii_lowercase();
            text.push(':');
            text.push_str(&String::from_utf8_lossy(value));
        }
        // Copied: cut where it stands, it would leave a hole behind what stays.
        let (text, carried) = (Box::from(&*text), Box::default());
        Self { text, remote: None, time: SystemTime::now(), secure: false, carried }
    }

    pub(crate) fn connection(mut self, remote: Option<SocketAddr>, secure: bool) -> Self {
        (self.remote, self.secure) = (remote, secure);
        self
    }

    pub(crate) fn carrying(mut self, carried: Vec<Value>) -> Self {
        self.carried = carried.into_boxed_slice();
        self
    }

    /// The first header of that name, in whatever letters; bytes that are not UTF-8 are replaced. Headers that concern
    /// only the connection, such as `Upgrade` and `Sec-WebSocket-Key`, are not kept.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All headers, their names in small letters.
    ///
    /// ```
    /// # fn languages(handshake: &encke_server::Handshake) -> Vec<&str> {
    /// handshake.headers().filter(|(name, _)| *name == "accept-language").map(|(_, value)| value).collect()
    /// # }
    /// ```
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.text.split('\n').skip(1).filter_map(|line| line.split_once(':'))
    }

    /// Path and query of the request, as they came; what an outer router has [nested](axum::Router::nest) away is not in it.
    pub fn url(&self) -> &str {
        self.text.split('\n').next().unwrap_or_default()
    }

    /// The first value of that name in the query, with `%` and `+` decoded; what is not UTF-8 then is replaced.
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        let (_, query) = self.url().split_once('?')?;
        let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find(|(known, _)| unescape(known) == name).map(|(_, value)| unescape(value))
    }

    /// The other end of the connection that brought the request, perhaps a proxy's. Known when the application is served by
    /// `into_make_service_with_connect_info::<SocketAddr>()`, or `::<Remote>()` behind a [`Listener`](crate::Listener).
    pub fn remote_address(&self) -> Option<SocketAddr> {
        self.remote
    }

    /// When the request came.
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// Whether it came by TLS, as far as can be told: by the scheme that an HTTP/2 request names, or by the
    /// `X-Forwarded-Proto` of a proxy. Either may be made up when no proxy of yours stands between.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// What middleware of the application has put into the request's extensions, if its type was named by
    /// [`ServerBuilder::carry`](crate::ServerBuilder::carry).
    ///
    /// ```
    /// # use encke_server::Server;
    /// #[derive(Clone)]
    /// struct User(String);
    ///
    /// # let _ =
    /// Server::builder().carry::<User>().namespace("/", |on| {
    ///     on.admit(|socket, _auth| {
    ///         let user = socket.handshake().find::<User>().ok_or("who are you?")?;
    ///         println!("{} is here", user.0);
    ///         Ok(())
    ///     });
    /// });
    /// ```
    pub fn find<T: Any>(&self) -> Option<&T> {
        self.carried.iter().find_map(|value| value.downcast_ref())
    }

    /// Bytes that it keeps in memory, but for what it carries.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }
}

/// Browsers and official clients write queries as forms are written. What is no escape stands for itself.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        bytes.push(match (first, behind) {
            (b'+', _) => b' ',
            (b'%', [high, low, behind @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest = behind;
                digit(*high) << 4 | digit(*low)
            }
            (byte, _) => *byte,
        });
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn digit(byte: u8) -> u8 {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or_default()
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Headers and query may hold secrets.
        f.debug_struct("Handshake")
            .field("remote", &self.remote)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

/// What a client says of itself when it asks to enter a namespace: a JSON object.
///
/// ```
/// # use encke_server::Server;
/// # let _ =
/// Server::builder().namespace("/", |on| {
///     on.admit(|socket, auth| {
///         println!("{} says {}", socket.id(), auth.text());
///         let auth = auth.into_owned();
///         std::thread::spawn(move || println!("and still {}", auth.text()));
///         Ok(())
///     });
/// });
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Auth<'a>(Option<Cow<'a, str>>);

impl<'a> Auth<'a> {
    pub(crate) fn new(text: Option<&'a str>) -> Self {
        Self(text.map(Cow::Borrowed))
    }

    /// As JSON text: an object, `{}` when the client said nothing.
    pub fn text(&self) -> &str {
        self.0.as_deref().unwrap_or("{}")
    }

    /// As a value of the application's.
    ///
    /// ```
    /// # use encke_server::{Auth, Refusal, Socket};
    /// #[derive(serde::Deserialize)]
    /// struct Login {
    ///     token: String,
    /// }
    ///
    /// fn admit(socket: &Socket, auth: Auth<'_>) -> Result<(), Refusal> {
    ///     let login: Login = auth.decode()?;
    ///     if login.token == "open sesame" { Ok(()) } else { Err("who are you?".into()) }
    /// }
    /// ```
    ///
    /// # Errors
    /// When it is another type of object. The client is told what is wrong with it, if the error is returned as refusal.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.text())
    }

    pub(crate) fn borrowed(&self) -> Auth<'_> {
        Auth::new(self.0.as_deref())
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Auth<'static> {
        Auth(self.0.map(|text| Cow::Owned(text.into_owned())))
    }
}

impl std::fmt::Debug for Auth<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // It is made of secrets.
        f.debug_struct("Auth").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake(url: &str) -> Handshake {
        let headers: [(&str, &[u8]); 3] = [("cookie", b"a=1; b:2"), ("x", b"caf\xe9"), ("cookie", b"c")];
        Handshake::new(url, headers.into_iter())
    }

    #[test]
    fn headers_are_found_by_name_and_keep_their_order() {
        let handshake = handshake("/");
        assert_eq!(handshake.header("COOKIE"), Some("a=1; b:2"));
        assert_eq!(handshake.header("x"), Some("caf\u{fffd}"));
        assert_eq!(handshake.header("cook"), None);
        assert_eq!(handshake.headers().map(|(name, _)| name).collect::<Vec<_>>(), ["cookie", "x", "cookie"]);
        assert_eq!(handshake.url(), "/");
    }

    #[test]
    fn a_query_is_decoded_and_nothing_in_it_is_fatal() {
        let handshake = handshake("/s/?a=1&b+c=%C3%A4+%2B&d=%zz%&e=%ff&a=2&f&g=h=i&=j");
        let query = |name| handshake.query(name).map(Cow::into_owned);
        let wanted = [
            ("a", "1"),
            ("b c", "ä +"),
            ("d", "%zz%"),
            ("e", "\u{fffd}"),
            ("f", ""),
            ("g", "h=i"),
            ("", "j"),
        ];
        for (name, value) in wanted {
            assert_eq!(query(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(query("k"), None);
        assert_eq!(Handshake::new("/s/", std::iter::empty()).query("a"), None);
    }
}
