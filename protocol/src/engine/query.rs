//! The query string of an Engine.IO request (protocol section "Handshake", query parameters).

use super::jsonp::Index;
use super::{RequestError, Transport, Version};

/// What the query of a request says. Unknown parameters are ignored; the first of a name counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// `EIO`: always there in a request that opens a session.
    pub version: Option<Version>,
    /// `transport`.
    pub transport: Transport,
    /// `sid`: the session, absent in the request that opens one. Never percent-encoded: session ids have no such character.
    pub sid: Option<&'a str>,
    /// `j`: the answer is wanted as a script that calls that function of the page.
    pub jsonp: Option<Index>,
    /// `b64`: binary comes as base64 also over a WebSocket. Of v3; v4 knows it no more.
    pub base64: bool,
}

impl<'a> Query<'a> {
    /// Reads the query string, without its `?`.
    ///
    /// # Errors
    /// [`RequestError::TransportUnknown`] and, where the transport is known, [`RequestError::UnsupportedProtocolVersion`]
    /// for another `EIO` than 3 or 4 in a request that opens a session; [`RequestError::BadRequest`] for a `j` that is no index.
    pub fn decode(query: &'a str) -> Result<Self, RequestError> {
        let (mut version, mut transport, mut sid, mut jsonp, mut base64) = (None, None, None, None, None);
        let mut rest = query;
        while !rest.is_empty() {
            let (pair, behind) = cut(rest, b'&');
            rest = behind;
            let (name, value) = cut(pair, b'=');
            let slot = match name {
                "EIO" => &mut version,
                "transport" => &mut transport,
                "sid" => &mut sid,
                "j" => &mut jsonp,
                "b64" => &mut base64,
                _ => continue,
            };
            slot.get_or_insert(value);
        }
        let transport = transport.and_then(Transport::from_name).ok_or(RequestError::TransportUnknown)?;
        let version = version.and_then(Version::from_name);
        if sid.is_none() && version.is_none() {
            return Err(RequestError::UnsupportedProtocolVersion);
        }
        let jsonp = match jsonp {
            Some(digits) => Some(Index::decode(digits).ok_or(RequestError::BadRequest)?),
            None => None,
        };
        let base64 = base64.is_some_and(|value| !value.is_empty());
        Ok(Self { version, transport, sid, jsonp, base64 })
    }

    /// Writes the query of a request of v4, without `?`.
    pub fn encode(&self, out: &mut String) {
        out.push_str("EIO=4");
        for (name, value) in [("&transport=", Some(self.transport.as_str())), ("&sid=", self.sid)] {
            if let Some(value) = value {
                out.push_str(name);
                out.push_str(value);
            }
        }
        if let Some(index) = self.jsonp {
            out.push_str("&j=");
            index.encode(out);
        }
    }
}

/// What stands before and behind the first such byte, or all and nothing. It is called for every request, and queries are
/// short: a search that is made for long texts takes longer.
fn cut(text: &str, at: u8) -> (&str, &str) {
    debug_assert!(at.is_ascii(), "text may be cut there");
    match text.bytes().position(|byte| byte == at) {
        Some(position) => (&text[..position], &text[position + 1..]),
        None => (text, ""),
    }
}
