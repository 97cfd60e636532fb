//! What a WebSocket handshake agrees on beyond the standard: compressed messages (RFC 7692 section 7.1), each by itself.

use super::headers::Headers;
use axum::http::{HeaderName, HeaderValue, header};

const NAME: &str = "permessage-deflate";
/// Beside those without values.
const SERVER_WINDOW: &str = "server_max_window_bits";
const CLIENT_WINDOW: &str = "client_max_window_bits";
const WITHOUT_VALUE: [&str; 2] = ["server_no_context_takeover", "client_no_context_takeover"];
const LARGEST_WINDOW: u8 = 15;

/// Compression that a client has offered in a way that suits this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deflate {
    /// What messages for the client refer back to is at most `2^window_bits` bytes away.
    pub(super) window_bits: u8,
    /// The client wants to read that.
    told: bool,
}

impl Deflate {
    pub(super) const NAME: HeaderName = header::SEC_WEBSOCKET_EXTENSIONS;

    /// The first offer that suits, if there is one.
    pub(super) fn offered(headers: Headers<'_>) -> Option<Self> {
        headers.texts(Self::NAME).flat_map(|line| line.split(',')).find_map(Self::decode)
    }

    fn decode(offer: &str) -> Option<Self> {
        let mut words = offer.split(';').map(str::trim);
        words.next().filter(|name| *name == NAME)?;
        let mut deflate = Self { window_bits: LARGEST_WINDOW, told: false };
        let mut seen = Vec::new();
        for word in words {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(value.trim_start().trim_matches('"'))),
                None => (word, None),
            };
            let bits = value.and_then(window);
            match (name, bits) {
                (SERVER_WINDOW, Some(bits)) => deflate = Self { window_bits: bits, told: true },
                // What clients send may refer back as far as it can.
                (CLIENT_WINDOW, bits) if bits.is_some() == value.is_some() => {}
                (name, None) if value.is_none() && WITHOUT_VALUE.contains(&name) => {}
                _ => return None,
            }
            if seen.contains(&name) {
                return None;
            }
            seen.push(name);
        }
        Some(deflate)
    }

    /// What the client is answered.
    pub(super) fn header(self) -> HeaderValue {
        let Self { window_bits, told } = self;
        let [server, client] = WITHOUT_VALUE;
        let mut text = format!("{NAME}; {server}; {client}");
        if told {
            text.push_str(&format!("; {SERVER_WINDOW}={window_bits}"));
        }
        HeaderValue::try_from(text).expect("words and a number")
    }
}

/// 8 to 15, without a zero before it.
fn window(value: &str) -> Option<u8> {
    let bits = value.parse().ok().filter(|bits| (8..=LARGEST_WINDOW).contains(bits))?;
    (!value.starts_with(['0', '+'])).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderMap;

    fn answered(offer: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.append(Deflate::NAME, HeaderValue::from_static("x-unknown; a=b"));
        headers.append(Deflate::NAME, HeaderValue::from_static(offer));
        let answer = Deflate::offered(Headers::Map(&headers))?.header();
        let answer = answer
            .to_str()
            .expect("text")
            .strip_prefix("permessage-deflate; server_no_context_takeover; client_no_context_takeover");
        Some(answer.expect("no context is kept").to_owned())
    }

    #[test]
    fn what_browsers_and_libraries_offer_is_taken() {
        for (offer, more) in [
            ("permessage-deflate", ""),
            ("permessage-deflate; client_max_window_bits", ""),
            (
                "permessage-deflate; client_max_window_bits=12; server_max_window_bits=12",
                "; server_max_window_bits=12",
            ),
            ("permessage-deflate;server_max_window_bits=\"15\"", "; server_max_window_bits=15"),
            ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", ""),
            ("permessage-deflate; server_max_window_bits=16, permessage-deflate", ""),
        ] {
            assert_eq!(answered(offer).as_deref(), Some(more), "{offer}");
        }
    }

    #[test]
    fn an_offer_with_what_is_not_understood_is_left_out() {
        for offer in [
            "",
            "permessage-deflat",
            "permessage-deflate; unknown",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=08",
            "permessage-deflate; server_max_window_bits=+9",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=",
            "permessage-deflate; client_no_context_takeover=1",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
        ] {
            assert_eq!(answered(offer), None, "{offer}");
        }
    }
}
