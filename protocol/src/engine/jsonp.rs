//! Long-polling by scripts and forms, for pages that may not read an answer ("JSONP"): a payload comes as a script that
//! calls a function of the page, and is posted as a field of a form.
//!
//! Owns what stands in that script and in that field. The payload in it is [`super::payload`]'s business.

use crate::json;
use std::borrow::Cow;

/// The page's array of functions, of which a script calls one.
pub const CALLBACKS: &str = "___eio";

/// The name of the form's field.
pub const FIELD: &str = "d";

/// Which function of the page is called: `j` in the query. A number and nothing else, so that no request can put code
/// into an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Index(pub u32);

impl Index {
    /// Reads the value of `j`: digits.
    pub fn decode(text: &str) -> Option<Self> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok().map(Self) } else { None }
    }

    /// Writes the value of `j`.
    pub fn encode(self, out: &mut String) {
        json::write_number(self.0.into(), out);
    }
}

/// The script that hands a payload to the page.
pub fn script(index: Index, payload: &str) -> String {
    let mut script = String::with_capacity(payload.len() + payload.len() / 8 + 32);
    script.push_str(CALLBACKS);
    script.push('[');
    index.encode(&mut script);
    script.push_str("](");
    push_literal(payload, &mut script);
    script.push_str(");");
    script
}

/// Writes a string literal of JavaScript, of every version, that does not end a script element wherever it stands.
fn push_literal(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // Of `</script>` and `<!--`.
            '<' => out.push_str("\\u003c"),
            // They end a line in JavaScript before 2019.
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            '\0'..='\u{1f}' | '\u{7f}' => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let code = char as usize;
                out.push_str("\\u00");
                out.push(char::from(DIGITS[code >> 4 & 15]));
                out.push(char::from(DIGITS[code & 15]));
            }
            _ => out.push(char),
        }
    }
    out.push('"');
}

/// The value of the form's field for a payload without line ends, as all of Socket.IO's are (JSON escapes them): a browser
/// would change those. In a field `\n` stands for one, so what is a backslash and an `n` gets a backslash more.
pub fn encode_field(payload: &str) -> String {
    let mut field = String::with_capacity(payload.len());
    for char in payload.chars() {
        if char == 'n' && field.as_bytes().last() == Some(&b'\\') {
            field.push('\\');
        }
        field.push(char);
    }
    field
}

/// The longest that a payload of so many bytes becomes in a form, percent-encoded: a byte three bytes, but a backslash and
/// an `n`, which get a backslash more, seven.
pub const fn longest_in_form(payload: usize) -> usize {
    payload.saturating_mul(7).div_ceil(2)
}

/// The payload that certainly fits into so many bytes of a form: [`longest_in_form`] the other way round.
pub const fn fits_in_form(bytes: usize) -> usize {
    bytes / 7 * 2
}

/// The payload in a form's field, as [`encode_field`] and the reference client write it.
pub fn decode_field(field: &str) -> Cow<'_, str> {
    if !field.contains("\\n") {
        return Cow::Borrowed(field);
    }
    let mut payload = String::with_capacity(field.len());
    let mut parts = field.split("\\n");
    payload.push_str(parts.next().unwrap_or_default());
    for part in parts {
        // Now `payload` ends with what stood before a `\n`.
        if payload.ends_with('\\') {
            payload.push('n')
        } else {
            payload.push('\n')
        }
        payload.push_str(part);
    }
    Cow::Owned(payload)
}
