//! The transports: dumb guards around the browser's objects. What they carry and when is the client core's business.
//!
//! Each reports what happens as an [`Input`] of the core. Dropping one takes its handlers off before they are freed and
//! ends what is under way, so nothing is reported after that.

mod form;
mod request;
mod script;
mod websocket;

pub(crate) use form::Form;
pub(crate) use request::{Request, say_goodbye};
pub(crate) use script::Script;
pub(crate) use websocket::WebSocket;

use encke_protocol::client::Input;
use std::rc::Rc;

/// Where transports report to.
pub(crate) type Report = Rc<dyn Fn(Input<'_>)>;

/// The browser did not even try: the address is not allowed, or not one.
pub(crate) struct NotStarted;
