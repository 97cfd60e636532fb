//! Connection state recovery: what a client says that comes back, and the offset that every event without ack id carries
//! as its last argument.
//!
//! Owns how both look on the wire. What was missed is the server's to know.

use crate::json;
use std::borrow::Cow;

/// What a client that comes back says in the auth object of its CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comeback<'a> {
    /// The private id of its session, as CONNECT was once answered with.
    pub pid: Cow<'a, str>,
    /// Up to where it has received.
    pub since: Since,
}

/// Up to where a client says that it has received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// It has never received an event.
    Start,
    /// Up to the event that carried this offset.
    Offset(Offset),
    /// It names what is no offset: nobody knows.
    Unknown,
}

/// A position in the log of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// Tells logs apart; [`Self::EPOCH_BITS`] bits.
    pub epoch: u64,
    /// Counts events in that log.
    pub position: u64,
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const DIGIT_BITS: u32 = 6;
const EPOCH_DIGITS: usize = (Offset::EPOCH_BITS / DIGIT_BITS) as usize;

impl<'a> Comeback<'a> {
    /// Reads it out of an auth object. None: the client does not want anything back.
    pub fn decode(auth: &'a str) -> Option<Self> {
        let pid = json::string(json::field(auth, "pid")?).ok()?;
        let since = match json::field(auth, "offset") {
            None | Some("null") => Since::Start,
            Some(offset) => {
                let offset = json::string(offset).ok();
                offset.and_then(|text| Offset::decode(&text)).map_or(Since::Unknown, Since::Offset)
            }
        };
        Some(Self { pid, since })
    }
}

impl Offset {
    /// Bits of an epoch that count.
    pub const EPOCH_BITS: u32 = 48;

    /// Writes it: letters, digits, `-` and `_`, 9 to 19 of them, which JSON does not escape.
    pub fn encode(self, out: &mut String) {
        push_digits(self.epoch, EPOCH_DIGITS, out);
        let bits = u64::BITS - self.position.leading_zeros();
        push_digits(self.position, (bits.div_ceil(DIGIT_BITS) as usize).max(1), out);
    }

    /// Reads what [`Self::encode`] has written; none for any other text.
    pub fn decode(text: &str) -> Option<Self> {
        let (epoch, position) = text.as_bytes().split_at_checked(EPOCH_DIGITS)?;
        // A number has one spelling.
        let padded = position.len() > 1 && position.first() == DIGITS.first();
        if position.is_empty() || padded {
            return None;
        }
        Some(Self { epoch: number(epoch)?, position: number(position)? })
    }
}

fn push_digits(number: u64, count: usize, out: &mut String) {
    for digit in (0..count).rev() {
        let digit = number >> (digit as u32 * DIGIT_BITS);
        out.push(char::from(DIGITS[digit as usize % DIGITS.len()]));
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for digit in digits {
        let value = DIGITS.iter().position(|known| known == digit)?;
        if number.leading_zeros() < DIGIT_BITS {
            return None;
        }
        number = number << DIGIT_BITS | value as u64;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn an_offset_is_read_back_and_has_one_spelling() {
        for (epoch, position, text) in [
            (0, 0, "AAAAAAAAA"),
            (1, 63, "AAAAAAAB_"),
            (0xFFFF_FFFF_FFFF, 64, "________BA"),
            (0x0123_4567_89AB, u64::MAX, "ASNFZ4mrP__________"),
        ] {
            let offset = Offset { epoch, position };
            let mut encoded = String::new();
            offset.encode(&mut encoded);
            assert_eq!(encoded, text);
            assert_eq!(Offset::decode(text), Some(offset));
        }
    }

    #[test]
    fn what_was_never_written_is_no_offset() {
        for text in [
            "",
            "AAAAAAAA",
            "AAAAAAAAAA",
            "AAAAAAAAAB",
            "AAAAAAA AB",
            "ääääää",
            "AAAAAAAAB\0",
            "AAAAAAAAQAAAAAAAAAA",
        ] {
            assert_eq!(Offset::decode(text), None, "{text}");
        }
    }
}
