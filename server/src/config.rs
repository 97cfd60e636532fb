//! What can be set about a server: times, limits, origins. Checked where the bytes enter; every default is safe.

use crate::http::{Carry, Cookie, Hooks};
use crate::namespace::Value;
use encke_protocol::{engine, socket};
use std::time::Duration;

/// What one client may make the server hold or do. Every bound is per session unless it says otherwise.
///
/// ```
/// # use encke_server::{Limits, Server};
/// let limits = Limits { max_payload: 64 * 1024, max_sessions: 10_000, ..Limits::default() };
/// assert_eq!(limits.max_namespaces, 64);
/// let server = Server::builder().limits(limits).build();
/// # let _ = server;
/// ```
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one message, and of the body of one polling request (the form that holds it may be 3.5 times as long, as
    /// browsers write forms, and a body that is not one text alone by 1/256, as official clients count base64); clients are told
    /// (`maxPayload`). More is answered by status 413 or WebSocket close code 1009. 1,000,000, as in the reference server.
    pub max_payload: u32,
    /// Packets in the body of one polling request. More ends the session. 65,536: the reference servers bound a body by its
    /// bytes alone, and official clients put a whole burst into one.
    pub max_packets: usize,
    /// Binary attachments of one event or ack. More ends the session. 10.
    pub max_attachments: usize,
    /// Namespaces that one client may ask for. More ends the session. 64.
    pub max_namespaces: usize,
    /// Bytes of the url and the headers of the request that opens a session, which are kept with it. More is answered by
    /// status 431. 16 KiB, as in Node.
    pub max_head: usize,
    /// Bytes of what a client says of itself when it asks to enter a namespace, which are kept with the socket. More is
    /// refused. 64 KiB.
    pub max_auth: usize,
    /// For a client to enter its first namespace, else the session ends. 45 s, as in the reference server.
    pub connect_timeout: Duration,
    /// Bytes that may wait to be sent to a client; what is volatile is dropped beyond it, anything else ends the session
    /// ("slow reader"). A message is judged by what waits before it, so one message may be larger. 4 MiB.
    pub max_outbox: usize,
    /// Bytes of events that may wait behind a handler of one socket that has not finished. Beyond it nothing more is read
    /// from the client. 256 KiB.
    pub max_queued_events: usize,
    /// Unordered handlers of one socket that may be under way; the next one waits for one of them to end, and later events
    /// behind it. So it does when the events of those that are hold more than `max_queued_events`. 64.
    pub max_unordered: usize,
    /// Sessions at a time on the whole server; more are answered by status 503. Unlimited (by memory) unless set.
    pub max_sessions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_payload: 1_000_000,
            max_packets: engine::payload::MAX_PACKETS_READ,
            max_attachments: 10,
            max_namespaces: 64,
            max_head: 16 * 1024,
            max_auth: 64 * 1024,
            connect_timeout: Duration::from_secs(45),
            max_outbox: 4 * 1024 * 1024,
            max_queued_events: 256 * 1024,
            max_unordered: 64,
            max_sessions: u32::MAX as usize,
        }
    }
}

/// Which web pages may use the server from a browser. Pages that this server's own host has delivered may always.
///
/// | the request | is judged by |
/// |---|---|
/// | has an `Origin` header | it; `null` with `Sec-Fetch-Site: same-origin` is the own host's |
/// | has none but `Sec-Fetch-Site: cross-site` | what another page had its browser ask for, by an image or a link; only [`Origins::Any`] allows it |
/// | has none | allowed: it may come from a program, or from a page of the own host. But for JSONP, below |
/// | JSONP, no `Origin` but a `Referer` | the origin in it |
/// | JSONP, neither but `Sec-Fetch-Site` | `same-origin` is the own host's, all else is another's, which only [`Origins::Any`] allows |
/// | JSONP, none of the three | [`unidentified_jsonp`](crate::ServerBuilder::unidentified_jsonp) |
///
/// Who may not is answered by status 403 and `{"code":4,"message":"Origin not allowed"}`, which a page may read. Browsers that
/// are old, or that ask without TLS, say no `Sec-Fetch-Site`: there any page can have a polling session opened, of which it
/// can read nothing, and into which it can say nothing since it does not learn its name.
///
/// ```
/// # use encke_server::{Origins, Server};
/// assert_eq!(Origins::default(), Origins::Own);
/// let pages = Origins::Listed(vec!["https://example.org".to_owned(), "http://localhost:8000".to_owned()]);
/// let server = Server::builder().origins(pages).build();
/// # let _ = server;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// Only pages of the server's own host.
    #[default]
    Own,
    /// Also pages of these origins, such as `https://example.org`, `http://localhost:8000`; capital letters and a
    /// slash at the end make no difference.
    Listed(Vec<String>),
    /// Pages of all origins.
    Any,
}

impl Origins {
    /// As browsers write them: in small letters, and without a slash at the end.
    pub(crate) fn normalized(self) -> Self {
        match self {
            Self::Listed(origins) => {
                let normal = |origin: String| origin.trim_end_matches('/').to_ascii_lowercase();
                Self::Listed(origins.into_iter().map(normal).collect())
            }
            other => other,
        }
    }
}

/// Everything that is set when a server is built.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) path: String,
    pub(crate) node: String,
    pub(crate) ping_interval: Duration,
    pub(crate) ping_timeout: Duration,
    pub(crate) upgrade_timeout: Duration,
    pub(crate) ack_timeout: Duration,
    pub(crate) upgrades: bool,
    pub(crate) transports: Vec<engine::Transport>,
    pub(crate) cookie: Option<Cookie>,
    /// From how many bytes on answers to polls are compressed.
    pub(crate) http_compression: Option<usize>,
    /// From how many bytes on messages of WebSockets are.
    pub(crate) per_message_deflate: Option<u32>,
    pub(crate) hooks: Hooks,
    pub(crate) limits: Limits,
    pub(crate) origins: Origins,
    pub(crate) credentials: bool,
    pub(crate) jsonp: bool,
    /// Whether scripts and forms are served that do not say whose page they belong to.
    pub(crate) unidentified_jsonp: Option<bool>,
    /// The application's own, for its handlers.
    pub(crate) state: Vec<Value>,
    /// What a session keeps of the extensions of the request that opens it.
    pub(crate) carried: Vec<Carry>,
    pub(crate) parser: socket::Parser,
    /// Whether clients of Engine.IO v3 are served.
    pub(crate) engine_v3: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: String::new(),
            node: String::new(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(10),
            ack_timeout: Duration::from_secs(30),
            upgrades: true,
            transports: vec![engine::Transport::Polling, engine::Transport::WebSocket],
            cookie: None,
            http_compression: None,
            per_message_deflate: None,
            hooks: Hooks::default(),
            limits: Limits::default(),
            origins: Origins::default(),
            credentials: false,
            jsonp: true,
            unidentified_jsonp: None,
            state: Vec::new(),
            carried: Vec::new(),
            parser: socket::Parser::Json,
            engine_v3: false,
        }
    }
}

impl Config {
    pub(crate) fn engine(&self, version: engine::Version) -> engine::server::Config {
        engine::server::Config {
            version,
            ping_interval: millis(self.ping_interval),
            ping_timeout: millis(self.ping_timeout),
            upgrade_timeout: millis(self.upgrade_timeout),
            upgrades: self.upgrades(),
        }
    }

    pub(crate) fn dialect(&self, version: engine::Version) -> socket::Dialect {
        let revision = match version {
            engine::Version::V3 => socket::Revision::V4,
            engine::Version::V4 => socket::Revision::V5,
        };
        socket::Dialect { parser: self.parser, revision }
    }

    pub(crate) fn upgrades(&self) -> engine::Upgrades {
        let allowed = self.upgrades && self.transports.contains(&engine::Transport::WebSocket);
        if allowed { engine::Upgrades::WebSocket } else { engine::Upgrades::None }
    }

    pub(crate) fn socket(&self) -> socket::Limits {
        socket::Limits {
            max_attachments: self.limits.max_attachments,
            max_namespaces: self.limits.max_namespaces,
            connect_timeout: millis(self.limits.connect_timeout),
            ..socket::Limits::default()
        }
    }

    pub(crate) fn serves_unidentified_jsonp(&self) -> bool {
        let guarded = self.credentials || matches!(self.origins, Origins::Listed(_));
        self.unidentified_jsonp.unwrap_or(!guarded)
    }

    /// For so many milliseconds at most the end of a connection is unnoticed.
    pub(crate) fn unnoticed(&self) -> u64 {
        u64::from(millis(self.ping_interval)) + u64::from(millis(self.ping_timeout)) + TIMER_SLACK
    }

    /// The shortest time that has to be measured, in milliseconds.
    pub(crate) fn shortest(&self) -> u32 {
        let times =
            [self.ping_interval, self.ping_timeout, self.upgrade_timeout, self.limits.connect_timeout];
        times.into_iter().map(millis).min().unwrap_or(u32::MAX)
    }
}

/// Milliseconds that a timer may be late, on a machine with much to do.
const TIMER_SLACK: u64 = 5_000;

/// Whole milliseconds, at least one: no time is zero on the wire.
pub(crate) fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX).max(1)
}
