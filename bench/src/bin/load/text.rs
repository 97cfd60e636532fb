//! Texts of a given length that begin with a number, as they are sent and as they come.

/// Digits of a number.
pub(crate) const DIGITS: usize = 10;

/// A packet with such a text in it.
pub(crate) struct Outgoing {
    packet: Vec<u8>,
    at: usize,
}

impl Outgoing {
    /// The packet around a text of so many bytes.
    pub(crate) fn new(before: &str, length: usize, after: &str) -> Self {
        let packet = [before.as_bytes(), &vec![b'x'; length], after.as_bytes()].concat();
        Self { packet, at: before.len() }
    }

    /// With that number.
    pub(crate) fn numbered(&mut self, number: u32) -> &[u8] {
        put(&mut self.packet[self.at..][..DIGITS], number);
        &self.packet
    }
}

/// What comes of it.
pub(crate) struct Incoming {
    before: Vec<u8>,
    length: usize,
}

impl Incoming {
    /// An array, begun like that, whose next element is a text of so many bytes.
    pub(crate) fn new(before: &str, length: usize) -> Self {
        Self { before: before.as_bytes().to_vec(), length }
    }

    /// The number, if it is what should come.
    pub(crate) fn number(&self, array: &[u8]) -> Option<u32> {
        let (text, rest) = array.strip_prefix(&self.before[..])?.split_at_checked(self.length)?;
        number(&text[..DIGITS]).filter(|_| rest.strip_prefix(b"\"").is_some_and(is_end))
    }
}

/// Whether an array ends so behind its last argument, or after one text more: servers with recovery say there how far a client is.
pub(crate) fn is_end(rest: &[u8]) -> bool {
    rest == b"]" || rest.starts_with(b",\"") && rest.ends_with(b"\"]")
}

/// Writes a number with as many digits as there is room for.
pub(crate) fn put(out: &mut [u8], mut number: u32) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Appends a number, with as many digits as it has.
pub(crate) fn append(out: &mut Vec<u8>, number: u32) {
    let digits = number.checked_ilog10().unwrap_or(0) as usize + 1;
    let at = out.len();
    out.resize(at + digits, 0);
    put(&mut out[at..], number);
}

/// The number that those digits make.
pub(crate) fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then(|| number.wrapping_mul(10).wrapping_add(u32::from(digit)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_appended_with_the_digits_that_it_has() {
        for (number, digits) in [(0, "0"), (7, "7"), (10, "10"), (999, "999"), (u32::MAX, "4294967295")] {
            let mut out = b"42".to_vec();
            append(&mut out, number);
            assert_eq!(out, format!("42{digits}").into_bytes());
        }
    }

    #[test]
    fn a_number_travels_in_a_text_of_the_right_length() {
        for length in [16, 1_000] {
            let mut sent = Outgoing::new(r#"42["chat",""#, length, r#""]"#);
            let came = Incoming::new(r#"["chat",""#, length);
            for number in [0, 7, 4_000_000_000] {
                let packet = sent.numbered(number);
                assert_eq!(came.number(&packet[2..]), Some(number));
                assert_eq!(came.number(&packet[2..packet.len() - 1]), None, "cut");
            }
            assert_eq!(came.number(&sent.numbered(1)[1..]), None);
            let with = |rest: &str| [&sent.packet[2..sent.packet.len() - 1], rest.as_bytes()].concat();
            assert_eq!(came.number(&with(r#","W9VxoxfZB"]"#)), Some(1), "how far a client is");
            assert_eq!(came.number(&with(",3]")), None);
            assert_eq!(came.number(&Outgoing::new(r#"["chat",""#, length, r#""]"#).packet), None);
        }
    }
}
