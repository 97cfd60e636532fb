//! Bytes inside of payloads.
//!
//! Owns the way of [`Binary`] past serde: in JSON stands a placeholder, the bytes travel beside it. Whoever writes or reads
//! a payload does so within [`collect`] or [`supply`]; what happens on this thread meanwhile is the whole of the
//! connection, so bytes may stand anywhere in a value, behind whatever serde makes of it in between.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::cell::RefCell;

/// Bytes that travel as a binary attachment, wherever in a payload they stand; a JavaScript client sends and gets an
/// `ArrayBuffer` or `Uint8Array` there. In JSON that is no payload they are an array of numbers.
///
/// That is so for Encke's server. Its client for browsers sends numbers and reads no attachments here; until it does, a
/// contract with bytes is for other clients, and a page in Rust has `ArgsBuilder::binary` and `Args::attachment`.
///
/// Text that a peer made and that is passed on unread can pretend to be a placeholder: then it shows bytes that the same
/// event carries elsewhere, and a client that takes msgpack may find them there in place of where they belong. So read what
/// stands beside bytes into a type of its own.
///
/// ```
/// use encke_protocol::contract::Binary;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Picture {
///     title: String,
///     thumbnails: Vec<Binary>,
/// }
///
/// let picture = Picture { title: "cat".to_owned(), thumbnails: vec![Binary(vec![0xFF, 0xD8])] };
/// # let _ = picture;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binary(pub Vec<u8>);

/// How often one attachment may be read: serde tries the variants of an untagged enum one after the other. A peer that has
/// sent an attachment once cannot have it copied without bound.
const MAX_READS: u8 = 16;

#[derive(Default)]
struct Arrived {
    bytes: Vec<u8>,
    reads: u8,
}

thread_local! {
    static LEAVING: RefCell<Option<Vec<Vec<u8>>>> = const { RefCell::new(None) };
    static ARRIVED: RefCell<Vec<Arrived>> = const { RefCell::new(Vec::new()) };
}

/// Runs `write`, which writes a payload, and gives the attachments that belong to it.
pub fn collect<T>(write: impl FnOnce() -> T) -> (T, Vec<Vec<u8>>) {
    /// Whatever was being written outside goes on afterwards, also after a panic.
    struct Outside(Option<Vec<Vec<u8>>>);
    impl Drop for Outside {
        fn drop(&mut self) {
            LEAVING.set(self.0.take());
        }
    }
    let _outside = Outside(LEAVING.replace(Some(Vec::new())));
    let written = write();
    (written, LEAVING.take().unwrap_or_default())
}

/// Runs `read`, which reads a payload that these attachments belong to.
pub fn supply<T>(attachments: &[Vec<u8>], read: impl FnOnce() -> T) -> T {
    /// As above.
    struct Outside(Vec<Arrived>);
    impl Drop for Outside {
        fn drop(&mut self) {
            ARRIVED.set(std::mem::take(&mut self.0));
        }
    }
    let arrived = attachments.iter().map(|bytes| Arrived { bytes: bytes.clone(), reads: 0 });
    let _outside = Outside(ARRIVED.replace(arrived.collect()));
    read()
}

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = LEAVING.with_borrow_mut(|leaving| {
            let leaving = leaving.as_mut()?;
            leaving.push(self.0.clone());
            Some(leaving.len() - 1)
        });
        let Some(number) = number else { return serializer.serialize_bytes(&self.0) };
        let mut placeholder = serializer.serialize_struct("Binary", 2)?;
        placeholder.serialize_field("_placeholder", &true)?;
        placeholder.serialize_field("num", &number)?;
        placeholder.end()
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Reader)
        } else {
            deserializer.deserialize_byte_buf(Reader)
        }
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Binary;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("bytes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Binary, A::Error> {
        let (mut marked, mut number) = (false, None);
        while let Some(key) = map.next_key::<String>()? {
            match &*key {
                "_placeholder" => marked = map.next_value()?,
                "num" => number = Some(map.next_value::<usize>()?),
                _ => return Err(de::Error::custom("not a placeholder of bytes")),
            }
        }
        number
            .filter(|_| marked)
            .and_then(arrived)
            .map(Binary)
            .ok_or_else(|| de::Error::custom("no such attachment"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Binary, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        Ok(Binary(bytes))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Binary, E> {
        Ok(Binary(bytes.to_vec()))
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Binary, E> {
        Ok(Binary(bytes))
    }
}

fn arrived(number: usize) -> Option<Vec<u8>> {
    ARRIVED.with_borrow_mut(|arrived| {
        let attachment = arrived.get_mut(number).filter(|attachment| attachment.reads < MAX_READS)?;
        attachment.reads += 1;
        Some(attachment.bytes.clone())
    })
}

impl From<Vec<u8>> for Binary {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Binary {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl std::ops::Deref for Binary {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Album {
        cover: Option<Binary>,
        pictures: BTreeMap<String, Vec<Binary>>,
        #[serde(flatten)]
        kind: Kind,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Kind {
        Moving { film: Binary, seconds: u32 },
        Still { film: Binary },
    }

    fn album() -> Album {
        let pictures =
            [("a".to_owned(), vec![Binary(vec![1]), Binary(vec![2, 3])]), ("b".to_owned(), Vec::new())];
        let kind = Kind::Still { film: Binary(vec![4]) };
        Album { cover: Some(Binary(Vec::new())), pictures: pictures.into(), kind }
    }

    const TEXT: &str = r#"{"cover":{"_placeholder":true,"num":0},"pictures":{"a":[{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}],"b":[]},"film":{"_placeholder":true,"num":3}}"#;

    #[test]
    fn bytes_anywhere_in_a_value_travel_beside_it() {
        let (text, attachments) = collect(|| serde_json::to_string(&album()).expect("writable"));
        assert_eq!((&*text, &*attachments), (TEXT, &[vec![], vec![1], vec![2, 3], vec![4]][..]));
        // Also past a variant that almost fits.
        let read: Album = supply(&attachments, || serde_json::from_str(&text)).expect("fits");
        assert_eq!(read, album());
    }

    #[test]
    fn the_codec_of_pages_does_the_same() {
        let pictures = vec![Binary(vec![1]), Binary(vec![2, 3])];
        let (text, attachments) = collect(|| json::to_string(&pictures).expect("writable"));
        assert_eq!(attachments, [vec![1], vec![2, 3]]);
        assert_eq!(supply(&attachments, || json::from_str(&text)), Ok(pictures));
    }

    #[test]
    fn outside_of_a_payload_bytes_are_numbers() {
        assert_eq!(serde_json::to_string(&Binary(vec![1, 255])).expect("writable"), "[1,255]");
        assert_eq!(serde_json::from_str::<Binary>("[1,255]").expect("bytes"), Binary(vec![1, 255]));
        assert!(serde_json::from_str::<Binary>(r#"{"_placeholder":true,"num":0}"#).is_err());
    }

    #[test]
    fn a_payload_within_a_payload_has_attachments_of_its_own() {
        struct Nested(RefCell<Vec<Vec<u8>>>);
        impl Serialize for Nested {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let (text, attachments) = collect(|| serde_json::to_string(&Binary(vec![7])));
                self.0.replace(attachments);
                serializer.serialize_str(&text.expect("writable"))
            }
        }
        let nested = Nested(RefCell::default());
        let write = || serde_json::to_string(&(Binary(vec![1]), &nested, Binary(vec![2]))).expect("writable");
        let (text, attachments) = collect(write);
        assert_eq!((attachments, nested.0.into_inner()), (vec![vec![1], vec![2]], vec![vec![7]]));
        assert!(text.ends_with(r#"{"_placeholder":true,"num":1}]"#), "{text}");
        assert!(LEAVING.with_borrow(Option::is_none));
    }

    #[test]
    fn what_a_peer_says_of_its_attachments_need_not_be_true() {
        let attachments = [vec![1], vec![2]];
        let placeholder = |number: &str| format!(r#"{{"_placeholder":true,"num":{number}}}"#);
        for wrong in ["2", "-1", "0.5", "\"0\"", "18446744073709551616", "null"] {
            let text = placeholder(wrong);
            assert!(supply(&attachments, || serde_json::from_str::<Binary>(&text)).is_err(), "{wrong}");
        }
        for wrong in [
            "{}",
            r#"{"num":0}"#,
            r#"{"_placeholder":false,"num":0}"#,
            r#"{"_placeholder":true,"num":0,"x":1}"#,
        ] {
            assert!(supply(&attachments, || serde_json::from_str::<Binary>(wrong)).is_err(), "{wrong}");
        }
        let many = vec![placeholder("1"); usize::from(MAX_READS) + 1];
        let read = |count: usize| {
            let text = format!("[{}]", many[..count].join(","));
            supply(&attachments, || serde_json::from_str::<Vec<Binary>>(&text)).map(|read| read.len())
        };
        assert_eq!(read(many.len() - 1).expect("as many as may be"), many.len() - 1);
        assert!(read(many.len()).is_err(), "little text makes no large value");
    }
}
