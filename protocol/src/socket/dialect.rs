//! What may differ from session to session in how a server speaks: the form of packets, and the revision of the protocol.
//!
//! Revision 4 is what clients of Engine.IO v3 speak. Its events and acks are those of revision 5, so one broadcast serves
//! both; only entering a namespace differs:
//!
//! | | revision 4 | revision 5 |
//! |---|---|---|
//! | the main namespace | is entered when the session opens, without a word of the client | is asked for as others are |
//! | what a client says of itself | a query behind the namespace's name, but not for the main one | an object |
//! | the answer | holds nothing: a client takes its session's id for its socket's | holds the socket's id |
//! | a refusal | holds the refusal's data, or its message as a string | holds an object of message and data |

use crate::{cut, json};

/// In which form a server's packets travel. Both ends have to be set to the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parser {
    /// JSON text, and a message more for each binary attachment: what clients speak unless told otherwise.
    #[default]
    Json,
    /// One binary message of msgpack: what clients speak that are given `socket.io-msgpack-parser` (npm), or
    /// `serializer="msgpack"` (python-socketio).
    MsgPack,
}

/// The revision of the Socket.IO protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Revision {
    /// On Engine.IO v3: socket.io-client 2.x and its contemporaries.
    V4,
    /// On Engine.IO v4.
    #[default]
    V5,
}

/// How one session is spoken with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// The form of packets.
    pub parser: Parser,
    /// What may be said.
    pub revision: Revision,
}

/// So many entries of a query are read, as in Node; the rest is ignored.
const MAX_ENTRIES: usize = 1_000;

/// Takes the query off the name of a namespace that a client of revision 4 asks for: the name, and the query as an object.
pub(super) fn split_query(namespace: &str) -> (&str, Option<String>) {
    let (name, query) = cut(namespace, b'?');
    (name, query.filter(|query| !query.is_empty()).map(object))
}

/// The query as a JSON object: of strings, and of arrays of strings for names that are there several times.
fn object(query: &str) -> String {
    let mut entries = Vec::<(String, Vec<String>)>::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()).take(MAX_ENTRIES) {
        let (name, value) = cut(pair, b'=');
        let (name, value) = (unescape(name), unescape(value.unwrap_or_default()));
        match entries.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => entries.push((name, vec![value])),
        }
    }
    let mut text = String::from("{");
    for (name, values) in &entries {
        if text.len() > 1 {
            text.push(',');
        }
        json::write_string(name, &mut text);
        text.push(':');
        match &values[..] {
            [value] => json::write_string(value, &mut text),
            // Strings can always be written.
            several => drop(json::write(several, &mut text)),
        }
    }
    text.push('}');
    text
}

/// A `+` is a space; a broken escape stands for itself, and what is not UTF-8 for U+FFFD.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let escaped = behind.first_chunk().filter(|_| *first == b'%').and_then(byte);
        bytes.push(match (first, escaped) {
            (_, Some(byte)) => byte,
            (b'+', None) => b' ',
            (byte, None) => *byte,
        });
        rest = if escaped.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn byte(digits: &[u8; 2]) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(digits[0])? << 4 | digit(digits[1])?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_taken_off_a_namespace() {
        for (wire, name, auth) in [
            ("/chat", "/chat", None),
            ("/chat?", "/chat", None),
            ("/chat?token=abc", "/chat", Some(r#"{"token":"abc"}"#)),
            ("/chat?a=1&b=&c&&a=2", "/chat", Some(r#"{"a":["1","2"],"b":"","c":""}"#)),
            ("/chat?a%20b=%C3%A4+%e2%80%a8%2C%22", "/chat", Some("{\"a b\":\"ä \u{2028},\\\"\"}")),
            (
                "/chat?a=%&b=%4&c=%zz&d=%C3?",
                "/chat",
                Some("{\"a\":\"%\",\"b\":\"%4\",\"c\":\"%zz\",\"d\":\"\u{fffd}?\"}"),
            ),
            ("/chat?__proto__=1", "/chat", Some(r#"{"__proto__":"1"}"#)),
        ] {
            assert_eq!(split_query(wire), (name, auth.map(str::to_owned)), "{wire}");
        }
    }

    #[test]
    fn a_query_of_many_entries_is_cut_short() {
        let query: String = (0..2_000).map(|number| format!("&n{number}=")).collect();
        let (_, auth) = split_query(&format!("/?{query}"));
        assert_eq!(auth.map(|auth| auth.matches(':').count()), Some(1_000));
    }
}
