//! What passes between the core and its driver: [`Input`] one way, [`Output`] the other.

use super::{Event, PassedOver};
use crate::engine::jsonp::Index;
use crate::engine::{Data, RequestError};

/// What happens to a client.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The application wants to be connected; without waiting any longer, if it is waiting.
    Connect,
    /// The application wants to be disconnected, for good.
    Disconnect,
    /// Nobody will be there for a while, or ever again: the page is being left. Ends the session, keeps what is queued.
    Pause,
    /// A good moment to try again: the network is back, the page is visible.
    RetryNow,
    /// The WebSocket is open.
    WebSocketOpened,
    /// The WebSocket has brought a message.
    WebSocketMessage(Data<'a>),
    /// The WebSocket has ended or never opened.
    WebSocketClosed,
    /// The GET, or the script, is answered: with that payload, or with anything but success.
    GetAnswered(Result<&'a str, Failure>),
    /// The POST, or the form, is answered, with success or not.
    PostAnswered(Result<(), Failure>),
    /// [`super::Client::next_deadline`] has come.
    Timeout,
}

/// What an HTTP request got in place of success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer, one that cannot be read, or one that says that something is wrong.
    Failed,
    /// The server does not want this client, or no page of this origin.
    Forbidden,
}

/// What an answer of that status (0 when there was none) and body means: its body, if it is one of success.
///
/// # Errors
/// [`Failure::Forbidden`] only in the words of Engine.IO: what a proxy forbids, another transport may still do.
pub fn judge(status: u16, body: &str) -> Result<&str, Failure> {
    let forbidden = RequestError::Forbidden;
    match status {
        200..=299 => Ok(body),
        // The words behind the code are the server's choice.
        _ if status == forbidden.status() && body.starts_with(r#"{"code":4,"#) => Err(Failure::Forbidden),
        _ => Err(Failure::Failed),
    }
}

/// A last request, whose answer nobody waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goodbye {
    /// Where to.
    pub url: String,
    /// What: the body of a POST, or the form's field.
    pub body: String,
    /// Whether it is a form, as in [`Output::SubmitForm`].
    pub form: bool,
}

/// What the driver has to do.
#[derive(Debug)]
pub enum Output<A> {
    /// Open a WebSocket. There is at most one at a time.
    OpenWebSocket(String),
    /// Send text on the WebSocket.
    SendText(String),
    /// Send bytes on the WebSocket.
    SendBinary(Vec<u8>),
    /// Close the WebSocket and forget it.
    CloseWebSocket,
    /// Start a GET of that URL. There is at most one at a time, of this kind or the next.
    Get(String),
    /// Load a script from that URL, which calls that function of the page with a payload.
    LoadScript {
        /// Where from.
        url: String,
        /// Which function: one that no other session uses.
        index: Index,
    },
    /// Start a POST to that URL, `text/plain;charset=UTF-8`. There is at most one at a time, of this kind or the next.
    Post {
        /// Where to.
        url: String,
        /// What.
        body: String,
    },
    /// Submit a form to that URL.
    SubmitForm {
        /// Where to.
        url: String,
        /// The value of its one field, [`crate::engine::jsonp::FIELD`], before it is percent-encoded.
        field: String,
    },
    /// The session is over: close the WebSocket and forget it and the requests. They are aborted, unless there is a
    /// goodbye: a GET that breaks off would end the session on the server before the goodbye is there.
    End {
        /// A last POST that tells the server so. If a POST is under way, it is let finish and this one follows.
        goodbye: Option<Goodbye>,
    },
    /// Keep this, in place of what was kept before, for the next client of this server and tab ([`super::Client::pass_over`]):
    /// what is passed over, and for how many milliseconds from now.
    Remember(Vec<(PassedOver, u64)>),
    /// Tell the application.
    Event(Event<A>),
}
