//! What passes between the core and its driver: [`Input`] one way, [`Output`] the other.

use super::Event;
use crate::engine::Data;

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
    /// The GET is answered: with that body, or with anything but success.
    GetAnswered(Result<&'a str, ()>),
    /// The POST is answered, with success or not.
    PostAnswered(Result<(), ()>),
    /// [`super::Client::next_deadline`] has come.
    Timeout,
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
    /// Start a GET of that URL. There is at most one at a time.
    Get(String),
    /// Start a POST to that URL, `text/plain;charset=UTF-8`. There is at most one at a time.
    Post {
        /// Where to.
        url: String,
        /// What.
        body: String,
    },
    /// The session is over: close the WebSocket and forget it and the requests. They are aborted, unless there is a
    /// goodbye: a GET that breaks off would end the session on the server before the goodbye is there.
    End {
        /// URL and body of a last POST that tells the server so. If a POST is under way, it is let finish and this
        /// one follows; nobody waits for its answer.
        goodbye: Option<(String, String)>,
    },
    /// Tell the application.
    Event(Event<A>),
}
