//! The arguments of an event or ack: JSON text that is decoded only when somebody wants a value.

use encke_protocol::json;
use encke_protocol::socket::{self, ArgsBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;

/// The arguments of an event or ack, as they came: JSON values, and binary attachments that placeholders among them stand
/// for. With attachments they are put together by an [`ArgsBuilder`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args(pub(crate) socket::Args<'static>);

impl Args {
    /// All arguments as one value: a tuple with a field for each, or a `Vec`.
    ///
    /// # Errors
    /// When there are more, fewer or other arguments.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, json::Error> {
        let mut list = String::with_capacity(self.0.text.len() + 2);
        list.push('[');
        list.push_str(&self.0.text);
        list.push(']');
        json::from_str(&list)
    }

    /// The arguments one by one, each as JSON text.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter()
    }

    /// The first argument as JSON text; `null` when there is none.
    pub fn first(&self) -> &str {
        self.0.first()
    }

    /// The bytes that the argument `value` stands for, when it is a placeholder of an attachment.
    pub fn attachment(&self, value: &str) -> Option<&[u8]> {
        self.0.attachment(value)
    }

    /// The binary attachments, in the order of their numbers.
    pub fn attachments(&self) -> &[Vec<u8>] {
        &self.0.attachments
    }

    /// The one argument of a typed event, also when it is a list.
    pub(crate) fn single<T: Serialize>(value: &T) -> Result<Self, json::Error> {
        json::to_string(value).map(Self::from_text)
    }

    pub(crate) fn from_text(text: String) -> Self {
        Self(socket::Args { text: Cow::Owned(text), attachments: Vec::new() })
    }
}

impl From<ArgsBuilder> for Args {
    fn from(builder: ArgsBuilder) -> Self {
        Self(builder.build())
    }
}

/// What can be sent as the arguments of an event or ack: [`Args`] as they are, or any value that serde can write. A tuple
/// or list makes several arguments, `()` makes none, anything else is the one argument; a list as one argument is
/// `(list,)`.
pub trait Arguments {
    /// The arguments as JSON text.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    fn to_args(&self) -> Result<Args, json::Error>;
}

impl Arguments for Args {
    fn to_args(&self) -> Result<Args, json::Error> {
        Ok(self.clone())
    }
}

impl<T: Serialize + ?Sized> Arguments for T {
    fn to_args(&self) -> Result<Args, json::Error> {
        json::to_string(self).map(|text| Args::from_text(without_brackets(text)))
    }
}

fn without_brackets(mut text: String) -> String {
    if text.starts_with('[') {
        text.pop();
        text.remove(0);
    } else if text == "null" {
        // `()` is how Rust says nothing.
        text.clear();
    }
    text
}
