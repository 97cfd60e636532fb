//! The chat's contract: what the page and the chat application say to each other. `engine` and `socket` never import it.

use crate::contract::{Event, Never, NoAck, ToClient, ToServer};
use serde::{Deserialize, Serialize};

/// Longest name, in characters, after trimming.
pub const MAX_NAME: usize = 40;
/// Longest text of a message, in bytes.
pub const MAX_TEXT: usize = 4_000;
/// Longest key of a message, in bytes.
pub const MAX_KEY: usize = 64;

/// A person enters under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// What to be called; trimmed by the server.
    pub name: String,
}

/// The answer to [`Join`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The name as others see it: made unique if somebody had it already.
    pub name: String,
    /// Everybody who is here, oneself included, in the order in which they came.
    pub people: Vec<String>,
    /// The last messages, oldest first.
    pub history: Vec<Posted>,
}

/// A person says something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Say {
    /// Chosen by the page for this message and kept over retries: the server takes each key once.
    pub key: String,
    /// The text, never interpreted as anything else.
    pub text: String,
}

/// The answer to [`Say`]: the message is with everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The message's number, ascending.
    pub id: u64,
    /// When, in milliseconds since 1970.
    pub at: u64,
}

/// Why [`Join`] or [`Say`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refused {
    /// The name or text is empty.
    Empty,
    /// The name, text or key is too long.
    TooLong,
    /// One has to join first.
    NotJoined,
}

/// Somebody has said something; to everybody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// The message's number, ascending.
    pub id: u64,
    /// The key its author chose. Who has seen a message of that key drops this one.
    pub key: String,
    /// Its author.
    pub name: String,
    /// What was said.
    pub text: String,
    /// When, in milliseconds since 1970.
    pub at: u64,
}

/// Somebody has entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrived {
    /// Who.
    pub name: String,
}

/// Somebody has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Who.
    pub name: String,
}

impl Event for Join {
    const NAME: &'static str = "join";
    type Direction = ToServer;
    type Ack = Joined;
    type Error = Refused;
}

impl Event for Say {
    const NAME: &'static str = "say";
    type Direction = ToServer;
    type Ack = Said;
    type Error = Refused;
}

impl Event for Posted {
    const NAME: &'static str = "posted";
    type Direction = ToClient;
    type Ack = NoAck;
    type Error = Never;
}

impl Event for Arrived {
    const NAME: &'static str = "arrived";
    type Direction = ToClient;
    type Ack = NoAck;
    type Error = Never;
}

impl Event for Left {
    const NAME: &'static str = "left";
    type Direction = ToClient;
    type Ack = NoAck;
    type Error = Never;
}
