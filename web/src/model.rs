//! What the page knows. Plain data: no DOM, no clock, no connection.
//!
//! [`update`](crate::update) is the only writer, [`view`](crate::view) the only reader that draws. Times are the server's
//! milliseconds since the Unix epoch, or this computer's for a line that the server has not stamped yet.

use encke_protocol::chat::Refused;
use encke_protocol::client::{PassedOver, Transport};

/// Everything the page knows.
#[derive(Debug, PartialEq)]
pub struct Model {
    /// Where this person stands with the chat.
    pub stage: Stage,
    /// How the connection is.
    pub link: Link,
    /// The name this person chose.
    pub wanted: String,
    /// The name others see: the server makes the wanted one unique.
    pub name: String,
    /// Who is here, this person included, in the order the server told.
    pub people: Vec<String>,
    /// The conversation, oldest first: what the server confirmed in its order, then what it has not confirmed yet.
    pub lines: Vec<Line>,
    /// What of the conversation this person has seen.
    pub reading: Reading,
    /// The client holds a request to join, perhaps until there is a connection again: a second one would join twice.
    pub asked: bool,
    /// The draft in the composer is longer than the chat takes.
    pub too_long: bool,
    /// People who were here when the connection broke and have not come back: their return is not news.
    pub returning: Vec<String>,
    /// Starts the key of every message written in this tab, so that they are known as one's own after a reload.
    pub author: String,
    /// The next line's number.
    pub next_line: u32,
}

/// Where this person stands with the chat.
#[derive(Debug, PartialEq)]
pub enum Stage {
    /// Asked for a name; perhaps again, because joining failed.
    Gate { failure: Option<Failure> },
    /// A name was given, the server has not answered.
    Joining,
    /// In the chat.
    Chatting,
    /// In the chat until the connection broke. What is on screen stays, and what is written waits.
    Rejoining,
}

/// How the connection is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Link {
    /// On the way to the server.
    Connecting {
        /// What kept the attempt before from getting there.
        after: Option<Trouble>,
    },
    /// The server answers.
    Connected(Carrier),
    /// Not connected; the next try is in so many seconds.
    Waiting {
        seconds: u32,
        /// Why.
        trouble: Trouble,
    },
    /// Lost, and nothing is tried until somebody asks for it.
    Closed,
    /// The server is there, and has put this page out or does not let it in. Nothing is tried until somebody asks for it.
    Out,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It was lost, or the server is not reached.
    Away,
    /// The server does not want this page.
    Refused,
    /// Either of them: by the transports in use a browser does not tell.
    Unclear,
}

/// What carries the messages, and what does not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Carrier {
    /// The transport in use.
    pub transport: Transport,
    /// What speaks against the better ones, the best first, as far as they are not used.
    pub passed_over: [Option<PassedOver>; 2],
}

/// One entry of the conversation.
#[derive(Debug, PartialEq)]
pub struct Line {
    /// Never given twice, so that the view recognises a line wherever it has moved.
    pub number: u32,
    /// What it says.
    pub content: Content,
}

/// What a line says.
#[derive(Debug, PartialEq)]
pub enum Content {
    /// A message.
    Message(Message),
    /// Somebody came.
    Arrived(String),
    /// Somebody went.
    Left(String),
}

/// A message, from anybody.
#[derive(Debug, PartialEq)]
pub struct Message {
    /// Chosen by its author's page, the same over all retries: two messages of one key are one message.
    pub key: String,
    /// Its author.
    pub name: String,
    /// Its text, never to be taken for HTML.
    pub text: String,
    /// When it was said.
    pub at: u64,
    /// How far it got.
    pub fate: Fate,
}

/// How far a message got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Somebody else's: it arrived.
    Other,
    /// One's own, on its way or waiting for a connection.
    Pending,
    /// One's own, and the server has it.
    Sent,
    /// One's own, and the server does not have it, or did not say so.
    Failed(Failure),
}

/// Why joining or a message failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server did not answer in time.
    NoAnswer,
    /// The client did not take it: too much waits already.
    NotTaken,
    /// The server refused.
    Refused(Refused),
    /// The server answered what this page does not understand: they are of two versions.
    Malformed,
}

/// What of the conversation this person has seen.
#[derive(Debug, PartialEq)]
pub struct Reading {
    /// The end of the log is in view: new lines pull it along.
    pub at_end: bool,
    /// The page is in a background tab.
    pub hidden: bool,
    /// Messages that arrived below what is in view.
    pub below: u32,
    /// Messages that arrived while the page was hidden.
    pub unread: u32,
    /// The log holds its first lines and screen readers have passed over them: what comes now is to be read out.
    pub live: bool,
}

impl Model {
    /// A page just opened. `wanted` is the name remembered, or empty; `author` starts the keys of this tab's messages.
    pub fn new(wanted: String, author: String) -> Self {
        Self {
            stage: Stage::Gate { failure: None },
            link: Link::Connecting { after: None },
            wanted,
            name: String::new(),
            asked: false,
            too_long: false,
            people: Vec::new(),
            lines: Vec::new(),
            reading: Reading { at_end: true, hidden: false, below: 0, unread: 0, live: false },
            returning: Vec::new(),
            author,
            next_line: 0,
        }
    }
}

impl Line {
    /// The message in this line, if it is one.
    pub fn message(&self) -> Option<&Message> {
        match &self.content {
            Content::Message(message) => Some(message),
            Content::Arrived(_) | Content::Left(_) => None,
        }
    }

    /// Is this message waiting for the server's word?
    pub fn is_pending(&self) -> bool {
        self.message().is_some_and(|message| message.fate == Fate::Pending)
    }
}
