//! What one client has open: at most a WebSocket, a GET and a POST, or a script and a form in place of those.
//!
//! Owns them and does what the client core orders. Decides nothing.

use crate::transport::{Form, NotStarted, Report, Request, Script, Share, WebSocket, say_goodbye};
use crate::waiter::Waiter;
use encke_protocol::client::{Failure, Goodbye, Input, Output};

const GET_FAILED: Input<'static> = Input::GetAnswered(Err(Failure::Failed));
const POST_FAILED: Input<'static> = Input::PostAnswered(Err(Failure::Failed));

/// Everything that is open.
pub(crate) struct Connection {
    report: Report,
    websocket: Option<WebSocket>,
    get: Option<Request>,
    post: Option<Request>,
    script: Option<Script>,
    scripts: Share,
    form: Option<Form>,
}

impl Connection {
    /// Nothing is open yet; what will be reports to `report`.
    pub(crate) fn new(report: Report) -> Self {
        let scripts = Share::default();
        Self { report, websocket: None, get: None, post: None, script: None, scripts, form: None }
    }

    /// Does it. What the browser does not even start has failed at once: that is for the core to know.
    pub(crate) fn perform(&mut self, order: Output<Waiter>) -> Option<Input<'static>> {
        match order {
            Output::OpenWebSocket(url) => {
                let opened = WebSocket::open(&url, &self.report);
                keep(&mut self.websocket, opened, Input::WebSocketClosed)
            }
            Output::SendText(text) => {
                self.websocket.as_ref()?.send_text(&text);
                None
            }
            Output::SendBinary(bytes) => {
                self.websocket.as_ref()?.send_binary(&bytes);
                None
            }
            Output::CloseWebSocket => {
                self.websocket = None;
                None
            }
            Output::Get(url) => keep(&mut self.get, Request::get(&url, &self.report), GET_FAILED),
            Output::Post { url, body } => {
                keep(&mut self.post, Request::post(&url, &body, &self.report), POST_FAILED)
            }
            Output::LoadScript { url, index } => {
                keep(&mut self.script, Script::load(&url, index, &self.scripts, &self.report), GET_FAILED)
            }
            Output::SubmitForm { url, field } => {
                keep(&mut self.form, Form::submit(&url, &field, &self.report), POST_FAILED)
            }
            Output::End { goodbye } => {
                self.end(goodbye);
                None
            }
            // No business of a connection.
            Output::Remember(_) | Output::Event(_) => None,
        }
    }

    fn end(&mut self, goodbye: Option<Goodbye>) {
        let (get, post, form) = (self.get.take(), self.post.take(), self.form.take());
        (self.websocket, self.script) = (None, None);
        let Some(goodbye) = goodbye else {
            return;
        };
        // A GET that breaks off ends the session on the server, with all that is on its way there. The server answers it
        // when it hears the goodbye. A script does not break off.
        if let Some(get) = get {
            get.leave();
        }
        let say = Box::new(move || say_goodbye(&goodbye));
        match (post, form) {
            (Some(post), _) => post.finish_with(say),
            (None, Some(form)) => form.finish_with(say),
            (None, None) => say(),
        }
    }
}

fn keep<T>(
    slot: &mut Option<T>,
    started: Result<T, NotStarted>,
    failed: Input<'static>,
) -> Option<Input<'static>> {
    *slot = started.ok();
    slot.is_none().then_some(failed)
}
