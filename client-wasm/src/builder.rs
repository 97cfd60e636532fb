//! How a client is to connect.

use crate::{Client, js};
use encke_protocol::client::{Backoff, Config, Transport};

/// How long an ack is waited for unless the application says otherwise, in milliseconds.
const ACK_TIMEOUT: u32 = 30_000;

/// Describes a [`Client`]. Made by [`Client::builder`].
#[derive(Clone, Debug)]
pub struct Builder {
    config: Config,
    ack_timeout: u32,
}

impl Builder {
    pub(crate) fn new(origin: &str) -> Self {
        let mut config = Config::new(http_origin(origin));
        config.seed = js::seed();
        Self { config, ack_timeout: ACK_TIMEOUT }
    }

    /// The path of the server's endpoint; `/socket.io/` unless said otherwise.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.config.path.clear();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            self.config.path.push('/');
            self.config.path.push_str(part);
        }
        self.config.path.push('/');
        self
    }

    /// Adds a parameter to the query of each request.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let query = &mut self.config.query;
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(&encoded(name));
        query.push('=');
        query.push_str(&encoded(value));
        self
    }

    /// The transports to use, the best first; WebSocket, then polling, then JSONP unless said otherwise. An empty list is ignored. Where a
    /// session may change to a WebSocket ([`Builder::upgrade`]), that is the best wherever it stands.
    #[must_use]
    pub fn transports(mut self, transports: &[Transport]) -> Self {
        if !transports.is_empty() {
            self.config.transports = transports.to_vec();
        }
        self
    }

    /// Whether to change from polling to a WebSocket when that is among the transports and becomes possible; yes unless
    /// said otherwise.
    #[must_use]
    pub fn upgrade(mut self, upgrade: bool) -> Self {
        self.config.upgrade = upgrade;
        self
    }

    /// Milliseconds that a transport has to open a session, and then a first POST to be answered; 5 s unless said otherwise.
    #[must_use]
    pub fn open_timeout(mut self, milliseconds: u32) -> Self {
        self.config.open_timeout = milliseconds;
        self
    }

    /// The delays between attempts to connect.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.config.backoff = backoff;
        self
    }

    /// Milliseconds to wait for an ack; 30 s unless said otherwise. [`Socket::timeout`](crate::Socket::timeout) changes it
    /// for a single event.
    #[must_use]
    pub fn ack_timeout(mut self, milliseconds: u32) -> Self {
        self.ack_timeout = milliseconds;
        self
    }

    /// Messages that one socket keeps while it cannot send; 1,000 unless said otherwise.
    #[must_use]
    pub fn max_queued(mut self, messages: usize) -> Self {
        self.config.max_queued = messages;
        self
    }

    /// The client, which does nothing before [`Client::connect`]: sockets and handlers can be set up in peace. Events that
    /// are emitted before are queued.
    pub fn build(self) -> Client {
        Client::new(self.config, self.ack_timeout)
    }

    /// The client, connecting.
    pub fn connect(self) -> Client {
        let client = self.build();
        client.connect();
        client
    }
}

fn encoded(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// The origin as `http…://host`, whichever of the two schemes it is given with.
fn http_origin(origin: &str) -> String {
    let mut origin = origin;
    while let Some(shorter) = origin.strip_suffix('/') {
        origin = shorter;
    }
    if origin.is_empty() {
        return js::origin();
    }
    match origin.strip_prefix("ws") {
        Some(rest) if rest.starts_with("://") || rest.starts_with("s://") => {
            let mut http = String::from("http");
            http.push_str(rest);
            http
        }
        _ => origin.to_owned(),
    }
}
