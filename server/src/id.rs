//! Session ids: `node.slot.random`.
//!
//! The node tells whose session it is (empty when a server is alone), the slot where it stands in that server's registry,
//! and 128 random bits make it a secret. Alphanumeric, `-`, `_` and `.` only, so it stands in a query as it is.

use std::fmt::Write;
use std::sync::Mutex;

/// Names one session among all that a server ever had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionId {
    slot: u32,
    /// As bytes, since a number of 128 bits would be aligned to 16 and every session be padded for it.
    random: [u8; 16],
}

impl SessionId {
    pub(crate) const fn new(slot: u32, random: u128) -> Self {
        Self { slot, random: random.to_ne_bytes() }
    }

    /// Reads an id that `node` gave out; none for any other text.
    pub(crate) fn decode(node: &str, text: &str) -> Option<Self> {
        let text = text.strip_prefix(node)?.strip_prefix('.')?;
        let (slot, random) = text.split_once('.')?;
        // `from_str_radix` would take a sign.
        if slot.starts_with('+') {
            return None;
        }
        let slot = u32::from_str_radix(slot, 16).ok()?;
        Some(Self::new(slot, decode_random(random)?))
    }

    pub(crate) fn encode(self, node: &str) -> String {
        let mut text = String::with_capacity(node.len() + 10 + RANDOM_DIGITS as usize);
        // A string takes everything.
        let _ = write!(text, "{node}.{:x}.", self.slot);
        encode_random(self.random(), &mut text);
        text
    }

    pub(crate) const fn slot(self) -> u32 {
        self.slot
    }

    /// Tells sessions apart that stood in the same slot one after the other. May repeat once in 2^32.
    pub(crate) const fn generation(self) -> u32 {
        self.random() as u32
    }

    const fn random(self) -> u128 {
        u128::from_ne_bytes(self.random)
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// What each byte is as a digit; [`NO_DIGIT`] for most.
const VALUES: [u8; 256] = values();
const NO_DIGIT: u8 = 0xFF;
/// 128 bits in digits of 6 bits.
const RANDOM_DIGITS: u32 = 22;

const fn values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
}

/// Writes 128 bits as 22 characters that need no escape in a URL.
pub(crate) fn encode_random(random: u128, out: &mut String) {
    out.reserve(RANDOM_DIGITS as usize);
    for digit in (0..RANDOM_DIGITS).rev() {
        out.push(char::from(DIGITS[(random >> (6 * digit)) as usize % DIGITS.len()]));
    }
}

/// Reads what [`encode_random`] has written; none for any other text.
pub(crate) fn decode_random(text: &str) -> Option<u128> {
    if text.len() != RANDOM_DIGITS as usize {
        return None;
    }
    let mut random: u128 = 0;
    for (place, byte) in text.bytes().enumerate() {
        let digit = VALUES[usize::from(byte)];
        // The first digit holds two bits: an id has one spelling.
        if digit == NO_DIGIT || (place == 0 && digit > 3) {
            return None;
        }
        random = random << 6 | u128::from(digit);
    }
    Some(random)
}

/// Random numbers from the operating system, fetched in blocks: one call for many ids.
#[derive(Debug)]
pub(crate) struct Randomness(Mutex<Block>);

#[derive(Debug)]
struct Block {
    bytes: [u8; 1_024],
    used: usize,
}

impl Randomness {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Block { bytes: [0; 1_024], used: 1_024 }))
    }

    /// 128 bits nobody can guess.
    ///
    /// # Panics
    /// When the operating system has no randomness: then no secret can be made.
    pub(crate) fn next(&self) -> u128 {
        let mut block = crate::lock(&self.0);
        if block.used + 16 > block.bytes.len() {
            getrandom::fill(&mut block.bytes).expect("the operating system provides randomness");
            block.used = 0;
        }
        let used = block.used;
        block.used += 16;
        let mut number = [0; 16];
        number.copy_from_slice(&block.bytes[used..used + 16]);
        // Given out once and not kept: memory read later tells no id.
        block.bytes[used..used + 16].fill(0);
        u128::from_ne_bytes(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back() {
        for random in [0, 1, u128::MAX, 0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF] {
            for (node, slot) in [("", 0), ("a", 35), ("node-7", u32::MAX)] {
                let id = SessionId::new(slot, random);
                assert_eq!(SessionId::decode(node, &id.encode(node)), Some(id));
            }
        }
        assert_eq!(SessionId::new(31, 1).encode("n"), "n.1f.AAAAAAAAAAAAAAAAAAAAAB");
    }

    #[test]
    fn what_this_node_never_gave_out_is_no_id() {
        for text in [
            "",
            ".",
            "..",
            "0.AAAAAAAAAAAAAAAAAAAAAB",
            ".+0.AAAAAAAAAAAAAAAAAAAAAB",
            ".0.AAAAAAAAAAAAAAAAAAAAA",
            ".0.AAAAAAAAAAAAAAAAAAAAABB",
            ".0.EAAAAAAAAAAAAAAAAAAAAA",
            ".0.AAAAAAAAAAAAAAAAAAAA%B",
            ".100000000.AAAAAAAAAAAAAAAAAAAAAB",
            "other.0.AAAAAAAAAAAAAAAAAAAAAB",
            "ä.ö.ü",
        ] {
            assert_eq!(SessionId::decode("", text), None, "{text}");
        }
    }

    #[test]
    fn random_numbers_differ_within_and_across_blocks() {
        let randomness = Randomness::new();
        let mut numbers: Vec<u128> = (0..1_000).map(|_| randomness.next()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 1_000);
    }
}
