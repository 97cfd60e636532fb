//! Answers to polls, compressed where the client reads that (RFC 9110 section 12.5.3).

use super::headers::Headers;
use axum::http::{HeaderValue, header};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use std::io::{self, Write};

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
}

impl Coding {
    /// The one that the client likes best, if any.
    pub(super) fn accepted(headers: Headers<'_>) -> Option<Self> {
        let lines = headers.texts(header::ACCEPT_ENCODING);
        let listed: Vec<(&str, f32)> = lines.flat_map(|line| line.split(',')).map(weigh).collect();
        let weight = |name: &str| {
            let named = |name: &str| listed.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            named(name).or_else(|| named("*")).map_or(0.0, |(_, weight)| *weight)
        };
        let (gzip, deflate) = (weight("gzip"), weight("deflate"));
        match (gzip > 0.0, deflate > gzip) {
            (_, true) => Some(Self::Deflate),
            (true, false) => Some(Self::Gzip),
            (false, false) => None,
        }
    }

    pub(super) const fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        })
    }

    /// # Errors
    /// None that memory could give.
    pub(super) fn encode(self, body: &[u8]) -> io::Result<Vec<u8>> {
        let out = Vec::with_capacity(body.len() / 4);
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(out, Compression::fast());
                encoder.write_all(body)?;
                encoder.finish()
            }
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(out, Compression::fast());
                encoder.write_all(body)?;
                encoder.finish()
            }
        }
    }
}

/// A name and how much it is liked.
fn weigh(coding: &str) -> (&str, f32) {
    let (name, rest) = coding.split_once(';').unwrap_or((coding, ""));
    let weight =
        rest.split(';').find_map(|word| word.trim().strip_prefix(['q', 'Q'])?.trim().strip_prefix('='));
    (name.trim(), weight.map_or(1.0, |weight| weight.trim().parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderMap;

    fn accepted(line: &'static str) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
        Coding::accepted(Headers::Map(&headers))
    }

    #[test]
    fn the_client_chooses() {
        for (line, coding) in [
            ("gzip, deflate, br, zstd", Some(Coding::Gzip)),
            ("deflate", Some(Coding::Deflate)),
            ("gzip;q=0.5, deflate;q=0.8", Some(Coding::Deflate)),
            ("GZIP ; Q = 0.1", Some(Coding::Gzip)),
            ("*", Some(Coding::Gzip)),
            ("gzip;q=0, *", Some(Coding::Deflate)),
            ("gzip;q=0", None),
            ("*;q=0", None),
            ("identity", None),
            ("br", None),
            ("gzip;q=nan", None),
            ("", None),
        ] {
            assert_eq!(accepted(line), coding, "{line}");
        }
        assert_eq!(Coding::accepted(Headers::Map(&HeaderMap::new())), None);
    }
}
