//! Puts a packet and its binary attachments together again. They come in order, right behind the packet, so at most one
//! packet is waiting.

use super::{AckId, Args, Incoming, Limits, Packet, PacketError};
use crate::engine::Data;
use std::borrow::Cow;

/// What a message has led to.
pub(super) enum Assembled<'a> {
    /// A packet about a namespace itself.
    Control(Packet<'a>),
    /// An event or ack, complete.
    Incoming(Incoming<'a>),
}

/// The packet that waits for attachments, if one does.
#[derive(Debug, Default)]
pub(super) struct Assembly(Option<Box<Pending>>);

#[derive(Debug)]
struct Pending {
    namespace: String,
    head: Head,
    text: String,
    attachments: Vec<Vec<u8>>,
    missing: usize,
}

#[derive(Debug)]
enum Head {
    Event { id: Option<AckId>, name: String },
    Ack { id: AckId },
}

impl Assembly {
    /// Takes a message. `None`: attachments are missing yet.
    pub(super) fn handle<'a>(
        &mut self,
        data: Data<'a>,
        limits: &Limits,
    ) -> Result<Option<Assembled<'a>>, PacketError> {
        let text = match data {
            Data::Binary(bytes) => return self.attach(bytes),
            Data::Text(_) if self.0.is_some() => return Err(PacketError::UnexpectedMessage),
            Data::Text(text) => text,
        };
        match Packet::decode(text, limits)? {
            Packet::Event { namespace, id, name, args, attachments: 0 } => {
                Ok(Some(Assembled::Incoming(Incoming::event(namespace, id, name, Args::from_text(args)))))
            }
            Packet::Ack { namespace, id, args, attachments: 0 } => {
                Ok(Some(Assembled::Incoming(Incoming::ack(namespace, id, Args::from_text(args)))))
            }
            Packet::Event { namespace, id, name, args, attachments } => {
                self.wait(namespace, Head::Event { id, name: name.into_owned() }, args, attachments);
                Ok(None)
            }
            Packet::Ack { namespace, id, args, attachments } => {
                self.wait(namespace, Head::Ack { id }, args, attachments);
                Ok(None)
            }
            control => Ok(Some(Assembled::Control(control))),
        }
    }

    fn wait(&mut self, namespace: &str, head: Head, args: &str, missing: usize) {
        let (namespace, text) = (namespace.to_owned(), args.to_owned());
        self.0 = Some(Box::new(Pending { namespace, head, text, attachments: Vec::new(), missing }));
    }

    fn attach<'a>(&mut self, bytes: Cow<'a, [u8]>) -> Result<Option<Assembled<'a>>, PacketError> {
        let Some(pending) = &mut self.0 else {
            return Err(PacketError::UnexpectedMessage);
        };
        pending.attachments.push(bytes.into_owned());
        pending.missing -= 1;
        if pending.missing > 0 {
            return Ok(None);
        }
        let Some(pending) = self.0.take() else {
            return Err(PacketError::UnexpectedMessage);
        };
        let args = Args { text: Cow::Owned(pending.text), attachments: pending.attachments };
        Ok(Some(Assembled::Incoming(match pending.head {
            Head::Event { id, name } => Incoming::event(pending.namespace, id, name, args),
            Head::Ack { id } => Incoming::ack(pending.namespace, id, args),
        })))
    }
}
