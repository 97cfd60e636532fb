//! The arguments of an event or ack, as the JSON they came as.

use crate::json;
use std::borrow::Cow;

/// The arguments: JSON values joined by commas, as they stand in the packet without the brackets around them, and the
/// binary attachments that `{"_placeholder":true,"num":n}` among them stands for.
///
/// The text of arguments that come out of a decoder is valid JSON of bounded depth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args<'a> {
    /// The values, joined by commas.
    pub text: Cow<'a, str>,
    /// The attachments in the order of their numbers.
    pub attachments: Vec<Vec<u8>>,
}

impl<'a> Args<'a> {
    /// Arguments without attachments from JSON values that are joined already.
    pub fn from_text(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text), attachments: Vec::new() }
    }

    /// The arguments one by one, each as JSON text.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut rest: &str = &self.text;
        std::iter::from_fn(move || {
            let (value, behind) = json::value(rest.strip_prefix(',').unwrap_or(rest)).ok()?;
            rest = behind;
            Some(value)
        })
    }

    /// The first argument as JSON text; `null` when there is none, as a JavaScript listener would see `undefined`.
    pub fn first(&self) -> &str {
        self.iter().next().unwrap_or("null")
    }

    /// The attachment that the argument `value` stands for, when it is a placeholder: an object of `_placeholder` and `num`
    /// alone.
    pub fn attachment(&self, value: &str) -> Option<&[u8]> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Placeholder {
            #[serde(rename = "_placeholder")]
            placeholder: bool,
            num: u32,
        }
        let placeholder: Placeholder = json::from_str(value).ok()?;
        let index = usize::try_from(placeholder.num).ok().filter(|_| placeholder.placeholder)?;
        self.attachments.get(index).map(Vec::as_slice)
    }

    /// The same arguments, borrowing nothing.
    pub fn into_owned(self) -> Args<'static> {
        Args { text: Cow::Owned(self.text.into_owned()), attachments: self.attachments }
    }
}

/// Puts arguments together, one by one.
#[derive(Clone, Debug, Default)]
pub struct ArgsBuilder {
    text: String,
    attachments: Vec<Vec<u8>>,
}

impl ArgsBuilder {
    /// No arguments yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an argument that is JSON text already. Text that is no JSON makes a packet that peers refuse.
    #[must_use]
    pub fn json(mut self, value: &str) -> Self {
        self.comma();
        self.text.push_str(value);
        self
    }

    /// Adds a string.
    #[must_use]
    pub fn string(mut self, value: &str) -> Self {
        self.comma();
        json::write_string(value, &mut self.text);
        self
    }

    /// Adds bytes, which travel as a binary attachment.
    #[must_use]
    pub fn binary(mut self, bytes: Vec<u8>) -> Self {
        self.comma();
        write_placeholder(self.attachments.len(), &mut self.text);
        self.attachments.push(bytes);
        self
    }

    /// The arguments.
    pub fn build(self) -> Args<'static> {
        Args { text: Cow::Owned(self.text), attachments: self.attachments }
    }

    fn comma(&mut self) {
        if !self.text.is_empty() {
            self.text.push(',');
        }
    }
}

/// Writes what stands for the attachment of that number.
pub(super) fn write_placeholder(number: usize, out: &mut String) {
    out.push_str("{\"_placeholder\":true,\"num\":");
    json::write_number(number as u64, out);
    out.push('}');
}
