//! One WebSocket.

use super::{NotStarted, Report};
use crate::js::{self, Handler};
use encke_protocol::client::Input;
use encke_protocol::engine::Data;
use std::borrow::Cow;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BinaryType, MessageEvent};

/// A WebSocket that is opening or open.
pub(crate) struct WebSocket {
    socket: web_sys::WebSocket,
    /// On open, message and close. An error is always followed by a close.
    _handlers: [Handler; 3],
}

impl WebSocket {
    /// Starts to open one.
    pub(crate) fn open(url: &str, report: &Report) -> Result<Self, NotStarted> {
        let socket = web_sys::WebSocket::new(url).map_err(|_| NotStarted)?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let (opened, message, closed) = (report.clone(), report.clone(), report.clone());
        let handlers = [
            js::handler(move |_| opened(Input::WebSocketOpened)),
            js::handler(move |event| report_message(&message, event)),
            js::handler(move |_| closed(Input::WebSocketClosed)),
        ];
        let [on_open, on_message, on_close] = &handlers;
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Ok(Self { socket, _handlers: handlers })
    }

    /// Sends text. What is sent on a WebSocket that is closing is lost, as it would be a moment later.
    pub(crate) fn send_text(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }

    /// Sends bytes; see [`Self::send_text`].
    pub(crate) fn send_binary(&self, bytes: &[u8]) {
        // A copy outside the wasm memory: where that is shared between threads, browsers refuse to send from it.
        let _ = self.socket.send_with_js_u8_array(&js_sys::Uint8Array::from(bytes));
    }
}

fn report_message(report: &Report, event: JsValue) {
    let data = event.unchecked_into::<MessageEvent>().data();
    match data.as_string() {
        Some(text) => report(Input::WebSocketMessage(Data::Text(&text))),
        None => {
            let bytes = js::bytes(&js_sys::Uint8Array::new(&data));
            report(Input::WebSocketMessage(Data::Binary(Cow::Owned(bytes))));
        }
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        // Fails only for a close code that is not allowed, and none is given.
        let _ = self.socket.close();
    }
}
