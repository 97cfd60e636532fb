//! One form of JSONP, which posts a payload and is answered into a frame that nobody sees.
//!
//! A frame's first `load` is that of nothing: some browsers tell it while the frame is put into the page, others later. It
//! has the form submitted, so that the next one is the answer's, whatever a page may see of a frame. There may be no
//! answer at all: of a form that a page's policy forbids some browsers say nothing, nor of one that does not arrive. So
//! somebody else has to lose patience, and to drop the form. Owns what it puts into the page, and takes it out.

use super::{NotStarted, Report};
use crate::js::{self, Handler, Task};
use encke_protocol::client::{Failure, Input};
use encke_protocol::engine::jsonp::FIELD;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlFormElement, HtmlIFrameElement};

/// What a server answers to a form that it has taken.
const TAKEN: &str = "ok";
/// Milliseconds for a form that nobody waits for: of one that does not arrive some browsers never say a word.
const PATIENCE: i32 = 10_000;

/// A form that is under way or answered. Dropping it breaks it off.
pub(crate) struct Form {
    place: Rc<Place>,
    _on_load: Handler,
}

/// What is in the page for a form while it is under way.
struct Place {
    form: HtmlFormElement,
    frame: HtmlIFrameElement,
    /// Of the page's own server the answer can be read.
    own: bool,
    submitted: Cell<bool>,
    taken: Cell<bool>,
}

impl Form {
    /// Submits one. Its end is told, which is the end of its way: of another origin no page can read whether the
    /// answer is a good one. So a server ends a session whose form it refuses. Nothing is told before this returns.
    pub(crate) fn submit(url: &str, field: &str, report: &Report) -> Result<Self, NotStarted> {
        let (form, frame) = js::element("form").zip(js::element("iframe")).ok_or(NotStarted)?;
        let text = js::element("textarea").ok_or(NotStarted)?;
        js::set(&text, "name", &FIELD.into());
        js::set(&text, "value", &field.into());
        // There is one form at a time for one address: a name like no other.
        js::set(&frame, "name", &url.into());
        js::set(&form, "target", &url.into());
        js::set(&form, "action", &url.into());
        js::set(&form, "method", &"post".into());
        js::set(&form, "acceptCharset", &"utf-8".into());
        for element in [&form, &frame] {
            js::set(element, "hidden", &JsValue::TRUE);
        }
        // Fails never: a text area is no ancestor of a new form.
        let _ = form.append_child(&text);
        let place = Rc::new(Place {
            form: form.unchecked_into(),
            frame: frame.unchecked_into(),
            own: js::is_own(url),
            submitted: Cell::new(false),
            taken: Cell::new(true),
        });
        let (loaded, report) = (place.clone(), report.clone());
        let on_load = js::handler(move |_| {
            if let Some(answer) = loaded.loaded() {
                loaded.clear();
                report(Input::PostAnswered(answer));
            }
        });
        js::set(&place.frame, "onload", on_load.as_ref());
        js::show(&place.form);
        js::show(&place.frame);
        Ok(Self { place, _on_load: on_load })
    }

    /// Lets the form end by itself, for a while, and then calls `then`. Its answer is not reported any more.
    pub(crate) fn finish_with(self, then: Task) {
        let place = self.place.clone();
        if !place.taken.replace(false) {
            return then();
        }
        let (left, then) = (place.clone(), Cell::new(Some(then)));
        let on_end = js::handler(move |event| {
            // A timer has nothing to say.
            if event.is_undefined() || left.loaded().is_some() {
                left.clear();
                if let Some(then) = then.take() {
                    then();
                }
            }
        });
        // The browser keeps it with frame and timer.
        let on_end = on_end.into_js_value();
        js::set(&place.frame, "onload", &on_end);
        js::set_timeout(on_end.unchecked_ref(), PATIENCE);
    }
}

impl Place {
    /// Something has been loaded into the frame: what has come of the form, if it was the answer.
    fn loaded(&self) -> Option<Result<(), Failure>> {
        if !self.submitted.replace(true) {
            // Fails never: a policy that forbids it has the frame say so, or nobody.
            let _ = self.form.submit();
            return None;
        }
        let taken = match self.frame.content_document() {
            // Of another origin; or of the browser's own making, in place of an answer.
            None => !self.own,
            Some(document) => document
                .document_element()
                .and_then(|root| root.text_content())
                .is_some_and(|text| text == TAKEN),
        };
        Some(if taken { Ok(()) } else { Err(Failure::Failed) })
    }

    fn clear(&self) {
        self.taken.set(false);
        js::set(&self.frame, "onload", &JsValue::NULL);
        self.frame.remove();
        self.form.remove();
    }
}

impl Drop for Form {
    fn drop(&mut self) {
        if self.place.taken.get() {
            self.place.clear();
        }
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests {
    use super::*;
    use js_sys::{Function, Object, Reflect};
    use std::cell::RefCell;
    use wasm_bindgen::closure::Closure;
    use wasm_bindgen_futures::JsFuture;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn left_in_page() -> u32 {
        let document = web_sys::window().and_then(|window| window.document()).expect("there is a page");
        document.get_elements_by_tag_name("form").length()
            + document.get_elements_by_tag_name("iframe").length()
    }

    #[wasm_bindgen_test]
    async fn what_the_own_server_does_not_take_has_failed_and_nothing_is_left() {
        let before = left_in_page();
        // The server of the test's page takes no forms.
        let url = [js::origin().as_str(), "/nothing-here"].concat();
        let form = Rc::new(RefCell::new(None));
        let started = form.clone();
        let answered = js_sys::Promise::new(&mut |resolve, _| {
            let report: Report = Rc::new(move |input: Input<'_>| {
                let taken = matches!(input, Input::PostAnswered(Ok(())));
                // The handler of a promise never fails.
                let _ = resolve.call1(&JsValue::NULL, &JsValue::from_bool(taken));
            });
            *started.borrow_mut() = Form::submit(&url, "4", &report).ok();
        });
        assert_eq!(JsFuture::from(answered).await, Ok(JsValue::FALSE));
        assert_eq!(left_in_page(), before);
    }

    #[wasm_bindgen_test]
    async fn a_page_that_may_look_into_no_frame_hears_of_the_answer_alone() {
        let frames = Reflect::get(&js_sys::global(), &"HTMLIFrameElement".into()).expect("there are frames");
        let frames: Object =
            Reflect::get(&frames, &"prototype".into()).expect("of one kind").unchecked_into();
        let property = "contentDocument".into();
        let original = Object::get_own_property_descriptor(&frames, &property);
        let hidden = Object::new();
        js::set(&hidden, "configurable", &JsValue::TRUE);
        Reflect::define_property(&frames, &property, &hidden).expect("it can be replaced");
        let answers = Rc::new(RefCell::new(Vec::new()));
        let (form, submitted) = (Rc::new(RefCell::new(None)), Rc::new(Cell::new(false)));
        let (told, started, returned) = (answers.clone(), form.clone(), submitted.clone());
        let end = js_sys::Promise::new(&mut |resolve, _| {
            let (told, returned) = (told.clone(), returned.clone());
            let report: Report = Rc::new(move |_| {
                told.borrow_mut().push(returned.get());
                // The handler of a promise never fails.
                let _ = resolve.call0(&JsValue::NULL);
            });
            *started.borrow_mut() = Form::submit(&js::origin(), "4", &report).ok();
            submitted.set(true);
        });
        JsFuture::from(end).await.expect("it is never refused");
        Reflect::define_property(&frames, &property, original.unchecked_ref()).expect("as it was");
        assert_eq!(answers.take(), [true], "one, and only when it is submitted");
        drop(form);
    }

    #[wasm_bindgen_test]
    fn a_form_that_nobody_takes_is_left_only_for_a_while() {
        let before = left_in_page();
        let window = web_sys::window().expect("there is a page");
        let original = Reflect::get(&window, &"setTimeout".into()).expect("there are timers");
        let timers = Rc::new(RefCell::new(None));
        let set = timers.clone();
        let stub = Closure::<dyn Fn(Function, i32) -> i32>::new(move |act, delay| {
            *set.borrow_mut() = Some((act, delay));
            0
        });
        let report: Report = Rc::new(|_| {});
        // Nothing listens there but at 127.0.0.1.
        let url = js::origin().replace("127.0.0.1", "127.0.0.2");
        let form = Form::submit(&url, "4", &report).ok().expect("it is submitted");
        let called = Rc::new(Cell::new(false));
        let then = called.clone();
        js::set(&window, "setTimeout", stub.as_ref());
        form.finish_with(Box::new(move || then.set(true)));
        js::set(&window, "setTimeout", &original);
        let (act, delay) = timers.take().expect("a timer is set");
        assert_eq!((called.get(), left_in_page(), delay), (false, before + 2, PATIENCE));
        act.call0(&JsValue::NULL).expect("it is called");
        assert_eq!((called.get(), left_in_page()), (true, before));
    }

    #[wasm_bindgen_test]
    fn a_form_that_is_dropped_frees_its_handler_and_leaves_nothing() {
        let before = left_in_page();
        let alive = Rc::new(());
        let held = alive.clone();
        let report: Report = Rc::new(move |_| drop(held.clone()));
        let form = Form::submit(&js::origin(), "4", &report).ok().expect("it is submitted");
        drop(report);
        assert_eq!(left_in_page(), before + 2);
        drop(form);
        assert_eq!((Rc::strong_count(&alive), left_in_page()), (1, before));
    }
}
