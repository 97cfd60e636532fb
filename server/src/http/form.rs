//! The form in which a page posts a payload that it may not send otherwise (URL standard,
//! "application/x-www-form-urlencoded"): one field, written by a browser.
//!
//! Stricter than that standard, which takes everything: a payload that has been damaged must not be taken for another.

use encke_protocol::engine::jsonp;
use std::borrow::Cow;

/// The longest form that holds a payload of that length.
pub(super) fn longest(payload: usize) -> usize {
    jsonp::longest_in_form(payload).saturating_add(jsonp::FIELD.len() + 1)
}

/// The payload in the form's field. None when the field is missing or there twice, when an escape is broken, and when it
/// is not UTF-8. Other fields are ignored.
pub(super) fn payload(form: &[u8]) -> Option<String> {
    let mut fields = form.split(|byte| *byte == b'&').filter_map(|pair| {
        let rest = pair.strip_prefix(jsonp::FIELD.as_bytes())?;
        rest.strip_prefix(b"=")
    });
    let value = unescape(fields.next()?)?;
    if fields.next().is_some() {
        return None;
    }
    let value = String::from_utf8(value).ok()?;
    let changed = match jsonp::decode_field(&value) {
        Cow::Borrowed(_) => None,
        Cow::Owned(payload) => Some(payload),
    };
    Some(changed.unwrap_or(value))
}

fn unescape(value: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => digit(rest.next())? << 4 | digit(rest.next())?,
            byte => *byte,
        });
    }
    Some(bytes)
}

fn digit(byte: Option<&u8>) -> Option<u8> {
    char::from(*byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str) -> Option<String> {
        payload(form.as_bytes())
    }

    #[test]
    fn a_browsers_form_is_read() {
        assert_eq!(read("d=40").as_deref(), Some("40"));
        assert_eq!(read("d=").as_deref(), Some(""));
        assert_eq!(read("d=a+b%2Bc%26%3D%25").as_deref(), Some("a b+c&=%"));
        assert_eq!(read("d=4%1E%C3%A4%e2%80%a8").as_deref(), Some("4\u{1e}ä\u{2028}"));
        assert_eq!(read("d=%0D%0A").as_deref(), Some("\r\n"), "a line end stays what the browser made it");
        assert_eq!(read("d=a=b").as_deref(), Some("a=b"));
        assert_eq!(read("_=1&d=4&e=2").as_deref(), Some("4"), "other fields do not matter");
    }

    #[test]
    fn line_ends_and_what_looks_like_them_are_told_apart() {
        assert_eq!(read("d=a%5Cnb").as_deref(), Some("a\nb"));
        assert_eq!(read("d=a%5C%5Cnb").as_deref(), Some("a\\nb"));
    }

    #[test]
    fn what_holds_no_payload_is_refused() {
        let forms =
            ["", "d", "e=4", "D=4", "dd=4", "%64=4", "d=1&d=2", "d=%", "d=%4", "d=%zz", "d=%+1", "d=%C3"];
        for form in forms {
            assert_eq!(read(form), None, "{form}");
        }
        assert_eq!(payload(b"d=\xff"), None, "not UTF-8");
    }

    #[test]
    fn the_longest_form_of_a_payload_is_just_not_too_long() {
        for (payload, form) in [("ä", "d=%C3%A4"), ("\\n", "d=%5C%5Cn"), ("\\n\"", "d=%5C%5Cn%22")] {
            assert_eq!(read(form).as_deref(), Some(payload));
            assert!(form.len() <= longest(payload.len()), "{form}");
        }
    }
}
