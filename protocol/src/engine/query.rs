//! The query string of an Engine.IO request (protocol section "Handshake", query parameters).

use super::jsonp::Index;
use super::{RequestError, Transport};

/// What the query of a request says. Unknown parameters are ignored; the first of a name counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// `transport`.
    pub transport: Transport,
    /// `sid`: the session, absent in the request that opens one. Never percent-encoded: session ids have no such character.
    pub sid: Option<&'a str>,
    /// `j`: the answer is wanted as a script that calls that function of the page.
    pub jsonp: Option<Index>,
}

/// The one protocol version spoken: the value of `EIO`.
pub const PROTOCOL: &str = "4";

impl<'a> Query<'a> {
    /// Reads the query string, without its `?`.
    ///
    /// # Errors
    /// [`RequestError::TransportUnknown`] and, where the transport is known, [`RequestError::UnsupportedProtocolVersion`]
    /// for another `EIO` than 4 in a request that opens a session; [`RequestError::BadRequest`] for a `j` that is no index.
    pub fn decode(query: &'a str) -> Result<Self, RequestError> {
        let (mut protocol, mut transport, mut sid, mut jsonp) = (None, None, None, None);
        for pair in query.split('&') {
            let mut halves = pair.splitn(2, '=');
            let name = halves.next().unwrap_or_default();
            let value = halves.next().unwrap_or_default();
            let slot = match name {
                "EIO" => &mut protocol,
                "transport" => &mut transport,
                "sid" => &mut sid,
                "j" => &mut jsonp,
                _ => continue,
            };
            slot.get_or_insert(value);
        }
        let transport = transport.and_then(Transport::from_name).ok_or(RequestError::TransportUnknown)?;
        if sid.is_none() && protocol != Some(PROTOCOL) {
            return Err(RequestError::UnsupportedProtocolVersion);
        }
        let jsonp = match jsonp {
            Some(digits) => Some(Index::decode(digits).ok_or(RequestError::BadRequest)?),
            None => None,
        };
        Ok(Self { transport, sid, jsonp })
    }

    /// Writes the query of a request, without `?`.
    pub fn encode(&self, out: &mut String) {
        out.push_str("EIO=");
        out.push_str(PROTOCOL);
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
