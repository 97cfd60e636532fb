//! What can be set about a client.

use super::{Backoff, Transport};

/// How a client connects. Times in milliseconds, sizes in bytes.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server: `http://` or `https://`, host, and port if any; no path.
    pub origin: String,
    /// The path of the endpoint, with slashes at both ends.
    pub path: String,
    /// Further query parameters, percent-encoded and joined by `&`; may be empty.
    pub query: String,
    /// The transports to use, the best first. A session begins with the first that is not passed over; where
    /// [`Config::upgrade`] lets it change to a WebSocket, that is the best wherever it stands.
    pub transports: Vec<Transport>,
    /// Whether to change from either kind of polling to a WebSocket when that is among the transports and the server offers it.
    pub upgrade: bool,
    /// From the first request of an attempt to the handshake, and from the first POST to its answer. Grows by itself with each wait in a row, up to 20 s.
    pub open_timeout: u32,
    /// Delays between attempts.
    pub backoff: Backoff,
    /// Messages that one socket keeps while it cannot send.
    pub max_queued: usize,
    /// Largest packet taken while the server's own limit is not known.
    pub max_message: usize,
    /// Seed of the random part of the delays. Clients that lost their server together must differ in it.
    pub seed: u64,
}

impl Config {
    /// WebSocket, then polling, then JSONP, at `/socket.io/` of that origin; 5 s to open, 1,000 messages kept per socket.
    pub fn new(origin: impl Into<String>) -> Self {
        Self {
            origin: origin.into(),
            path: "/socket.io/".to_owned(),
            query: String::new(),
            transports: vec![Transport::WebSocket, Transport::Polling, Transport::Jsonp],
            upgrade: true,
            open_timeout: 5_000,
            backoff: Backoff::default(),
            max_queued: 1_000,
            max_message: 1_000_000,
            seed: 0,
        }
    }
}
