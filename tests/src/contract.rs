//! The typed events of the program `peer`, which the browser client's tests talk to. Both include this file.

use encke_protocol::contract::{BothWays, Event, Never, NoAck, ToClient, ToServer};
use serde::{Deserialize, Serialize};

/// A client asks for a sum; refused when there is none in 32 bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Add {
    /// One number.
    pub a: u32,
    /// The other.
    pub b: u32,
}

/// A client wants to be asked a [`Question`]; the ack is what it has answered to that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskMe {
    /// The text of the question.
    pub text: String,
}

/// The server asks a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What it wants to know.
    pub text: String,
}

/// A client wants as many [`Notice`]s, numbered from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The last number.
    pub to: u32,
}

/// From a client it goes on to all others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// A number.
    pub number: u32,
    /// Some text.
    pub text: String,
}

impl Event for Add {
    const NAME: &'static str = "add";
    type Direction = ToServer;
    type Ack = u32;
    type Error = String;
}

impl Event for AskMe {
    const NAME: &'static str = "ask-me";
    type Direction = ToServer;
    type Ack = String;
    type Error = String;
}

impl Event for Question {
    const NAME: &'static str = "question";
    type Direction = ToClient;
    type Ack = String;
    type Error = String;
}

impl Event for Count {
    const NAME: &'static str = "count";
    type Direction = ToServer;
    type Ack = NoAck;
    type Error = Never;
}

impl Event for Notice {
    const NAME: &'static str = "notice";
    type Direction = BothWays;
    type Ack = NoAck;
    type Error = Never;
}
