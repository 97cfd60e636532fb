//! What is said in the chat and who has read it.
//!
//! Clients are the writers, then the readers. Messages are numbered from 1 on and said by the writers in turn; those that only
//! fill the history have the number 0 and count for nothing.

use super::page;
use crate::clock::{MILLISECOND, Nanos, SECOND, now};
use crate::crowd::{ClientId, Crowd, Work};
use crate::ledger::Ledger;
use crate::text::{DIGITS, Outgoing, number};
use anyhow::{Result, bail};
use memchr::memmem;

/// Joining and filling the history take so long at most.
const PATIENCE: Nanos = 60 * SECOND;
/// The ack id of a join. Those of messages are larger.
const JOIN: u32 = 0;

pub(super) struct Talk {
    writers: u32,
    readers: u32,
    /// How many have entered the chat.
    entered: usize,
    /// Messages that were sent, and those of them that the chat has acknowledged.
    said: u32,
    confirmed: u32,
    text: Outgoing,
    /// What makes keys of this run different from those of another.
    run: Nanos,
    pub(super) ledger: Ledger,
    /// The number that each reader has last read of each writer.
    last: Vec<u32>,
    pub(super) out_of_order: i64,
}

impl Talk {
    pub(super) fn new(writers: u32, readers: u32, payload: usize) -> Self {
        Self {
            writers,
            readers,
            entered: 0,
            said: 0,
            confirmed: 0,
            text: Outgoing::new("", payload, r#""}]"#),
            run: now(),
            ledger: Ledger::new(None),
            last: vec![0; writers as usize * readers as usize],
            out_of_order: 0,
        }
    }

    /// Waits until everybody has entered, and says so many messages.
    pub(super) fn fill_history(&mut self, crowd: &mut Crowd, messages: u32) -> Result<()> {
        let sockets = crowd.everybody().filter(|who| crowd.is_socket_io(*who)).count();
        self.wait(crowd, "not everybody could enter", |talk| talk.entered == sockets)?;
        for _ in 0..messages {
            self.post(crowd, 0);
            crowd.net.write();
        }
        self.wait(crowd, "the history could not be filled", |talk| talk.unconfirmed() == 0)?;
        // What polling readers have not fetched yet.
        crowd.serve(self, now() + SECOND);
        Ok(())
    }

    fn wait(&mut self, crowd: &mut Crowd, otherwise: &str, done: impl Fn(&Self) -> bool) -> Result<()> {
        let end = now() + PATIENCE;
        while !done(self) {
            if now() > end || crowd.tally.errors > 0 {
                bail!("{otherwise}: {}", crowd.tally.first_error.as_deref().unwrap_or("it takes too long"));
            }
            crowd.turn(self, now() + 50 * MILLISECOND);
        }
        Ok(())
    }

    /// The next message, which was due at that time.
    pub(super) fn say(&mut self, crowd: &mut Crowd, due: Nanos) {
        let number = self.ledger.send(due, self.readers as usize);
        self.post(crowd, number);
    }

    fn post(&mut self, crowd: &mut Crowd, number: u32) {
        let writer = ClientId::of((number.wrapping_sub(1) % self.writers) as usize);
        self.said += 1;
        let key = format!("{:016x}{:016x}", self.run, self.said);
        let mut packet = format!(r#"42{}["say",{{"key":"{key}","text":""#, self.said).into_bytes();
        packet.extend_from_slice(self.text.numbered(number));
        crowd.send(writer, &packet);
    }

    pub(super) fn unconfirmed(&self) -> i64 {
        i64::from(self.said) - i64::from(self.confirmed)
    }

    /// The last number that this reader has read of the writer of that one.
    fn last(&mut self, reader: usize, number: u32) -> &mut u32 {
        let writer = ((number - 1) % self.writers) as usize;
        &mut self.last[reader * self.writers as usize + writer]
    }

    fn read(&mut self, reader: usize, number: u32, now: Nanos) {
        let writers = self.writers;
        let last = self.last(reader, number);
        let next = if *last == 0 { (number - 1) % writers + 1 } else { *last + writers };
        *last = number;
        self.out_of_order += i64::from(number != next);
        self.ledger.deliver(number, now);
    }

    fn reader(&self, who: ClientId) -> Option<usize> {
        who.index().checked_sub(self.writers as usize)
    }
}

impl Work for Talk {
    fn joined(&mut self, crowd: &mut Crowd, who: ClientId) {
        if crowd.is_socket_io(who) {
            let role = if self.reader(who).is_some() { "reader" } else { "writer" };
            let packet = format!(r#"42{JOIN}["join",{{"name":"{role} {}"}}]"#, who.index());
            crowd.send(who, packet.as_bytes());
            crowd.post(who);
        }
    }

    fn ack(&mut self, crowd: &mut Crowd, who: ClientId, id: u32, array: &[u8], _now: Nanos) {
        if id == JOIN && array.ends_with(br#""history":[]}]"#) {
            self.entered += 1;
        } else if id != JOIN && array.starts_with(br#"[{"id":"#) {
            self.confirmed += 1;
        } else {
            crowd.unexpected(who, "an ack (is it a new chat?)", array);
        }
    }

    fn event(&mut self, crowd: &mut Crowd, who: ClientId, array: &[u8], now: Nanos) {
        if array.starts_with(br#"["arrived""#) {
            return;
        }
        let number = array.starts_with(br#"["posted""#).then(|| text_number(array)).flatten();
        match (number, self.reader(who)) {
            (None, _) => crowd.unexpected(who, "an event", array),
            (Some(0), _) | (_, None) => {}
            (Some(number), Some(reader)) => self.read(reader, number, now),
        }
    }

    fn page(&mut self, crowd: &mut Crowd, who: ClientId, page: &[u8], now: Nanos) {
        let Some(reader) = self.reader(who) else { return crowd.unexpected(who, "a page", page) };
        for number in page::numbers(page) {
            match number {
                None => return crowd.unexpected(who, "a page of another chat", page),
                Some(number) if number > 0 && number > *self.last(reader, number) => {
                    self.read(reader, number, now)
                }
                Some(_) => {}
            }
        }
    }
}

/// The number of a message that was posted.
fn text_number(array: &[u8]) -> Option<u32> {
    const BEFORE: &[u8] = br#""text":""#;
    let at = memmem::find(array, BEFORE)? + BEFORE.len();
    number(array.get(at..at + DIGITS)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_posted_message_has_the_number_that_its_text_begins_with() {
        let posted = br#"["posted",{"id":9,"key":"k","name":"Ann","text":"0000000042xxxxxx","at":1}]"#;
        assert_eq!(text_number(posted), Some(42));
        assert_eq!(text_number(br#"["posted",{"id":9,"text":"hello"}]"#), None);
    }

    #[test]
    fn what_a_reader_has_read_is_in_order_for_each_writer() {
        let mut talk = Talk::new(2, 3, 16);
        for number in [2, 1, 4, 3] {
            talk.read(1, number, 0);
        }
        assert_eq!(talk.out_of_order, 0, "the writers' messages may be mixed");
        talk.read(1, 7, 0);
        assert_eq!(talk.out_of_order, 1, "5 was left out");
        talk.read(0, 3, 0);
        assert_eq!(talk.out_of_order, 2, "1 was left out by somebody else");
    }
}
