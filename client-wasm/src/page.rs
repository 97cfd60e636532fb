//! The life of the page around a client: when trying again makes sense, and when to let go.
//!
//! Owns its listeners on `window` and `document`; dropping it takes them off. In a worker there is neither, and nothing to do.
//! Never listens to `unload`: browsers do not keep such a page for the way back.

use crate::js::{self, Handler};
use crate::transport::Report;
use encke_protocol::client::Input;
use wasm_bindgen::JsCast;
use web_sys::{Document, EventTarget, Window};

pub(crate) struct PageWatch(Vec<(EventTarget, &'static str, Handler)>);

impl PageWatch {
    pub(crate) fn new(report: Report) -> Self {
        let mut watch = Self(Vec::new());
        if let Some(window) = js::window() {
            watch.listen_to(&window, &report);
        }
        watch
    }

    fn listen_to(&mut self, window: &Window, report: &Report) {
        // A page that comes back from the browser's memory is shown again, and its session is gone.
        for name in ["online", "pageshow"] {
            let report = report.clone();
            self.listen(window, name, js::handler(move |_| report(Input::RetryNow)));
        }
        let leaving = report.clone();
        // With an open connection browsers do not keep the page.
        self.listen(window, "pagehide", js::handler(move |_| leaving(Input::Pause)));
        if let Some(document) = window.document() {
            let (seen, report) = (document.clone(), report.clone());
            let shown = js::handler(move |_| report_if_visible(&seen, &report));
            self.listen(&document, "visibilitychange", shown);
        }
    }

    fn listen(&mut self, target: &EventTarget, name: &'static str, handler: Handler) {
        // Fails never: the arguments are of the right types.
        let _ = target.add_event_listener_with_callback(name, handler.as_ref().unchecked_ref());
        self.0.push((target.clone(), name, handler));
    }
}

fn report_if_visible(document: &Document, report: &Report) {
    if !document.hidden() {
        report(Input::RetryNow);
    }
}

impl Drop for PageWatch {
    fn drop(&mut self) {
        for (target, name, handler) in &self.0 {
            let _ = target.remove_event_listener_with_callback(name, handler.as_ref().unchecked_ref());
        }
    }
}
