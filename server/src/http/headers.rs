//! The headers of a request, whoever has read it: hyper, or the fast front.
//!
//! Owns nothing and decides nothing; what is asked here is answered alike for both.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The headers of one request, their names in whatever letters.
#[derive(Clone, Copy, Debug)]
pub(super) enum Headers<'a> {
    /// As hyper hands them over.
    Map(&'a HeaderMap),
    /// As they stand in the bytes of a connection.
    Lines(&'a [httparse::Header<'a>]),
}

impl<'a> From<&'a HeaderMap> for Headers<'a> {
    fn from(map: &'a HeaderMap) -> Self {
        Self::Map(map)
    }
}

impl<'a> Headers<'a> {
    /// The first of that name.
    pub(super) fn get(self, name: &HeaderName) -> Option<&'a [u8]> {
        match self {
            Self::Map(map) => map.get(name).map(HeaderValue::as_bytes),
            Self::Lines(lines) => {
                lines.iter().find(|line| line.name.eq_ignore_ascii_case(name.as_str())).map(|line| line.value)
            }
        }
    }

    /// The first of that name, unless it is no ASCII text.
    pub(super) fn text(self, name: &HeaderName) -> Option<&'a str> {
        text(self.get(name)?)
    }

    /// All of that name that are ASCII text.
    pub(super) fn texts(self, name: HeaderName) -> impl Iterator<Item = &'a str> {
        let (map, lines) = match self {
            Self::Map(map) => (Some(map), None),
            Self::Lines(lines) => (None, Some(lines)),
        };
        let mapped = map.into_iter().flat_map({
            let name = name.clone();
            move |map| map.get_all(&name)
        });
        let lines = lines.into_iter().flatten();
        let listed = lines.filter(move |line| line.name.eq_ignore_ascii_case(name.as_str()));
        mapped.map(HeaderValue::as_bytes).chain(listed.map(|line| line.value)).filter_map(text)
    }

    /// All of them.
    pub(super) fn iter(self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let (map, lines) = match self {
            Self::Map(map) => (Some(map), None),
            Self::Lines(lines) => (None, Some(lines)),
        };
        let mapped = map.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_bytes()));
        mapped.chain(lines.into_iter().flatten().map(|line| (line.name, line.value)))
    }
}

/// Header values are bytes; what is looked into here is ASCII.
fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok().filter(|text| text.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;

    #[test]
    fn both_forms_say_the_same() {
        let lines: [(&str, &[u8]); 5] =
            [("Host", b"a"), ("VARY", b"one"), ("x", b"caf\xe9"), ("vary", b"caf\xe9"), ("Vary", b"two")];
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            map.append(name, HeaderValue::from_bytes(value).expect("a value"));
        }
        let lines = lines.map(|(name, value)| httparse::Header { name, value });
        for headers in [Headers::from(&map), Headers::Lines(&lines)] {
            assert_eq!(headers.get(&header::HOST), Some(&b"a"[..]));
            assert_eq!(headers.get(&HeaderName::from_static("x")), Some(&b"caf\xe9"[..]));
            assert_eq!(headers.text(&HeaderName::from_static("x")), None);
            assert_eq!(headers.get(&header::ORIGIN), None);
            assert_eq!(headers.texts(header::VARY).collect::<Vec<_>>(), ["one", "two"]);
            assert_eq!(headers.iter().count(), 5);
        }
    }
}
