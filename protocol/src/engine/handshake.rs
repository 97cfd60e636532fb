//! The handshake: what the server's open packet tells a client (protocol section "Handshake").

use super::Upgrades;
use crate::json;

/// A session's parameters, sent once by the server. Times in milliseconds, sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The session's id.
    pub sid: String,
    /// Transports it may change to.
    pub upgrades: Upgrades,
    /// Time between two heartbeats.
    pub ping_interval: u32,
    /// Time that the client has to answer one, and beyond `ping_interval` for the client to give the server up.
    pub ping_timeout: u32,
    /// Largest payload the server takes; packets of one POST must fit in.
    pub max_payload: u32,
}

/// The open packet's content is not a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandshakeError;

impl std::fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the open packet holds no handshake")
    }
}

impl std::error::Error for HandshakeError {}

/// Bytes of the JSON text beside the session's id, at most.
const LENGTH: usize = 128;

/// The reference's `maxHttpBufferSize`; servers before 4.1 do not send theirs, and one without any sends null.
const DEFAULT_MAX_PAYLOAD: u32 = 1_000_000;

impl Handshake {
    /// The JSON text of the open packet: exactly the keys of the wire, in its order.
    pub fn encode(&self) -> String {
        let mut out = String::with_capacity(LENGTH + self.sid.len());
        out.push_str("{\"sid\":");
        json::write_string(&self.sid, &mut out);
        out.push_str(match self.upgrades {
            Upgrades::None => ",\"upgrades\":[]",
            Upgrades::WebSocket => ",\"upgrades\":[\"websocket\"]",
        });
        for (key, number) in [
            (",\"pingInterval\":", self.ping_interval),
            (",\"pingTimeout\":", self.ping_timeout),
            (",\"maxPayload\":", self.max_payload),
        ] {
            out.push_str(key);
            json::write_number(number.into(), &mut out);
        }
        out.push('}');
        out
    }

    /// Reads the open packet's JSON. Transports that are not known here are left out.
    ///
    /// # Errors
    /// [`HandshakeError`] when it is not JSON of that shape, or the session id could not stand in a query string.
    pub fn decode(text: &str) -> Result<Self, HandshakeError> {
        read(text).ok_or(HandshakeError)
    }
}

/// Field by field: a derived reader of one struct would be a kilobyte of every page.
fn read(text: &str) -> Option<Handshake> {
    let (object, behind) = json::value(text).ok()?;
    let number = |value| json::unsigned(value).and_then(|number| u32::try_from(number).ok());
    let sid = json::string(json::field(object, "sid")?).ok()?.into_owned();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    if sid.is_empty() || !sid.bytes().all(plain) || !behind.is_empty() {
        return None;
    }
    let upgrades: Vec<String> = json::from_str(json::field(object, "upgrades")?).ok()?;
    let websocket = upgrades.iter().any(|name| name == "websocket");
    Some(Handshake {
        sid,
        upgrades: if websocket { Upgrades::WebSocket } else { Upgrades::None },
        ping_interval: number(json::field(object, "pingInterval")?)?,
        ping_timeout: number(json::field(object, "pingTimeout")?)?,
        max_payload: json::field(object, "maxPayload").map_or(DEFAULT_MAX_PAYLOAD, limit),
    })
}

/// Beyond what we can send there is no difference.
fn limit(value: &str) -> u32 {
    match json::unsigned(value) {
        Some(number) => u32::try_from(number).unwrap_or(u32::MAX),
        None if value.bytes().all(|byte| byte.is_ascii_digit()) => u32::MAX,
        None => DEFAULT_MAX_PAYLOAD,
    }
}
