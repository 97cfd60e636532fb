//! The scanner: where a value ends, what stands in an array, what a string says. It builds nothing and recurses nowhere,
//! so no input costs it stack or memory.

use super::{Error, MAX_DEPTH};
use std::borrow::Cow;

/// The JSON value at the beginning of `text`, and what follows it. White space around it belongs to neither.
///
/// # Errors
/// [`Error`] when no valid value stands there, or one nested deeper than [`MAX_DEPTH`].
pub fn value(text: &str) -> Result<(&str, &str), Error> {
    let text = trim_start(text);
    let end = value_end(text.as_bytes(), Expect::Value)?;
    let value = text.get(..end).ok_or(Error)?;
    Ok((value, trim_start(text.get(end..).ok_or(Error)?)))
}

/// The further elements of an array, joined by commas, when `text` is all of it from behind an element on.
pub(crate) fn further_elements(text: &str) -> Result<&str, Error> {
    let end = value_end(text.as_bytes(), Expect::CommaOrClose)?;
    if !trim_start(text.get(end..).ok_or(Error)?).is_empty() {
        return Err(Error);
    }
    let inner = trim_start(text.get(..end - 1).ok_or(Error)?);
    Ok(trim(inner.strip_prefix(',').unwrap_or_default()))
}

/// The elements of the array that `text` holds, each as JSON text.
///
/// # Errors
/// [`Error`] when `text` does not begin with `[`.
pub fn elements(text: &str) -> Result<Elements<'_>, Error> {
    let inner = trim_start(text).strip_prefix('[').ok_or(Error)?;
    Ok(Elements { rest: inner, state: State::First })
}

/// The elements of an array, made by [`elements`]. An error is the last item; what follows the array is an error too.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a str,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    First,
    Further,
    Done,
}

impl<'a> Elements<'a> {
    /// What has not been read yet, with the comma before it and the bracket behind it.
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    fn step(&mut self) -> Result<Option<&'a str>, Error> {
        let mut rest = trim_start(self.rest);
        if let Some(behind) = rest.strip_prefix(']') {
            return if trim_start(behind).is_empty() { Ok(None) } else { Err(Error) };
        }
        if self.state == State::Further {
            rest = rest.strip_prefix(',').ok_or(Error)?;
        }
        let (element, rest) = value(rest)?;
        self.state = State::Further;
        self.rest = rest;
        Ok(Some(element))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<&'a str, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Done {
            return None;
        }
        let step = self.step().transpose();
        if !matches!(step, Some(Ok(_))) {
            self.state = State::Done;
        }
        step
    }
}

/// The value of the first field `name` of the object that `text` holds, as JSON text.
pub fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    fields(text)?.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The value of the field `name`, as JSON text, when the object that `text` holds has that field alone.
pub fn only_field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = fields(text)?;
    let (key, value) = fields.next()?;
    (key == name && fields.next().is_none()).then_some(value)
}

/// The fields of an object. Ends at what is not valid.
fn fields(text: &str) -> Option<impl Iterator<Item = (Cow<'_, str>, &str)>> {
    let (object, _) = value(text).ok()?;
    let mut rest = object.strip_prefix('{')?;
    Some(std::iter::from_fn(move || {
        let (key, behind) = value(rest.strip_prefix(',').unwrap_or(rest)).ok()?;
        let (value, behind) = value(behind.strip_prefix(':')?).ok()?;
        rest = behind;
        Some((string(key).ok()?, value))
    }))
}

/// What the JSON string `text`, quotes included, says. Borrowed when it holds no escape.
///
/// # Errors
/// [`Error`] when `text` is not exactly one valid string. A lone surrogate, which JavaScript can write, becomes U+FFFD.
pub fn string(text: &str) -> Result<Cow<'_, str>, Error> {
    let (string, behind) = leading_string(text)?;
    if behind.is_empty() { Ok(string) } else { Err(Error) }
}

/// What the JSON string at the beginning of `text` says, as [`string`] does, and what follows it.
pub(crate) fn leading_string(text: &str) -> Result<(Cow<'_, str>, &str), Error> {
    let end = string_end(text.as_bytes(), 0)?;
    let inner = text.get(1..end - 1).ok_or(Error)?;
    Ok((unescape(inner)?, text.get(end..).ok_or(Error)?))
}

/// What stands between the quotes of a valid string.
fn unescape(inner: &str) -> Result<Cow<'_, str>, Error> {
    let (plain, mut rest) = until_special(inner);
    if rest.is_empty() {
        return Ok(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    out.push_str(plain);
    let mut high = None;
    // A backslash is never the last: the string would not have ended there.
    while let Some(kind) = rest.as_bytes().get(1) {
        let behind = if *kind == b'u' {
            let unit = rest.get(2..6).and_then(hex).ok_or(Error)?;
            push_unit(unit, &mut high, &mut out);
            6
        } else {
            flush_surrogate(&mut high, &mut out);
            out.push(match kind {
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                other => char::from(*other),
            });
            2
        };
        let (plain, escape) = until_special(rest.get(behind..).unwrap_or_default());
        if !plain.is_empty() {
            flush_surrogate(&mut high, &mut out);
            out.push_str(plain);
        }
        rest = escape;
    }
    flush_surrogate(&mut high, &mut out);
    Ok(Cow::Owned(out))
}

/// What stands for itself in a string, and all from the first character on that does not: in a string that is valid already,
/// from an escape on.
pub(super) fn until_special(text: &str) -> (&str, &str) {
    let at = plain_end(text.as_bytes(), 0);
    (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default())
}

/// The number that decimal digits write; `None` when there is none, it does not fit, or something else is among them.
pub fn unsigned(digits: &str) -> Option<u64> {
    let mut number = if digits.is_empty() { None } else { Some(0_u64) };
    for byte in digits.bytes() {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number = Some(number?.checked_mul(10)?.checked_add(u64::from(digit))?);
    }
    number
}

/// Adds one UTF-16 unit; a high surrogate waits in `high` for its low one.
fn push_unit(unit: u32, high: &mut Option<u32>, out: &mut String) {
    match (*high, unit) {
        (Some(first), 0xdc00..=0xdfff) => {
            *high = None;
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (unit - 0xdc00);
            out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        _ => {
            flush_surrogate(high, out);
            if (0xd800..0xdc00).contains(&unit) {
                *high = Some(unit);
            } else {
                out.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
    }
}

fn flush_surrogate(high: &mut Option<u32>, out: &mut String) {
    if high.take().is_some() {
        out.push(char::REPLACEMENT_CHARACTER);
    }
}

fn hex(digits: &str) -> Option<u32> {
    let mut unit = 0;
    for digit in digits.bytes() {
        unit = unit << 4 | char::from(digit).to_digit(16)?;
    }
    Some(unit)
}

/// The text behind white space, as JSON knows it.
pub(crate) fn trim_start(text: &str) -> &str {
    text.get(skip_space(text.as_bytes(), 0)..).unwrap_or_default()
}

/// The text without white space around it. `str::trim` knows more of that than JSON does, and needs tables for it.
pub fn trim(text: &str) -> &str {
    let mut text = trim_start(text);
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.as_bytes().last() {
        text = text.get(..text.len() - 1).unwrap_or_default();
    }
    text
}

fn skip_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

/// What may come next inside the innermost open array or object.
enum Expect {
    Value,
    ValueOrClose,
    KeyOrClose,
    Key,
    CommaOrClose,
}

/// Where the value ends that `text` begins with; or, from [`Expect::CommaOrClose`] on, the array whose element stood before it.
fn value_end(text: &[u8], mut expect: Expect) -> Result<usize, Error> {
    // A bit for each open level: 1 is an object.
    let (mut objects, mut depth) = (0_u128, usize::from(matches!(expect, Expect::CommaOrClose)));
    let mut at = 0;
    loop {
        at = skip_space(text, at);
        let byte = *text.get(at).ok_or(Error)?;
        let in_object = objects & 1 == 1;
        match (&expect, byte) {
            (Expect::Value | Expect::ValueOrClose, b'[' | b'{') => {
                if depth == MAX_DEPTH {
                    return Err(Error);
                }
                depth += 1;
                objects = objects << 1 | u128::from(byte == b'{');
                expect = if byte == b'{' { Expect::KeyOrClose } else { Expect::ValueOrClose };
                at += 1;
                continue;
            }
            (Expect::ValueOrClose, b']') | (Expect::KeyOrClose, b'}') => {
                at = close(&mut objects, &mut depth, at)
            }
            (Expect::CommaOrClose, b']') if !in_object => at = close(&mut objects, &mut depth, at),
            (Expect::CommaOrClose, b'}') if in_object => at = close(&mut objects, &mut depth, at),
            (Expect::CommaOrClose, b',') => {
                expect = if in_object { Expect::Key } else { Expect::Value };
                at += 1;
                continue;
            }
            (Expect::Key | Expect::KeyOrClose, b'"') => {
                at = skip_space(text, string_end(text, at)?);
                if text.get(at) != Some(&b':') {
                    return Err(Error);
                }
                at += 1;
                expect = Expect::Value;
                continue;
            }
            (Expect::Value | Expect::ValueOrClose, _) => at = scalar_end(text, at)?,
            _ => return Err(Error),
        }
        if depth == 0 {
            return Ok(at);
        }
        expect = Expect::CommaOrClose;
    }
}

fn close(objects: &mut u128, depth: &mut usize, at: usize) -> usize {
    *objects >>= 1;
    *depth -= 1;
    at + 1
}

fn scalar_end(text: &[u8], at: usize) -> Result<usize, Error> {
    let rest = text.get(at..).ok_or(Error)?;
    match rest.first() {
        Some(b'"') => string_end(text, at),
        Some(b'-' | b'0'..=b'9') => number_end(text, at),
        Some(b't') if rest.starts_with(b"true") => Ok(at + 4),
        Some(b'n') if rest.starts_with(b"null") => Ok(at + 4),
        Some(b'f') if rest.starts_with(b"false") => Ok(at + 5),
        _ => Err(Error),
    }
}

fn number_end(text: &[u8], mut at: usize) -> Result<usize, Error> {
    let digits = |mut at: usize| {
        let start = at;
        while let Some(b'0'..=b'9') = text.get(at) {
            at += 1;
        }
        if at == start { Err(Error) } else { Ok(at) }
    };
    if text.get(at) == Some(&b'-') {
        at += 1;
    }
    at = if text.get(at) == Some(&b'0') { at + 1 } else { digits(at)? };
    if text.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = text.get(at) {
            at += 1;
        }
        at = digits(at)?;
    }
    Ok(at)
}

/// Where the string whose opening quote stands at `at` ends, behind its closing quote.
fn string_end(text: &[u8], at: usize) -> Result<usize, Error> {
    if text.get(at) != Some(&b'"') {
        return Err(Error);
    }
    let mut at = at + 1;
    loop {
        at = plain_end(text, at);
        match *text.get(at).ok_or(Error)? {
            b'"' => return Ok(at + 1),
            b'\\' => match *text.get(at + 1).ok_or(Error)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' => {
                    let digits = text.get(at + 2..at + 6).ok_or(Error)?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return Err(Error);
                    }
                    at += 6;
                }
                _ => return Err(Error),
            },
            _ => return Err(Error),
        }
    }
}

/// Where what stands for itself in a string ends: at a quote, a backslash, a control character or the end of the text.
fn plain_end(text: &[u8], mut at: usize) -> usize {
    // Byte by byte takes fewer of a page's bytes.
    if cfg!(not(target_family = "wasm")) {
        while let Some(word) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_le_bytes(*word);
            // The high bit of each byte that is less than `bound`; above the first such it may be wrong.
            let below = |word: u64, bound: u8| word.wrapping_sub(each(bound)) & !word & each(0x80);
            let found = below(word, 0x20) | below(word ^ each(b'"'), 1) | below(word ^ each(b'\\'), 1);
            if found != 0 {
                return at + found.trailing_zeros() as usize / 8;
            }
            at += 8;
        }
    }
    while let Some(byte) = text.get(at)
        && !matches!(byte, b'"' | b'\\' | 0..=0x1f)
    {
        at += 1;
    }
    at
}

/// A word of that byte.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}
