//! The order of the conversation, and that no message is in it twice.
//!
//! What the server confirmed stands in the server's order; what it has not confirmed follows, in the order it was written. So
//! everybody ends up with the same order, and one's own line appears at once. Pure, as all of [`update`](super).

use encke_protocol::chat::{Posted, Say};
use encke_protocol::list;

use crate::model::{Content, Failure, Fate, Line, Message, Model};

/// Lines kept on screen. Enough for a day's talk, and the page stays quick.
const MAX_LINES: usize = 1_000;

/// Lines kept while somebody reads back: taking away the oldest would move the text under their eyes.
const MAX_LINES_READING: usize = 2_000;

/// Puts a message from the server in its place. True if it is somebody else's and was not known. Only in the history can it
/// be one's own of before a reload: an unknown one that is said now comes from a tab that was duplicated with this one's
/// `author`.
pub fn merge(model: &mut Model, posted: Posted, history: bool) -> bool {
    if find(model, &posted.key).is_some() {
        // One's own whose answer was lost, or the history repeating what is on screen.
        confirm(model, &posted.key, posted.at);
        return false;
    }
    let mine = history && !model.author.is_empty() && posted.key.starts_with(&model.author);
    let fate = if mine { Fate::Sent } else { Fate::Other };
    let Posted { key, name, text, at, .. } = posted;
    insert(model, Content::Message(Message { key, name, text, at, fate }));
    !mine
}

/// Adds one's own message, at the end until the server confirms it.
pub fn write(model: &mut Model, say: &Say, now: u64) {
    let Say { key, text } = say.clone();
    let name = model.name.clone();
    let number = number(model);
    let message = Message { key, name, text, at: now, fate: Fate::Pending };
    model.lines.push(Line { number, content: Content::Message(message) });
    trim(model);
}

/// The server has the message of that key, since `at`. Nothing changes for a message that is not one's own.
pub fn confirm(model: &mut Model, key: &str, at: u64) {
    let Some(from) = find(model, key) else { return };
    let Some(message) = message_at(model, from) else { return };
    if matches!(message.fate, Fate::Other | Fate::Sent) {
        return;
    }
    message.fate = Fate::Sent;
    message.at = at;
    if let Some(line) = list::take(&mut model.lines, from) {
        let to = confirmed_end(model);
        list::put(&mut model.lines, to, line);
    }
}

/// The message of that key was not sent. Nothing changes unless it is pending.
pub fn fail(model: &mut Model, key: &str, failure: Failure) {
    let Some(at) = find(model, key) else { return };
    if let Some(message) = message_at(model, at)
        && message.fate == Fate::Pending
    {
        message.fate = Fate::Failed(failure);
    }
}

/// Makes a failed message pending again, under its old key, and returns what to send.
pub fn revive(model: &mut Model, number: u32) -> Option<Say> {
    let at = model.lines.iter().position(|line| line.number == number)?;
    let message = message_at(model, at)?;
    if !matches!(message.fate, Fate::Failed(_)) {
        return None;
    }
    message.fate = Fate::Pending;
    let line = list::take(&mut model.lines, at)?;
    let say = line.message().map(to_say);
    model.lines.push(line);
    say
}

/// Everything that waits for the server's word, in the order it was written.
pub fn pending(model: &Model) -> impl Iterator<Item = Say> {
    model.lines.iter().filter(|line| line.is_pending()).filter_map(Line::message).map(to_say)
}

/// Adds a line about somebody coming or going.
pub fn note(model: &mut Model, content: Content) {
    insert(model, content);
}

/// Takes away the newest line if it says that `name` left: they only loaded the page again. True if it did.
pub fn take_back_left(model: &mut Model, name: &str) -> bool {
    let end = confirmed_end(model);
    let Some(at) = end.checked_sub(1) else { return false };
    match model.lines.get(at) {
        Some(Line { content: Content::Left(left), .. }) if left == name => {
            list::take(&mut model.lines, at);
            true
        }
        _ => false,
    }
}

/// Takes away the newest lines as far as they say that somebody left, and returns who.
pub fn take_back_departures(model: &mut Model) -> Vec<String> {
    let end = confirmed_end(model);
    let mut names = Vec::new();
    while let Some(at) = end.checked_sub(names.len() + 1) {
        let Some(Line { content: Content::Left(name), .. }) = model.lines.get(at) else { break };
        names.push(name.clone());
        list::take(&mut model.lines, at);
    }
    names
}

/// Drops the oldest lines above the limit.
pub fn trim(model: &mut Model) {
    let limit = if model.reading.at_end { MAX_LINES } else { MAX_LINES_READING };
    let excess = model.lines.len().saturating_sub(limit);
    model.lines.drain(..excess);
}

fn to_say(message: &Message) -> Say {
    Say { key: message.key.clone(), text: message.text.clone() }
}

fn insert(model: &mut Model, content: Content) {
    let number = number(model);
    let at = confirmed_end(model);
    list::put(&mut model.lines, at, Line { number, content });
    trim(model);
}

/// Where the lines end that the server has confirmed.
fn confirmed_end(model: &Model) -> usize {
    model.lines.iter().rposition(|line| !line.is_pending()).map_or(0, |last| last + 1)
}

fn number(model: &mut Model) -> u32 {
    let number = model.next_line;
    model.next_line = number.wrapping_add(1);
    number
}

/// Newest first: what is looked for is nearly always near the end.
fn find(model: &Model, key: &str) -> Option<usize> {
    model.lines.iter().rposition(|line| line.message().is_some_and(|message| message.key == key))
}

fn message_at(model: &mut Model, at: usize) -> Option<&mut Message> {
    match model.lines.get_mut(at) {
        Some(Line { content: Content::Message(message), .. }) => Some(message),
        _ => None,
    }
}
