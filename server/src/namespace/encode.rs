//! Events and acks to frames in the turn's arena: one text frame, and a binary frame for each attachment.

use super::Args;
use crate::frame::{self, Opcode};
use crate::turn::{self, Frames};
use encke_protocol::socket::{AckId, Packet};
use std::borrow::Cow;
use std::cell::RefCell;

/// What an Engine.IO message begins with.
const MESSAGE: char = '4';

thread_local! {
    /// The text of the packet that is being framed.
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Longer texts do not stay in memory.
const KEPT_BYTES: usize = 64 * 1024;

pub(crate) fn event(namespace: &str, id: Option<AckId>, name: &str, args: &Args<'_>) -> Frames {
    let attachments = args.0.attachments.len();
    let name = Cow::Borrowed(name);
    packet(&Packet::Event { namespace, id, name, args: &args.0.text, attachments }, args)
}

pub(crate) fn ack(namespace: &str, id: AckId, args: &Args<'_>) -> Frames {
    let attachments = args.0.attachments.len();
    packet(&Packet::Ack { namespace, id, args: &args.0.text, attachments }, args)
}

fn packet(packet: &Packet<'_>, args: &Args<'_>) -> Frames {
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
    use encke_protocol::socket;

    #[test]
    fn an_event_is_one_text_frame_and_its_attachments_follow() {
        let args = Args(socket::ArgsBuilder::default().string("a").binary(vec![1, 2]).build());
        let frames = turn::run(|| event("/chat", AckId::new(7), "say", &args));
        let text = r#"451-/chat,7["say","a",{"_placeholder":true,"num":0}]"#;
        let bytes = frames.bytes().expect("the turn is over");
        let (opcode, payload, rest) = frame::split(bytes).expect("a frame");
        assert_eq!((opcode, payload), (Opcode::Text, text.as_bytes()));
        assert_eq!(frame::split(rest), Some((Opcode::Binary, &[1, 2][..], &[][..])));
    }

    #[test]
    fn an_ack_carries_the_id_of_its_event() {
        let args = Args(socket::Args::from_text("1,2"));
        let frames = turn::run(|| ack("/", AckId::new(12).expect("small"), &args));
        assert_eq!(
            frames.bytes(),
            Some(&b"\x81\x09"[..]).map(|head| [head, b"4312[1,2]"].concat()).as_deref()
        );
    }
}
