//! WebSocket framing (RFC 6455), the server's side: client bytes become messages, messages become server frames.
//!
//! Owns the layout of a frame and the rules of section 5: masks, fragments, control frames, close codes, UTF-8. Does no I/O,
//! knows no Engine.IO, and keeps nothing between frames but the pieces of an unfinished message ([`Decoder`]).
//!
//! Server frames carry no mask, so the same bytes go to every recipient ([`encode`]); a polling session's queue holds them
//! too and takes the header off again ([`split`]). Where it was agreed on, messages are compressed ([`deflate`]).

mod decode;
mod deflate;
mod encode;

pub(crate) use decode::{Decoded, Decoder, Message, Violation};
pub(crate) use deflate::deflate;
pub(crate) use encode::{begin, control, finish, split};

/// What a frame carries (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    const fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }
}

/// Why a WebSocket is closed, as the close frame says it (RFC 6455 section 7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseCode {
    Normal,
    GoingAway,
    Protocol,
    InvalidUtf8,
    Policy,
    TooBig,
}

impl CloseCode {
    pub(crate) const fn number(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::GoingAway => 1001,
            Self::Protocol => 1002,
            Self::InvalidUtf8 => 1007,
            Self::Policy => 1008,
            Self::TooBig => 1009,
        }
    }
}

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0F;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7F;
/// Value of the 7-bit length that says: 16 bits of length follow.
const LENGTH_16: u8 = 126;
/// Value of the 7-bit length that says: 64 bits of length follow.
const LENGTH_64: u8 = 127;
/// A control frame's payload ends here (section 5.5).
const CONTROL_LIMIT: usize = 125;
