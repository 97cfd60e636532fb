//! The arguments of an event or ack: JSON text that is decoded only when somebody wants a value.

use encke_protocol::contract::binary;
use encke_protocol::{json, socket};
use serde::de::{self, Deserialize, DeserializeOwned, DeserializeSeed, SeqAccess, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use std::borrow::Cow;

/// The arguments of an event or ack, as they came: JSON values, and binary attachments that placeholders among them stand
/// for. To pass them on, hand them to an emit or an ack as they are; nothing is decoded then.
///
/// ```
/// # use encke_server::Server;
/// # let _ =
/// Server::builder().namespace("/", |on| {
///     on.on_named("relay", |socket, args, _| {
///         socket.broadcast().emit_named("relayed", &args);
///     });
/// });
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args<'a>(pub(crate) socket::Args<'a>);

impl Args<'_> {
    /// All arguments as one value: a tuple with a field for each, or a `Vec`. Bytes are read as [`Binary`](crate::Binary).
    ///
    /// ```
    /// # use encke_server::Binary;
    /// # fn handler(args: encke_server::Args<'_>) -> Result<(), serde_json::Error> {
    /// let (name, age, picture): (String, u32, Option<Binary>) = args.decode()?;
    /// # Ok(()) }
    /// ```
    ///
    /// What borrows is not copied. Text can be borrowed only as it stands in JSON, and a client may write any of it with
    /// escapes: so borrow names that are your own, and read what people type as a `String`.
    ///
    /// ```
    /// # use encke_server::{Args, Arguments};
    /// fn moved(args: &Args<'_>) -> bool {
    ///     matches!(args.decode(), Ok(("up" | "down", _steps @ 1..=9_u32)))
    /// }
    /// assert!(moved(&("up", 7).to_args()?));
    /// assert!(!moved(&("away", 7).to_args()?) && !moved(&("up", 7, 7).to_args()?));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there are more, fewer or other arguments.
    pub fn decode<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        self.supply(|| T::deserialize(List(&self.0.text)))
    }

    /// The arguments one by one, each as JSON text.
    ///
    /// ```
    /// # use encke_server::Arguments;
    /// let value = ("cat", 7);
    /// let args = value.to_args()?;
    /// assert!(args.iter().eq([r#""cat""#, "7"]));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter()
    }

    /// The bytes that the argument `value` stands for, when it is a placeholder of an attachment.
    ///
    /// ```
    /// # use encke_server::{Arguments, Binary};
    /// let value = ("cat", Binary(vec![0xFF, 0xD8]));
    /// let args = value.to_args()?;
    /// let found: Vec<_> = args.iter().map(|value| args.attachment(value)).collect();
    /// assert_eq!(found, [None, Some(&[0xFF, 0xD8][..])]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn attachment(&self, value: &str) -> Option<&[u8]> {
        self.0.attachment(value)
    }

    /// The binary attachments, in the order of their numbers.
    ///
    /// ```
    /// # use encke_server::{Arguments, Binary};
    /// let value = (Binary(vec![0xFF, 0xD8]), "between", Binary(vec![7]));
    /// assert_eq!(value.to_args()?.attachments(), [vec![0xFF, 0xD8], vec![7]]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn attachments(&self) -> &[Vec<u8>] {
        &self.0.attachments
    }

    /// The same arguments, borrowing nothing.
    ///
    /// ```
    /// # use encke_server::{Args, Arguments};
    /// fn named(name: String) -> Result<Args<'static>, serde_json::Error> {
    ///     Ok((&name, 7).to_args()?.into_owned())
    /// }
    /// assert_eq!(named("cat".to_owned())?.decode::<(String, u32)>()?, ("cat".to_owned(), 7));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn into_owned(self) -> Args<'static> {
        Args(self.0.into_owned())
    }

    /// The first argument as a value; the others are ignored, as a typed event has one.
    pub(crate) fn decode_first<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        self.read(self.0.first())
    }

    /// What stands in them as JSON, as a value with the attachments that belong there.
    pub(super) fn read<T: DeserializeOwned>(&self, json: &str) -> Result<T, serde_json::Error> {
        self.supply(|| serde_json::from_str(json))
    }

    fn supply<T>(&self, read: impl FnOnce() -> T) -> T {
        if self.0.attachments.is_empty() { read() } else { binary::supply(&self.0.attachments, read) }
    }

    /// Bytes they take in memory.
    pub(crate) fn cost(&self) -> usize {
        self.0.text.len() + self.0.attachments.iter().map(Vec::len).sum::<usize>()
    }
}

/// What can be sent as the arguments of an event or ack: [`Args`] as they are, or any value that serde can write. A tuple
/// or list makes several arguments, anything else is the one argument; a list as one argument is `(list,)`. Bytes are
/// [`Binary`](crate::Binary), wherever in a value they stand.
///
/// ```
/// # use encke_server::Binary;
/// # fn handler(socket: &encke_server::Socket) -> Result<(), serde_json::Error> {
/// socket.emit_named("picture", &("cat", Binary(vec![0xFF, 0xD8])))?;
/// # Ok(()) }
/// ```
pub trait Arguments {
    /// The arguments as JSON text.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    fn to_args(&self) -> Result<Args<'_>, serde_json::Error>;
}

impl Arguments for Args<'_> {
    #[inline]
    fn to_args(&self) -> Result<Args<'_>, serde_json::Error> {
        let text = Cow::Borrowed(self.0.text.as_ref());
        Ok(Args(socket::Args { text, attachments: self.0.attachments.clone() }))
    }
}

impl<T: Serialize + ?Sized> Arguments for T {
    fn to_args(&self) -> Result<Args<'_>, serde_json::Error> {
        let (text, attachments) = binary::collect(|| serde_json::to_string(self));
        let mut text = text?;
        if text.starts_with('[') {
            text.pop();
            text.remove(0);
        } else if text == "null" {
            // `()` is how Rust says nothing.
            text.clear();
        }
        Ok(Args(socket::Args { text: Cow::Owned(text), attachments }))
    }
}

/// Arguments that are joined by commas, as a list that needs no brackets: they are read where they stand.
struct List<'a>(&'a str);

impl<'de> de::Deserializer<'de> for List<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Self::Error> {
        let value = visitor.visit_seq(&mut self)?;
        if self.0.is_empty() { Ok(value) } else { Err(de::Error::custom("more arguments than are read")) }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> SeqAccess<'de> for List<'de> {
    type Error = serde_json::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Self::Error> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (value, behind) = json::value(self.0).map_err(de::Error::custom)?;
        self.0 = behind.strip_prefix(',').unwrap_or(behind);
        seed.deserialize(&mut serde_json::Deserializer::from_str(value)).map(Some)
    }
}

/// The one argument of a typed event, also when it is a list.
pub(crate) fn single<T: Serialize + ?Sized>(value: &T) -> Result<Args<'static>, serde_json::Error> {
    let (text, attachments) = binary::collect(|| serde_json::to_string(value));
    Ok(Args(socket::Args { text: Cow::Owned(text?), attachments }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &impl Arguments) -> String {
        value.to_args().expect("writable").0.text.into_owned()
    }

    #[test]
    fn a_tuple_makes_several_arguments_and_other_values_one() {
        assert_eq!(text(&("a", 1, [2])), r#""a",1,[2]"#);
        assert_eq!(text(&("a",)), r#""a""#);
        assert_eq!(text(&"a"), r#""a""#);
        assert_eq!(text(&([1, 2],)), "[1,2]");
        assert_eq!(text(&()), "");
        assert_eq!(text(&Args(socket::Args::from_text("1,2"))), "1,2");
    }

    #[test]
    fn all_arguments_decode_as_a_list_does() {
        use serde_json::Value;

        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Pair(String, Option<u32>);
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Wrapped(Vec<Value>);
        #[derive(Debug, PartialEq, serde::Deserialize)]
        #[serde(untagged)]
        enum Either {
            Numbers(Vec<u32>),
            Pair(String, Option<u32>),
        }

        fn agrees<T: DeserializeOwned + PartialEq + std::fmt::Debug>(text: &str) {
            let args = Args(socket::Args::from_text(text));
            let theirs = serde_json::from_str::<T>(&format!("[{text}]"));
            assert_eq!(args.decode::<T>().ok(), theirs.ok(), "{text}");
        }

        for text in [
            "",
            "1",
            "1,2",
            " \"a\" , 1 ",
            r#""\u00e4\n",null"#,
            r#""a",1,{"b":[2]}"#,
            "[1],[]",
            r#"{"b":1}"#,
        ] {
            agrees::<()>(text);
            agrees::<(u32,)>(text);
            agrees::<(String, Option<u32>)>(text);
            agrees::<Vec<u32>>(text);
            agrees::<[u32; 2]>(text);
            agrees::<Option<Vec<u32>>>(text);
            agrees::<Value>(text);
            agrees::<Pair>(text);
            agrees::<Wrapped>(text);
            agrees::<Either>(text);
            agrees::<String>(text);
            agrees::<std::collections::BTreeMap<String, u32>>(text);
        }
    }

    #[test]
    fn what_borrows_is_read_where_it_stands() {
        let args = Args(socket::Args::from_text(r#""a","b\n""#));
        assert_eq!(args.decode::<(&str, String)>().expect("fits"), ("a", "b\n".to_owned()));
        assert!(args.decode::<(&str, &str)>().is_err(), "an escape stands for something else");
    }
}
