//! The transports: dumb guards around the browser's objects. What they carry and when is the client core's business.
//!
//! Each reports what happens as an [`Input`] of the core, never before the call that starts it has returned. Dropping one
//! takes its handlers off before they are freed, so nothing is reported after that. It also ends what is under way, but for
//! a script, which browsers do not abort, and a form or request that is left to finish.

mod form;
mod request;
mod script;
mod websocket;

pub(crate) use form::Form;
pub(crate) use request::{Request, say_goodbye};
pub(crate) use script::{Script, Share};
pub(crate) use websocket::WebSocket;

use encke_protocol::client::{Failure, Input};
use std::rc::Rc;

/// Where transports report to.
pub(crate) type Report = Rc<dyn Fn(Input<'_>)>;

/// What an answer is to the core: that to a GET, or that to a POST.
pub(crate) type Answered = for<'a> fn(Result<&'a str, Failure>) -> Input<'a>;

/// The browser did not even try: the address is not allowed, or not one.
pub(crate) struct NotStarted;
