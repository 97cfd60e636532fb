//! One HTTP request of long-polling.

use super::{Answered, NotStarted, Report};
use crate::js::{self, Handler, Task};
use encke_protocol::client::{Failure, Goodbye, Input, judge};
use encke_protocol::engine::jsonp::FIELD;
use wasm_bindgen::JsCast;
use web_sys::{UrlSearchParams, XmlHttpRequest};

/// A request that is under way or answered. Dropping it aborts it.
pub(crate) struct Request {
    /// Until it is left to the browser.
    request: Option<XmlHttpRequest>,
    _on_end: Handler,
}

impl Request {
    /// Starts a GET.
    pub(crate) fn get(url: &str, report: &Report) -> Result<Self, NotStarted> {
        Self::start("GET", url, None, report, got)
    }

    /// Starts a POST. The browser sends a string as `text/plain;charset=UTF-8`, which needs no preflight on other origins.
    pub(crate) fn post(url: &str, body: &str, report: &Report) -> Result<Self, NotStarted> {
        Self::start("POST", url, Some(body), report, posted)
    }

    fn start(
        method: &str,
        url: &str,
        body: Option<&str>,
        report: &Report,
        answered: Answered,
    ) -> Result<Self, NotStarted> {
        let request = XmlHttpRequest::new().map_err(|_| NotStarted)?;
        request.open(method, url).map_err(|_| NotStarted)?;
        let (asked, report) = (request.clone(), report.clone());
        // `loadend` comes after whatever ended the request.
        let on_end = js::handler(move |_| {
            let body = asked.response_text().unwrap_or_default().unwrap_or_default();
            report(answered(judge(asked.status().unwrap_or_default(), &body)));
        });
        request.set_onloadend(Some(on_end.as_ref().unchecked_ref()));
        let sent = request.send_with_opt_str(body);
        let request = Self { request: Some(request), _on_end: on_end };
        sent.map(|()| request).map_err(|_| NotStarted)
    }

    /// Lets the request end by itself; its answer is not reported any more.
    pub(crate) fn leave(mut self) {
        if let Some(request) = self.request.take() {
            request.set_onloadend(None);
        }
    }

    /// Lets the request end by itself, if it has not yet, and then calls `then`. Its answer is not reported any more.
    pub(crate) fn finish_with(mut self, then: Task) {
        let under_way = self.request.take().filter(|request| request.ready_state() != XmlHttpRequest::DONE);
        match under_way {
            // The browser keeps the request and the handler, which frees itself, until then.
            Some(request) => request.set_onloadend(Some(js::once(then).unchecked_ref())),
            None => then(),
        }
    }
}

fn got(answer: Result<&str, Failure>) -> Input<'_> {
    Input::GetAnswered(answer)
}

fn posted(answer: Result<&str, Failure>) -> Input<'_> {
    Input::PostAnswered(answer.map(drop))
}

/// Sends a last POST whose answer nobody waits for, not even the page: a beacon leaves after it. Where there is none, or the
/// body is too long for one, a request does, and may be lost with the page.
pub(crate) fn say_goodbye(Goodbye { url, body, form }: &Goodbye) {
    let fields = if *form { UrlSearchParams::new().ok() } else { None };
    let beacon = match &fields {
        Some(fields) => {
            fields.append(FIELD, body);
            js::send_beacon(url, fields)
        }
        None => js::send_beacon(url, &body.into()),
    };
    // The server notices in any case, by the silence. A page may send a form to everybody, if not read the answer.
    if beacon != Ok(true)
        && let Ok(request) = XmlHttpRequest::new()
        && request.open("POST", url).is_ok()
    {
        let _ = match &fields {
            Some(_) => request.send_with_opt_url_search_params(fields.as_ref()),
            None => request.send_with_opt_str(Some(body)),
        };
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if let Some(request) = &self.request {
            request.set_onloadend(None);
            // Never fails, and does nothing to a request that is answered.
            let _ = request.abort();
        }
    }
}
