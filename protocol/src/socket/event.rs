//! Events and acks as they come out of the state machines, complete with their attachments.

use super::{AckId, Args};
use std::borrow::Cow;

/// An event or ack that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// The other side has emitted an event.
    Event {
        /// The namespace it is for.
        namespace: Cow<'a, str>,
        /// Answer by an ack of this id.
        id: Option<AckId>,
        /// Its name.
        name: Cow<'a, str>,
        /// Its arguments.
        args: Args<'a>,
    },
    /// The other side has answered an event.
    Ack {
        /// The namespace it is for.
        namespace: Cow<'a, str>,
        /// The event's id.
        id: AckId,
        /// Its arguments.
        args: Args<'a>,
    },
}

impl<'a> Incoming<'a> {
    pub(super) fn event(
        namespace: impl Into<Cow<'a, str>>,
        id: Option<AckId>,
        name: impl Into<Cow<'a, str>>,
        args: Args<'a>,
    ) -> Self {
        Self::Event { namespace: namespace.into(), id, name: name.into(), args }
    }

    pub(super) fn ack(namespace: impl Into<Cow<'a, str>>, id: AckId, args: Args<'a>) -> Self {
        Self::Ack { namespace: namespace.into(), id, args }
    }

    /// The namespace it is for.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Event { namespace, .. } | Self::Ack { namespace, .. } => namespace,
        }
    }
}
