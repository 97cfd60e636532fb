//! Msgpack to packets: `data` becomes JSON text, which is then read as in a text packet.
//!
//! Nothing is allocated for an announced length: whatever is announced has to be there, byte for byte. The text is at most
//! a small multiple of the message.

use super::{ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, Message, date};
use crate::json;
use crate::socket::args::write_placeholder;
use crate::socket::packet::{decode_event, inner_of_array, take_object};
use crate::socket::{AckId, Args, Incoming, Limits, PacketError, check_namespace};
use std::borrow::Cow;

/// Decodes one message.
///
/// # Errors
/// [`PacketError`] when it is no packet, or one beyond `limits`.
pub(in crate::socket) fn decode(bytes: &[u8], limits: &Limits) -> Result<Message, PacketError> {
    let mut reader = Reader { rest: bytes, text: String::new(), attachments: Vec::new(), limits };
    let fields = reader.fields()?;
    let data = reader.text.get(fields.data.0..fields.data.1).unwrap_or_default();
    let attachments = reader.attachments;
    let namespace = fields.namespace.ok_or(PacketError::Payload)?;
    check_namespace(&namespace).map_err(|_| PacketError::Payload)?;
    match (fields.kind, fields.id) {
        (Some(CONNECT), None) => {
            let data = take_object(data)?.map(str::to_owned);
            Ok(Message::Connect { namespace, data })
        }
        (Some(DISCONNECT), None) if data.is_empty() => Ok(Message::Disconnect { namespace }),
        (Some(EVENT), id) => {
            let (name, args) = decode_event(data)?;
            let args = Args { text: Cow::Owned(args.to_owned()), attachments };
            Ok(Message::Incoming(Incoming::event(namespace, id, name.into_owned(), args)))
        }
        (Some(ACK), Some(id)) => {
            let args = Args { text: Cow::Owned(inner_of_array(data)?.to_owned()), attachments };
            Ok(Message::Incoming(Incoming::ack(namespace, id, args)))
        }
        (Some(ACK), None) => Err(PacketError::AckId),
        (Some(CONNECT_ERROR), _) => Ok(Message::ConnectError),
        (Some(CONNECT | DISCONNECT), _) => Err(PacketError::Payload),
        _ => Err(PacketError::UnknownType),
    }
}

/// What a packet's map says.
#[derive(Default)]
struct Fields {
    kind: Option<u64>,
    namespace: Option<String>,
    id: Option<AckId>,
    /// Where it stands in the text; nothing where it is undefined or nil.
    data: (usize, usize),
}

struct Reader<'a> {
    rest: &'a [u8],
    text: String,
    attachments: Vec<Vec<u8>>,
    limits: &'a Limits,
}

/// Whether a value is something.
#[derive(Clone, Copy, PartialEq)]
enum Is {
    Something,
    Undefined,
}

impl<'a> Reader<'a> {
    /// The map that is the message. Of a field that is there twice the last counts; fields that are not known are ignored.
    fn fields(&mut self) -> Result<Fields, PacketError> {
        let mut fields = Fields::default();
        let head = self.byte()?;
        for _ in 0..self.map_length(head)? {
            let head = self.byte()?;
            let key = self.string(head)?;
            let (start, attachments) = (self.text.len(), self.attachments.len());
            self.value(0)?;
            let value = self.text.get(start..).filter(|value| *value != "null");
            match key {
                "type" => fields.kind = value.and_then(json::unsigned),
                "nsp" => {
                    let name = value.map(json::string).transpose().map_err(|_| PacketError::Payload)?;
                    fields.namespace = name.map(Cow::into_owned);
                }
                "id" => {
                    let id = value.map(|id| json::unsigned(id).and_then(AckId::new));
                    fields.id = id.map(|id| id.ok_or(PacketError::AckId)).transpose()?;
                }
                "data" => {
                    fields.data = (start, start + value.map_or(0, str::len));
                    continue;
                }
                _ => {}
            }
            self.text.truncate(start);
            self.attachments.truncate(attachments);
        }
        if self.rest.is_empty() { Ok(fields) } else { Err(PacketError::MsgPack) }
    }

    /// Writes the next value as JSON text.
    fn value(&mut self, depth: usize) -> Result<Is, PacketError> {
        if depth > json::MAX_DEPTH {
            return Err(PacketError::MsgPack);
        }
        let head = self.byte()?;
        match head {
            0x00..=0x7f => self.unsigned(head.into()),
            0x80..=0x8f | 0xde | 0xdf => self.map(head, depth)?,
            0x90..=0x9f | 0xdc | 0xdd => self.array(head, depth)?,
            0xa0..=0xbf | 0xd9..=0xdb => {
                let text = self.string(head)?;
                json::write_string(text, &mut self.text);
            }
            0xc0 => self.text.push_str("null"),
            0xc2 => self.text.push_str("false"),
            0xc3 => self.text.push_str("true"),
            0xc4..=0xc6 => {
                let length = self.length(head - 0xc4)?;
                self.binary(length)?;
            }
            0xc7..=0xc9 => {
                let length = self.length(head - 0xc7)?;
                match self.byte()? {
                    0 => self.binary(length)?,
                    kind => self.extension(kind, length)?,
                }
            }
            0xca => {
                let number = f32::from_be_bytes(self.array_of()?);
                self.float(number.into());
            }
            0xcb => {
                let number = f64::from_be_bytes(self.array_of()?);
                self.float(number);
            }
            0xcc..=0xd3 | 0xe0..=0xff => self.integer(head)?,
            0xd4..=0xd8 => return self.fixed_extension(head),
            0xc1 => return Err(PacketError::MsgPack),
        }
        Ok(Is::Something)
    }

    fn integer(&mut self, head: u8) -> Result<(), PacketError> {
        let negative = match head {
            0xcc..=0xcf => {
                let number = self.big_endian(1 << (head - 0xcc))?;
                self.unsigned(number);
                return Ok(());
            }
            0xd0 => i8::from_be_bytes(self.array_of()?).into(),
            0xd1 => i16::from_be_bytes(self.array_of()?).into(),
            0xd2 => i32::from_be_bytes(self.array_of()?).into(),
            0xd3 => i64::from_be_bytes(self.array_of()?),
            _ => i64::from(head) - 0x100,
        };
        if negative < 0 {
            self.text.push('-');
        }
        self.unsigned(negative.unsigned_abs());
        Ok(())
    }

    fn unsigned(&mut self, number: u64) {
        json::write_number(number, &mut self.text);
    }

    fn float(&mut self, number: f64) {
        // Floats can always be written.
        let _ = json::write(&number, &mut self.text);
    }

    fn array(&mut self, head: u8, depth: usize) -> Result<(), PacketError> {
        let count = match head {
            0xdc => self.length(1)?,
            0xdd => self.length(2)?,
            _ => usize::from(head & 0xf),
        };
        self.text.push('[');
        for index in 0..count {
            if index > 0 {
                self.text.push(',');
            }
            self.value(depth + 1)?;
        }
        self.text.push(']');
        Ok(())
    }

    fn map(&mut self, head: u8, depth: usize) -> Result<(), PacketError> {
        self.text.push('{');
        let begin = self.text.len();
        for _ in 0..self.map_length(head)? {
            let entry = self.text.len();
            if entry > begin {
                self.text.push(',');
            }
            self.key()?;
            self.text.push(':');
            if self.value(depth + 1)? == Is::Undefined {
                self.text.truncate(entry);
            }
        }
        self.text.push('}');
        Ok(())
    }

    fn map_length(&mut self, head: u8) -> Result<usize, PacketError> {
        match head {
            0x80..=0x8f => Ok(usize::from(head & 0xf)),
            0xde => self.length(1),
            0xdf => self.length(2),
            _ => Err(PacketError::MsgPack),
        }
    }

    fn key(&mut self) -> Result<(), PacketError> {
        match self.byte()? {
            head @ (0xa0..=0xbf | 0xd9..=0xdb) => {
                let key = self.string(head)?;
                json::write_string(key, &mut self.text);
            }
            head @ (0x00..=0x7f | 0xcc..=0xd3 | 0xe0..=0xff) => {
                self.text.push('"');
                match head {
                    0x00..=0x7f => self.unsigned(head.into()),
                    _ => self.integer(head)?,
                }
                self.text.push('"');
            }
            _ => return Err(PacketError::MsgPack),
        }
        Ok(())
    }

    fn binary(&mut self, length: usize) -> Result<(), PacketError> {
        if self.attachments.len() >= self.limits.max_attachments {
            return Err(PacketError::LimitExceeded);
        }
        write_placeholder(self.attachments.len(), &mut self.text);
        let bytes = self.take(length)?.to_vec();
        self.attachments.push(bytes);
        Ok(())
    }

    fn fixed_extension(&mut self, head: u8) -> Result<Is, PacketError> {
        match (head, self.byte()?) {
            (0xd4, 0) => {
                self.byte()?;
                self.text.push_str("null");
                return Ok(Is::Undefined);
            }
            (0xd7, 0) => {
                let millis = i64::from_be_bytes(self.array_of()?);
                date::write(millis, &mut self.text);
            }
            (_, kind) => self.extension(kind, 1 << (head - 0xd4))?,
        }
        Ok(Is::Something)
    }

    fn extension(&mut self, kind: u8, length: usize) -> Result<(), PacketError> {
        self.text.push('[');
        let kind = i8::from_be_bytes([kind]);
        if kind < 0 {
            self.text.push('-');
        }
        self.unsigned(kind.unsigned_abs().into());
        self.text.push(',');
        self.binary(length)?;
        self.text.push(']');
        Ok(())
    }

    /// A length of 1, 2 or 4 bytes, for a size of 0, 1 or 2.
    fn length(&mut self, size: u8) -> Result<usize, PacketError> {
        usize::try_from(self.big_endian(1 << size)?).map_err(|_| PacketError::MsgPack)
    }

    fn big_endian(&mut self, bytes: usize) -> Result<u64, PacketError> {
        Ok(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn byte(&mut self) -> Result<u8, PacketError> {
        let [byte] = self.array_of()?;
        Ok(byte)
    }

    fn array_of<const N: usize>(&mut self) -> Result<[u8; N], PacketError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(PacketError::MsgPack)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], PacketError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(PacketError::MsgPack)?;
        self.rest = rest;
        Ok(taken)
    }

    fn string(&mut self, head: u8) -> Result<&'a str, PacketError> {
        let length = match head {
            0xa0..=0xbf => usize::from(head & 0x1f),
            0xd9..=0xdb => self.length(head - 0xd9)?,
            _ => return Err(PacketError::MsgPack),
        };
        std::str::from_utf8(self.take(length)?).map_err(|_| PacketError::MsgPack)
    }
}
