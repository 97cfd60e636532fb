//! Packets as msgpack instead of text: what the npm package `socket.io-msgpack-parser` and its likes in other languages
//! speak. A packet is one binary message, a map of `type`, `nsp`, `data` and perhaps `id`; binary stands where it belongs
//! and not behind the packet.
//!
//! Owns the way from that form to ours and back: arguments as JSON text, with placeholders for attachments. So nobody
//! above sees which form a client speaks. Pages never call it, and it is in none.
//!
//! | msgpack | here |
//! |---|---|
//! | nil, booleans, strings | the same |
//! | integers, floats | numbers; not-a-number and the infinities are `null`, as JavaScript has it |
//! | arrays; maps whose keys are strings or integers | arrays, objects |
//! | bin, and ext 0 of variable length (an `ArrayBuffer`) | a placeholder and an attachment |
//! | fixext 1 of type 0 (`undefined`) | `null`; in a map the entry is left out |
//! | fixext 8 of type 0 (a `Date`) | the string that `Date.toJSON` makes of it |
//! | any other ext | an array of its type and a placeholder, as the package reads it |

mod date;
mod decode;
mod encode;

pub(super) use decode::decode;
pub use encode::encode;

use super::Incoming;

/// A packet that has been decoded. It owns what it carries.
#[derive(Debug)]
pub(super) enum Message {
    Connect {
        namespace: String,
        data: Option<String>,
    },
    Disconnect {
        namespace: String,
    },
    Incoming(Incoming<'static>),
    /// Only servers send it.
    ConnectError,
}

/// The numbers of `type`; attachments make no difference.
const CONNECT: u64 = 0;
const DISCONNECT: u64 = 1;
const EVENT: u64 = 2;
const ACK: u64 = 3;
const CONNECT_ERROR: u64 = 4;
