//! JSON for both ends: a scanner that checks and cuts text without building values, and a small serde codec.
//!
//! The scanner is what packets are decoded with. The codec serves the browser, where serde_json would cost more than the
//! rest of the client; it reads and writes what serde_json does, and tests hold the two against each other. Servers and
//! native programs use serde_json.

mod de;
mod scan;
mod ser;

pub use de::from_str;
pub use scan::{Elements, elements, field, only_field, string, trim, unsigned, value};
pub(crate) use scan::{further_elements, leading_string, trim_start};
pub use ser::{to_string, write, write_number, write_string};

/// How deep arrays and objects may be nested, in input and in typed values; serde_json's bound.
pub const MAX_DEPTH: usize = 127;

/// The text is not JSON, not JSON of the wanted type, or nested too deeply; or a value cannot be written as JSON.
///
/// It says no more on purpose: a message that is formatted costs the page several kilobytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error;

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not JSON of the expected shape")
    }
}

impl std::error::Error for Error {}
