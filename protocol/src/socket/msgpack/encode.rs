//! Packets to msgpack. Arguments are walked once, as the JSON text that they are; no value is built.

use super::{ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT};
use crate::json;
use crate::socket::{AckId, Packet};

/// Writes the packet behind what is in `out`. Each of the `attachments` stands where its placeholder is; the second
/// placeholder of one, which nobody needs, stays an object, so that little text cannot become a large packet.
///
/// An argument that is no JSON becomes nil, and nothing behind it is written.
pub fn encode(packet: &Packet<'_>, attachments: &[Vec<u8>], out: &mut Vec<u8>) {
    let attachments = attachments.iter().map(|bytes| Some(&**bytes)).collect();
    let mut writer = Writer { out, attachments };
    match packet {
        Packet::Connect { namespace, data } => {
            writer.head(CONNECT, namespace, None, data.is_some());
            data.iter().for_each(|data| writer.data(data));
        }
        Packet::Disconnect { namespace } => writer.head(DISCONNECT, namespace, None, false),
        Packet::Event { namespace, id, name, args, .. } => {
            writer.head(EVENT, namespace, *id, true);
            writer.array(Some(name), args);
        }
        Packet::Ack { namespace, id, args, .. } => {
            writer.head(ACK, namespace, Some(*id), true);
            writer.array(None, args);
        }
        Packet::ConnectError { namespace, data } => {
            writer.head(CONNECT_ERROR, namespace, None, true);
            writer.data(data);
        }
    }
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    /// Those that no placeholder has asked for yet.
    attachments: Vec<Option<&'a [u8]>>,
}

impl Writer<'_> {
    /// The packet's map up to the value of `data`, which is last.
    fn head(&mut self, kind: u64, namespace: &str, id: Option<AckId>, data: bool) {
        self.out.push(0x82 + u8::from(id.is_some()) + u8::from(data));
        self.string("type");
        self.unsigned(kind);
        self.string("nsp");
        self.string(namespace);
        if let Some(id) = id {
            self.string("id");
            self.unsigned(id.get());
        }
        if data {
            self.string("data");
        }
    }

    /// One JSON value.
    fn data(&mut self, text: &str) {
        let start = self.out.len();
        if self.value(text, 0).is_none() {
            self.nil(start);
        }
    }

    /// An array of the name, if there is one, and the values in `args`.
    fn array(&mut self, name: Option<&str>, args: &str) {
        let start = self.begin();
        let mut count = 0;
        if let Some(name) = name {
            self.string(name);
            count += 1;
        }
        let mut rest = json::trim(args);
        while !rest.is_empty() {
            let argument = self.out.len();
            rest = match self.value(rest, 1) {
                Some(behind) => behind.strip_prefix(',').unwrap_or_default(),
                None => {
                    self.nil(argument);
                    ""
                }
            };
            count += 1;
        }
        self.finish(start, count, Container::Array);
    }

    /// The value at the beginning of `text`; gives back what stands behind it. None when it is no JSON.
    fn value<'t>(&mut self, text: &'t str, depth: usize) -> Option<&'t str> {
        let text = json::trim_start(text);
        let first = *text.as_bytes().first()?;
        if let b'[' | b'{' = first {
            if depth == json::MAX_DEPTH {
                return None;
            }
            return if first == b'[' { self.elements(text, depth) } else { self.object(text, depth) };
        }
        let (token, behind) = json::value(text).ok()?;
        match first {
            b'"' => self.string(&json::string(token).ok()?),
            b'n' => self.out.push(0xc0),
            b'f' => self.out.push(0xc2),
            b't' => self.out.push(0xc3),
            _ => self.number(token)?,
        }
        Some(behind)
    }

    fn elements<'t>(&mut self, text: &'t str, depth: usize) -> Option<&'t str> {
        let start = self.begin();
        let mut count = 0;
        let mut rest = json::trim_start(text.get(1..)?);
        if let Some(behind) = rest.strip_prefix(']') {
            self.finish(start, 0, Container::Array);
            return Some(json::trim_start(behind));
        }
        loop {
            rest = self.value(rest, depth + 1)?;
            count += 1;
            match rest.as_bytes().first()? {
                b',' => rest = rest.get(1..)?,
                b']' => break,
                _ => return None,
            }
        }
        self.finish(start, count, Container::Array);
        Some(json::trim_start(rest.get(1..)?))
    }

    fn object<'t>(&mut self, text: &'t str, depth: usize) -> Option<&'t str> {
        if !self.attachments.is_empty()
            && let Some((number, behind)) = placeholder(text)
            && let Some(bytes) = self.attachments.get_mut(number).and_then(Option::take)
        {
            self.binary(bytes);
            return Some(behind);
        }
        let start = self.begin();
        let mut count = 0;
        let mut rest = json::trim_start(text.get(1..)?);
        if let Some(behind) = rest.strip_prefix('}') {
            self.finish(start, 0, Container::Map);
            return Some(json::trim_start(behind));
        }
        loop {
            let (key, behind) = key(rest)?;
            self.string(&json::string(key).ok()?);
            rest = self.value(behind, depth + 1)?;
            count += 1;
            match rest.as_bytes().first()? {
                b',' => rest = rest.get(1..)?,
                b'}' => break,
                _ => return None,
            }
        }
        self.finish(start, count, Container::Map);
        Some(json::trim_start(rest.get(1..)?))
    }

    fn number(&mut self, token: &str) -> Option<()> {
        if let Ok(number) = token.parse() {
            self.unsigned(number);
        } else if let Some(number) = token.parse().ok().filter(|number| *number != 0) {
            self.negative(number);
        } else {
            // Fractions, what is beyond 64 bits, and minus zero.
            self.out.push(0xcb);
            self.out.extend_from_slice(&token.parse::<f64>().ok()?.to_be_bytes());
        }
        Some(())
    }

    fn unsigned(&mut self, number: u64) {
        let bytes = number.to_be_bytes();
        let (head, size) = match number {
            0..=0x7f => return self.out.push(bytes[7]),
            0x80..=0xff => (0xcc, 1),
            0x100..=0xffff => (0xcd, 2),
            0x1_0000..=0xffff_ffff => (0xce, 4),
            _ => (0xcf, 8),
        };
        self.out.push(head);
        self.out.extend_from_slice(&bytes[8 - size..]);
    }

    fn negative(&mut self, number: i64) {
        let bytes = number.to_be_bytes();
        let (head, size) = match number {
            -0x20.. => return self.out.push(bytes[7]),
            -0x80.. => (0xd0, 1),
            -0x8000.. => (0xd1, 2),
            -0x8000_0000.. => (0xd2, 4),
            _ => (0xd3, 8),
        };
        self.out.push(head);
        self.out.extend_from_slice(&bytes[8 - size..]);
    }

    fn string(&mut self, text: &str) {
        match u8::try_from(text.len()) {
            Ok(length @ 0..0x20) => self.out.push(0xa0 | length),
            _ => self.length(text.len(), 0xd9),
        }
        self.out.extend_from_slice(text.as_bytes());
    }

    fn binary(&mut self, bytes: &[u8]) {
        self.length(bytes.len(), 0xc4);
        self.out.extend_from_slice(bytes);
    }

    /// A length of 1, 2 or 4 bytes; their heads follow on one another.
    fn length(&mut self, length: usize, head: u8) {
        let bytes = u32::try_from(length).expect("a packet holds less than 4 GB").to_be_bytes();
        let (step, size) = match length {
            0..=0xff => (0, 1),
            0x100..=0xffff => (1, 2),
            _ => (2, 4),
        };
        self.out.push(head + step);
        self.out.extend_from_slice(&bytes[4 - size..]);
    }

    fn nil(&mut self, start: usize) {
        self.out.truncate(start);
        self.out.push(0xc0);
    }

    /// Begins an array or map whose length is not known yet.
    fn begin(&mut self) -> usize {
        self.out.push(0);
        self.out.len() - 1
    }

    /// Says its length; one of more than 15 makes room for it.
    fn finish(&mut self, start: usize, count: u32, container: Container) {
        let (small, large) = match container {
            Container::Array => (0x90, 0xdc),
            Container::Map => (0x80, 0xde),
        };
        let bytes = count.to_be_bytes();
        let (head, size) = match count {
            0..=0xf => (small | bytes[3], 0),
            0x10..=0xffff => (large, 2),
            _ => (large + 1, 4),
        };
        self.out[start] = head;
        self.out.splice(start + 1..start + 1, bytes[4 - size..].iter().copied());
    }
}

#[derive(Clone, Copy)]
enum Container {
    Array,
    Map,
}

/// The key at the beginning of `text`, as JSON text, and what stands behind its colon.
fn key(text: &str) -> Option<(&str, &str)> {
    let text = json::trim_start(text);
    if !text.starts_with('"') {
        return None;
    }
    let (key, behind) = json::value(text).ok()?;
    Some((key, behind.strip_prefix(':')?))
}

/// The number in the placeholder at the beginning of `text`, if there is one, and what stands behind it. Looks no further
/// than at two entries that are no arrays or objects: all of a deep one would be read again at each of its levels.
fn placeholder(text: &str) -> Option<(usize, &str)> {
    let (mut marked, mut number) = (false, None);
    let mut rest = text.strip_prefix('{')?;
    for end in [',', '}'] {
        let (name, value) = key(rest)?;
        let value = json::trim_start(value);
        if value.starts_with(['[', '{']) {
            return None;
        }
        let (value, behind) = json::value(value).ok()?;
        match name {
            r#""_placeholder""# => marked = value == "true",
            r#""num""# => number = json::unsigned(value),
            _ => return None,
        }
        rest = behind.strip_prefix(end)?;
    }
    let number = number.filter(|_| marked).and_then(|number| usize::try_from(number).ok())?;
    Some((number, json::trim_start(rest)))
}
