//! Reads JSON text into any `Deserialize` type, as serde_json would.
//!
//! Each method reads one kind of value and no other, so a page links only the code for the types it has;
//! `deserialize_any` is there for those who ask for it (untagged enums, dynamic values).

use super::{Error, MAX_DEPTH, scan};
use serde::de::{self, Deserialize, DeserializeSeed, Visitor};
use std::borrow::Cow;

/// The value that `text` holds.
///
/// # Errors
/// [`Error`] when it is not exactly one JSON value of that type.
pub fn from_str<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Error> {
    let mut reader = Reader { rest: text, depth: 0 };
    let value = T::deserialize(&mut reader)?;
    reader.skip_space();
    if reader.rest.is_empty() { Ok(value) } else { Err(Error) }
}

struct Reader<'de> {
    rest: &'de str,
    depth: usize,
}

enum Number {
    Unsigned(u64),
    Negative(i64),
}

impl<'de> Reader<'de> {
    fn skip_space(&mut self) {
        self.rest = scan::trim_start(self.rest);
    }

    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.rest.as_bytes().first().copied()
    }

    /// Takes `word` if it comes next.
    fn take(&mut self, word: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, mark: &str) -> Result<(), Error> {
        if self.take(mark) { Ok(()) } else { Err(Error) }
    }

    fn open(&mut self, bracket: &str) -> Result<(), Error> {
        if self.depth == MAX_DEPTH {
            return Err(Error);
        }
        self.depth += 1;
        self.expect(bracket)
    }

    fn close(&mut self, bracket: &str) -> Result<(), Error> {
        self.depth -= 1;
        self.expect(bracket)
    }

    fn skip_value(&mut self) -> Result<&'de str, Error> {
        let (value, rest) = scan::value(self.rest)?;
        self.rest = rest;
        Ok(value)
    }

    fn string(&mut self) -> Result<Cow<'de, str>, Error> {
        if self.peek() != Some(b'"') {
            return Err(Error);
        }
        scan::string(self.skip_value()?)
    }

    fn integer(&mut self) -> Result<Number, Error> {
        let text = self.number_text()?;
        integer(text).ok_or(Error)
    }

    fn number_text(&mut self) -> Result<&'de str, Error> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.skip_value(),
            _ => Err(Error),
        }
    }

    fn unsigned(&mut self) -> Result<u64, Error> {
        match self.integer()? {
            Number::Unsigned(number) => Ok(number),
            Number::Negative(_) => Err(Error),
        }
    }

    fn signed(&mut self) -> Result<i64, Error> {
        match self.integer()? {
            Number::Unsigned(number) => i64::try_from(number).map_err(|_| Error),
            Number::Negative(number) => Ok(number),
        }
    }
}

/// Numbers too large for a float are an error, not infinite.
fn float(text: &str) -> Result<f64, Error> {
    text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or(Error)
}

fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    // Keys of maps have not been scanned.
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    let number = scan::unsigned(digits)?;
    if negative {
        0_i64.checked_sub_unsigned(number).map(Number::Negative)
    } else {
        Some(Number::Unsigned(number))
    }
}

macro_rules! narrow {
    ($($method:ident $read:ident $visit:ident $type:ty;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(<$type>::try_from(self.$read()?).map_err(|_| Error)?)
        })*
    };
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    narrow! {
        deserialize_u8 unsigned visit_u8 u8;
        deserialize_u16 unsigned visit_u16 u16;
        deserialize_u32 unsigned visit_u32 u32;
        deserialize_u64 unsigned visit_u64 u64;
        deserialize_i8 signed visit_i8 i8;
        deserialize_i16 signed visit_i16 i16;
        deserialize_i32 signed visit_i32 i32;
        deserialize_i64 signed visit_i64 i64;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek().ok_or(Error)? {
            b'"' => self.deserialize_str(visitor),
            b'[' => self.deserialize_seq(visitor),
            b'{' => self.deserialize_map(visitor),
            b't' | b'f' => self.deserialize_bool(visitor),
            b'n' => self.deserialize_unit(visitor),
            _ => {
                let text = self.number_text()?;
                match integer(text) {
                    Some(Number::Unsigned(number)) => visitor.visit_u64(number),
                    Some(Number::Negative(number)) => visitor.visit_i64(number),
                    None => visitor.visit_f64(float(text)?),
                }
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.take("true") {
            visitor.visit_bool(true)
        } else if self.take("false") {
            visitor.visit_bool(false)
        } else {
            Err(Error)
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let number = self.number_text()?.parse().ok().filter(|number: &f32| number.is_finite());
        visitor.visit_f32(number.ok_or(Error)?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(float(self.number_text()?)?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.take("null") { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.take("null") { visitor.visit_unit() } else { Err(Error) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.open("[")?;
        let value = visitor.visit_seq(Items { reader: self, first: true, end: "]" })?;
        self.close("]")?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.open("{")?;
        let value = visitor.visit_map(Items { reader: self, first: true, end: "}" })?;
        self.close("}")?;
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.peek() != Some(b'{') {
            return visitor.visit_enum(Variant { reader: self, content: false });
        }
        self.open("{")?;
        let value = visitor.visit_enum(Variant { reader: self, content: true })?;
        self.close("}")?;
        Ok(value)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // Nobody keeps a name: one way to hand it over is enough.
        visitor.visit_str(&self.string()?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.skip_value()?;
        visitor.visit_unit()
    }
}

/// The items of an array, or the entries of an object.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    first: bool,
    end: &'static str,
}

impl Items<'_, '_> {
    /// Whether another item follows; its comma is taken.
    fn more(&mut self) -> Result<bool, Error> {
        self.reader.skip_space();
        if self.reader.rest.starts_with(self.end) {
            return Ok(false);
        }
        if !self.first {
            self.reader.expect(",")?;
        }
        self.first = false;
        Ok(true)
    }
}

impl<'de> de::SeqAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if !self.more()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> de::MapAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if !self.more()? {
            return Ok(None);
        }
        seed.deserialize(Key { reader: &mut *self.reader }).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        self.reader.expect(":")?;
        seed.deserialize(&mut *self.reader)
    }
}

/// A key of an object: a string, or in quotes an integer or truth value for maps whose keys are such.
struct Key<'r, 'de> {
    reader: &'r mut Reader<'de>,
}

macro_rules! number_keys {
    ($($method:ident $visit:ident $type:ty;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let text = self.reader.string()?;
            match integer(&text) {
                Some(Number::Unsigned(number)) => visitor.$visit(<$type>::try_from(number).map_err(|_| Error)?),
                Some(Number::Negative(number)) => visitor.$visit(<$type>::try_from(number).map_err(|_| Error)?),
                None => Err(Error),
            }
        })*
    };
}

impl<'de> de::Deserializer<'de> for Key<'_, 'de> {
    type Error = Error;

    number_keys! {
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_str(self.reader, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &*self.reader.string()? {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(Error),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_identifier(self.reader, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(Variant { reader: self.reader, content: false })
    }

    serde::forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        ignored_any
    }
}

/// An enum's variant: a bare name, or a name and its content.
struct Variant<'r, 'de> {
    reader: &'r mut Reader<'de>,
    content: bool,
}

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name = seed.deserialize(&mut *self.reader)?;
        if self.content {
            self.reader.expect(":")?;
        }
        Ok((name, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        if self.content && !self.reader.take("null") { Err(Error) } else { Ok(()) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        if self.content { seed.deserialize(self.reader) } else { Err(Error) }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Error> {
        if self.content { de::Deserializer::deserialize_seq(self.reader, visitor) } else { Err(Error) }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.content { de::Deserializer::deserialize_map(self.reader, visitor) } else { Err(Error) }
    }
}

/// Every constructor is overridden, since the default ones format their message.
impl de::Error for Error {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Error
    }

    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Error
    }

    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Error
    }

    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Error
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Error
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Error
    }

    fn missing_field(_: &'static str) -> Self {
        Error
    }

    fn duplicate_field(_: &'static str) -> Self {
        Error
    }
}
