//! Events and acks to frames in the turn's arena: one text frame, and a binary frame for each attachment; or one binary frame
//! of msgpack.

use super::{Args, NamespaceCore};
use crate::frame::{self, Opcode};
use crate::turn::{self, Frames};
use encke_protocol::socket::{AckId, Offset, Packet, Parser, msgpack};
use std::borrow::Cow;
use std::cell::RefCell;

/// What an Engine.IO message begins with.
const MESSAGE: char = '4';

/// At most, with its quotes and comma.
const OFFSET_BYTES: usize = 22;

thread_local! {
    /// The text of the packet that is being framed.
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Longer texts do not stay in memory.
const KEPT_BYTES: usize = 64 * 1024;

pub(super) fn event(to: &NamespaceCore, id: Option<AckId>, name: &str, args: &Args<'_>) -> Frames {
    let attachments = args.0.attachments.len();
    let name = Cow::Borrowed(name);
    let event = Packet::Event { namespace: &to.name, id, name, args: &args.0.text, attachments };
    packet(to.settings.parser, &event, args)
}

/// An event whose last argument is an offset.
pub(super) fn event_at(offset: Offset, to: &NamespaceCore, name: &str, args: &Args<'_>) -> Frames {
    let mut text = String::with_capacity(args.0.text.len() + OFFSET_BYTES);
    text.push_str(&args.0.text);
    if !text.is_empty() {
        text.push(',');
    }
    text.push('"');
    offset.encode(&mut text);
    text.push('"');
    let attachments = args.0.attachments.len();
    let name = Cow::Borrowed(name);
    let event = Packet::Event { namespace: &to.name, id: None, name, args: &text, attachments };
    packet(to.settings.parser, &event, args)
}

pub(super) fn ack(to: &NamespaceCore, id: AckId, args: &Args<'_>) -> Frames {
    let attachments = args.0.attachments.len();
    let ack = Packet::Ack { namespace: &to.name, id, args: &args.0.text, attachments };
    packet(to.settings.parser, &ack, args)
}

fn packet(parser: Parser, packet: &Packet<'_>, args: &Args<'_>) -> Frames {
    match parser {
        Parser::Json => text(packet, args),
        Parser::MsgPack => turn::write(|buffer| {
            let start = frame::begin(buffer);
            msgpack::encode(packet, &args.0.attachments, buffer);
            frame::finish(buffer, start, Opcode::Binary);
        }),
    }
}

fn text(packet: &Packet<'_>, args: &Args<'_>) -> Frames {
    let mut text = TEXT.take();
    text.push(MESSAGE);
    packet.encode(&mut text);
    let frames = message(&text, &args.0.attachments);
    if text.capacity() <= KEPT_BYTES {
        text.clear();
        TEXT.set(text);
    }
    frames
}

/// A text frame and binary frames behind it.
pub(crate) fn message(text: &str, attachments: &[Vec<u8>]) -> Frames {
    turn::write(|buffer| {
        append(buffer, Opcode::Text, text.as_bytes());
        for attachment in attachments {
            append(buffer, Opcode::Binary, attachment);
        }
    })
}

/// One binary frame.
pub(crate) fn binary(payload: &[u8]) -> Frames {
    turn::write(|buffer| append(buffer, Opcode::Binary, payload))
}

fn append(buffer: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    let start = frame::begin(buffer);
    buffer.extend_from_slice(payload);
    frame::finish(buffer, start, opcode);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::namespace::{Namespace, Settings};
    use encke_protocol::socket;
    use std::sync::Arc;

    fn namespace(name: &str, parser: Parser) -> Namespace {
        let config = Config { parser, ..Config::default() };
        Namespace::new(name, Arc::default(), Settings::new(&config, None), None)
    }

    #[test]
    fn an_event_is_one_text_frame_and_its_attachments_follow() {
        let args = Args(socket::ArgsBuilder::default().string("a").binary(vec![1, 2]).build());
        let frames = turn::run(|| event(&namespace("/chat", Parser::Json).0, AckId::new(7), "say", &args));
        let text = r#"451-/chat,7["say","a",{"_placeholder":true,"num":0}]"#;
        let bytes = frames.bytes().expect("the turn is over");
        let (opcode, payload, rest) = frame::split(bytes).expect("a frame");
        assert_eq!((opcode, payload), (Opcode::Text, text.as_bytes()));
        assert_eq!(frame::split(rest), Some((Opcode::Binary, &[1, 2][..], &[][..])));
    }

    #[test]
    fn in_msgpack_all_of_it_is_one_binary_frame() {
        let args = Args(socket::ArgsBuilder::default().binary(vec![1, 2]).build());
        let frames = turn::run(|| event(&namespace("/", Parser::MsgPack).0, None, "say", &args));
        let packet = b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa3say\xc4\x02\x01\x02";
        let bytes = frames.bytes().expect("the turn is over");
        assert_eq!(frame::split(bytes), Some((Opcode::Binary, &packet[..], &[][..])));
    }

    #[test]
    fn an_ack_carries_the_id_of_its_event() {
        let args = Args(socket::Args::from_text("1,2"));
        let frames =
            turn::run(|| ack(&namespace("/", Parser::Json).0, AckId::new(12).expect("small"), &args));
        assert_eq!(
            frames.bytes(),
            Some(&b"\x81\x09"[..]).map(|head| [head, b"4312[1,2]"].concat()).as_deref()
        );
    }
}
