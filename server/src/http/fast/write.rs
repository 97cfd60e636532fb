//! Answers as bytes: the same that hyper would write.

use crate::http::answer::Reply;
use axum::http::{StatusCode, header};
use std::cell::RefCell;
use std::time::{Duration, SystemTime};

/// Begins an answer: its status and headers, but for those that [`frame`] adds.
pub(super) fn begin(reply: &Reply, out: &mut Vec<u8>) {
    let status = reply.status();
    let reason = status.canonical_reason().unwrap_or("<none>");
    for part in ["HTTP/1.1 ", status.as_str(), " ", reason, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    for (name, value) in reply.headers() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
}

/// Ends the head of an answer with a body of so many bytes. With `last`, the connection ends behind it.
pub(super) fn frame(length: usize, last: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b"content-length: ");
    decimal(length, out);
    out.extend_from_slice(b"\r\n");
    end(last, out);
}

/// A number without what it costs to format one.
fn decimal(mut number: usize, out: &mut Vec<u8>) {
    let (mut digits, mut first) = ([b'0'; 20], 20);
    while number > 0 || first == digits.len() {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&digits[first..]);
}

fn end(last: bool, out: &mut Vec<u8>) {
    if last {
        out.extend_from_slice(b"connection: close\r\n");
    }
    out.extend_from_slice(b"date: ");
    DATE.with_borrow_mut(|date| out.extend_from_slice(date.now().as_bytes()));
    out.extend_from_slice(b"\r\n\r\n");
}

/// A whole answer. True when the connection ends behind it, as it does with `last`.
pub(super) fn whole(reply: &Reply, last: bool, out: &mut Vec<u8>) -> bool {
    begin(reply, out);
    if reply.status() == StatusCode::SWITCHING_PROTOCOLS {
        end(false, out);
        return false;
    }
    let says_so = reply.headers().contains_key(header::CONNECTION);
    frame(reply.body().len(), last && !says_so, out);
    out.extend_from_slice(reply.body());
    last || says_so
}

/// The date, written once a second.
struct Date {
    text: String,
    until: SystemTime,
}

thread_local! {
    static DATE: RefCell<Date> = const { RefCell::new(Date { text: String::new(), until: SystemTime::UNIX_EPOCH }) };
}

impl Date {
    fn now(&mut self) -> &str {
        let now = SystemTime::now();
        // Also when the clock was set back.
        let is_old = now >= self.until || self.until.duration_since(now).is_ok_and(|rest| rest > SECOND);
        if is_old {
            let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            self.until = SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs() + 1);
            self.text = httpdate::fmt_http_date(now);
        }
        &self.text
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_said() {
        for number in [0, 9, 10, 1_000_000, usize::MAX] {
            let mut out = Vec::new();
            decimal(number, &mut out);
            assert_eq!(out, number.to_string().into_bytes());
        }
    }
}
