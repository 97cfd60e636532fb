//! Writes any `Serialize` value as JSON text, as serde_json would.

use super::scan::until_special;
use super::{Error, MAX_DEPTH};
use serde::ser::{self, Serialize};

/// The value as JSON text.
///
/// # Errors
/// [`Error`] when a map key is no string, integer or truth value, or the value is nested deeper than [`MAX_DEPTH`].
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    let mut out = String::new();
    write(value, &mut out)?;
    Ok(out)
}

/// Writes the value behind what is in `out`; after an error, part of it may stand there.
///
/// # Errors
/// As [`to_string`].
pub fn write<T: Serialize + ?Sized>(value: &T, out: &mut String) -> Result<(), Error> {
    value.serialize(&mut Writer { out, depth: 0 })
}

/// Writes `text` as a JSON string, quotes included, behind what is in `out`.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    loop {
        let (plain, special) = until_special(rest);
        out.push_str(plain);
        let Some(byte) = special.bytes().next() else { break };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            8 => out.push_str("\\b"),
            0xc => out.push_str("\\f"),
            code => {
                out.push_str(if code < 16 { "\\u000" } else { "\\u001" });
                out.push(char::from(b"0123456789abcdef"[usize::from(code & 15)]));
            }
        }
        rest = special.get(1..).unwrap_or_default();
    }
    out.push('"');
}

/// Writes `number` in decimal digits behind what is in `out`.
pub fn write_number(number: u64, out: &mut String) {
    if number >= 10 {
        write_number(number / 10, out);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

struct Writer<'a> {
    out: &'a mut String,
    depth: usize,
}

impl Writer<'_> {
    fn open(&mut self, bracket: char) -> Result<(), Error> {
        if self.depth == MAX_DEPTH {
            return Err(Error);
        }
        self.depth += 1;
        self.out.push(bracket);
        Ok(())
    }

    fn close(&mut self, bracket: char) {
        self.depth -= 1;
        self.out.push(bracket);
    }

    fn variant(&mut self, name: &str) -> Result<(), Error> {
        self.open('{')?;
        write_string(name, self.out);
        self.out.push(':');
        Ok(())
    }
}

/// An array, object or enum variant under way; knows what closes it.
struct Compound<'w, 'o> {
    writer: &'w mut Writer<'o>,
    empty: bool,
    close: Close,
}

enum Close {
    Array,
    Object,
    VariantArray,
    VariantObject,
}

impl<'w, 'o> Compound<'w, 'o> {
    fn array(writer: &'w mut Writer<'o>, close: Close) -> Result<Self, Error> {
        writer.open('[')?;
        Ok(Self { writer, empty: true, close })
    }

    fn object(writer: &'w mut Writer<'o>, close: Close) -> Result<Self, Error> {
        writer.open('{')?;
        Ok(Self { writer, empty: true, close })
    }

    fn comma(&mut self) {
        if !self.empty {
            self.writer.out.push(',');
        }
        self.empty = false;
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.comma();
        value.serialize(&mut *self.writer)
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        self.comma();
        write_string(key, self.writer.out);
        self.writer.out.push(':');
        value.serialize(&mut *self.writer)
    }

    fn finish(self) -> Result<(), Error> {
        self.writer.close(if matches!(self.close, Close::Array | Close::VariantArray) { ']' } else { '}' });
        if matches!(self.close, Close::VariantArray | Close::VariantObject) {
            self.writer.close('}');
        }
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident $signed:ty => $call:ident as $wide:ty;)*) => {
        $(fn $method(self, value: $signed) -> Result<(), Error> {
            self.$call(<$wide>::from(value))
        })*
    };
}

impl<'w, 'o> ser::Serializer for &'w mut Writer<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'w, 'o>;
    type SerializeTuple = Compound<'w, 'o>;
    type SerializeTupleStruct = Compound<'w, 'o>;
    type SerializeTupleVariant = Compound<'w, 'o>;
    type SerializeMap = Compound<'w, 'o>;
    type SerializeStruct = Compound<'w, 'o>;
    type SerializeStructVariant = Compound<'w, 'o>;

    numbers! {
        serialize_i8 i8 => serialize_i64 as i64;
        serialize_i16 i16 => serialize_i64 as i64;
        serialize_i32 i32 => serialize_i64 as i64;
        serialize_u8 u8 => serialize_u64 as u64;
        serialize_u16 u16 => serialize_u64 as u64;
        serialize_u32 u32 => serialize_u64 as u64;
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        if value < 0 {
            self.out.push('-');
        }
        write_number(value.unsigned_abs(), self.out);
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        write_number(value, self.out);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        use std::fmt::Write as _;
        if value.is_finite() {
            write!(self.out, "{value:?}").map_err(|_| Error)
        } else {
            self.serialize_unit()
        }
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        use std::fmt::Write as _;
        if value.is_finite() {
            write!(self.out, "{value:?}").map_err(|_| Error)
        } else {
            self.serialize_unit()
        }
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        write_string(value.encode_utf8(&mut [0; 4]), self.out);
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        write_string(value, self.out);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        let mut array = Compound::array(self, Close::Array)?;
        for byte in value {
            array.element(byte)?;
        }
        array.finish()
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.push_str("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant)?;
        value.serialize(&mut *self)?;
        self.close('}');
        Ok(())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        Compound::array(self, Close::Array)
    }

    fn serialize_tuple(self, _len: usize) -> Result<Self::SerializeTuple, Error> {
        Compound::array(self, Close::Array)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Compound::array(self, Close::Array)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        self.variant(variant)?;
        Compound::array(self, Close::VariantArray)
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Self::SerializeMap, Error> {
        Compound::object(self, Close::Object)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Error> {
        Compound::object(self, Close::Object)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        self.variant(variant)?;
        Compound::object(self, Close::VariantObject)
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.serialize_str(&value.to_string())
    }
}

macro_rules! sequences {
    ($($name:ident $method:ident,)*) => {
        $(impl ser::$name for Compound<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        })*
    };
}

sequences! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

macro_rules! structs {
    ($($name:ident,)*) => {
        $(impl ser::$name for Compound<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
                self.field(key, value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        })*
    };
}

structs! { SerializeStruct, SerializeStructVariant, }

impl ser::SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.comma();
        let start = self.writer.out.len();
        key.serialize(&mut *self.writer)?;
        let written = self.writer.out.get(start..).ok_or(Error)?;
        match written.as_bytes().first() {
            Some(b'"') => {}
            // Floats have a point or an exponent; what JavaScript makes of such a key may differ by side.
            Some(b'0'..=b'9' | b'-') if written.bytes().any(|byte| matches!(byte, b'.' | b'e')) => {
                return Err(Error);
            }
            Some(b'0'..=b'9' | b'-' | b't' | b'f') => {
                self.writer.out.insert(start, '"');
                self.writer.out.push('"');
            }
            _ => return Err(Error),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.writer.out.push(':');
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::Error for Error {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Error
    }
}
