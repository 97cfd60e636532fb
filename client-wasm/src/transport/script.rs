//! One script of JSONP, which calls a function of the page with a payload.
//!
//! Owns what it puts into the page, and takes it out. Browsers abort no script. What is dropped meanwhile still finds its
//! function, which keeps what it is given and does no more; on a network that swallows everything it is there for minutes,
//! and browsers open six connections to a host. So a client leaves [few](MOST) of them behind. A page's `load` waits for
//! all scripts that are in it, and a chain of polls would keep it waiting for ever: the first waits for it instead. Forms
//! need not, as they come after it.

use super::{NotStarted, Report};
use crate::js::{self, Handler};
use encke_protocol::client::{Failure, Input};
use encke_protocol::engine::jsonp::{CALLBACKS, Index};
use js_sys::{Array, Function, Object, Reflect};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Window};

/// Scripts of one client at a time, with those that have been dropped and have not ended yet.
const MOST: usize = 4;
/// What a page calls itself when its `load` has come.
const LOADED: &str = "complete";

/// The scripts of one client, each of which holds a share until it has run.
pub(crate) type Share = Rc<()>;

/// A script that is under way or has run. Dropped under way, it takes itself away when it is done.
pub(crate) struct Script {
    place: Rc<Place>,
    _on_end: Handler,
    /// Puts the script into a page that was still loading.
    on_load: Option<Handler>,
}

/// What is in the page for a script while it is under way.
struct Place {
    window: Window,
    /// Of the function.
    key: JsValue,
    script: Element,
    stage: Cell<Stage>,
    /// Until it has run.
    share: Cell<Option<Share>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// Nothing of it is in the page.
    Out,
    /// Its function is.
    Waiting,
    /// It is.
    UnderWay,
}

impl Script {
    /// Starts to load one; the payload is told when it has run. It tells the server the page's origin, which the
    /// server judges by, and nothing more of its address.
    pub(crate) fn load(url: &str, index: Index, all: &Share, report: &Report) -> Result<Self, NotStarted> {
        // One share is the client's own.
        if Rc::strong_count(all) > MOST {
            return Err(NotStarted);
        }
        let window = js::window().ok_or(NotStarted)?;
        // The browser's own function, so that none of ours has to outlive this.
        let payloads = Array::new();
        let push = Reflect::get(&payloads, &"push".into()).map_err(|_| NotStarted)?;
        let callback = push.unchecked_into::<Function>().bind0(&payloads);
        let key = JsValue::from_f64(index.0.into());
        let script = js::element("script").ok_or(NotStarted)?;
        let place = Rc::new(Place {
            window,
            key,
            script,
            stage: Cell::new(Stage::Out),
            share: Cell::new(Some(all.clone())),
        });
        let (ended, report) = (place.clone(), report.clone());
        let on_end = js::handler(move |_| {
            ended.clear();
            // One that has called nothing is an error's text, or none at all.
            let payload = payloads.get(0).as_string();
            report(Input::GetAnswered(payload.as_deref().ok_or(Failure::Failed)));
        });
        place.when_ended(on_end.as_ref());
        let mut this = Self { place, _on_end: on_end, on_load: None };
        this.place.take(url, &callback).map_err(|_| NotStarted)?;
        this.show();
        Ok(this)
    }

    /// Puts it into the page, now or when that is loaded.
    fn show(&mut self) {
        let window = &self.place.window;
        if window.document().is_some_and(|document| document.ready_state() == LOADED) {
            return self.place.show();
        }
        let waiting = self.place.clone();
        let on_load = js::handler(move |_| {
            // A page may say more than once that it is loaded.
            if waiting.stage.get() == Stage::Waiting {
                waiting.show();
            }
        });
        // Fails never: the arguments are of the right types.
        let _ = window.add_event_listener_with_callback("load", on_load.as_ref().unchecked_ref());
        self.on_load = Some(on_load);
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if let Some(on_load) = &self.on_load {
            let listener = on_load.as_ref().unchecked_ref();
            let _ = self.place.window.remove_event_listener_with_callback("load", listener);
        }
        match self.place.stage.get() {
            Stage::Out => {}
            Stage::Waiting => self.place.clear(),
            Stage::UnderWay => {
                let place = self.place.clone();
                // Frees itself when it is called.
                let clear = js::once(Box::new(move || place.clear()));
                self.place.when_ended(&clear);
            }
        }
    }
}

impl Place {
    fn take(&self, url: &str, callback: &Function) -> Result<(), JsValue> {
        // Fails where the page's policy lets no text be a script's address.
        Reflect::set(&self.script, &"src".into(), &url.into())?;
        js::set(&self.script, "referrerPolicy", &"origin".into());
        let known = Reflect::get(&self.window, &CALLBACKS.into())?;
        let callbacks = if known.is_object() { known } else { Array::new().into() };
        js::set(&self.window, CALLBACKS, &callbacks);
        Reflect::set(&callbacks, &self.key, callback)?;
        self.stage.set(Stage::Waiting);
        Ok(())
    }

    fn show(&self) {
        self.stage.set(Stage::UnderWay);
        // It is asynchronous, as all scripts are that scripts add.
        js::show(&self.script);
    }

    fn when_ended(&self, act: &JsValue) {
        js::set(&self.script, "onload", act);
        js::set(&self.script, "onerror", act);
    }

    fn clear(&self) {
        self.stage.set(Stage::Out);
        self.share.take();
        self.script.remove();
        if let Ok(callbacks) = Reflect::get(&self.window, &CALLBACKS.into())
            && let Ok(callbacks) = callbacks.dyn_into::<Object>()
        {
            // Both fail only for what others have made undeletable.
            let _ = Reflect::delete_property(&callbacks, &self.key);
            if Object::keys(&callbacks).length() == 0 {
                let _ = Reflect::delete_property(&self.window, &CALLBACKS.into());
            }
        }
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use wasm_bindgen_futures::JsFuture;
    use wasm_bindgen_test::wasm_bindgen_test;

    /// What a script of that text brings.
    async fn answer(text: &str, index: u32) -> Option<String> {
        let script = Rc::new(RefCell::new(None));
        let (started, url) = (script.clone(), ["data:text/javascript,", text].concat());
        let answered = js_sys::Promise::new(&mut |resolve, _| {
            let report: Report = Rc::new(move |input: Input<'_>| {
                let Input::GetAnswered(answer) = input else { panic!("it is one") };
                let answer = answer.map_or(JsValue::NULL, JsValue::from_str);
                // The handler of a promise never fails.
                let _ = resolve.call1(&JsValue::NULL, &answer);
            });
            *started.borrow_mut() = Script::load(&url, Index(index), &Share::default(), &report).ok();
        });
        JsFuture::from(answered).await.expect("it is never refused").as_string()
    }

    fn callbacks() -> JsValue {
        Reflect::get(&js_sys::global(), &CALLBACKS.into()).expect("the page can be asked")
    }

    fn scripts() -> u32 {
        let document = web_sys::window().and_then(|window| window.document()).expect("there is a page");
        document.get_elements_by_tag_name("script").length()
    }

    #[wasm_bindgen_test]
    async fn a_script_hands_over_its_payload_and_leaves_nothing_behind() {
        let before = scripts();
        assert_eq!(answer("___eio[4294967295](\"4%5Cu2028\")", u32::MAX).await.as_deref(), Some("4\u{2028}"));
        assert_eq!(answer("___eio[0](\"\")", 0).await.as_deref(), Some(""));
        assert!(callbacks().is_undefined());
        assert_eq!(scripts(), before);
    }

    #[wasm_bindgen_test]
    async fn a_script_that_calls_nothing_or_what_is_not_its_own_or_without_text_has_failed() {
        for text in ["0", "___eio[1]", "___eio[2].call(1)", "___eio[2](5)"] {
            assert_eq!(answer(text, 2).await, None, "{text}");
        }
        assert!(callbacks().is_undefined());
    }

    #[wasm_bindgen_test]
    async fn functions_of_others_stay() {
        let others = Array::of1(&JsValue::TRUE);
        js::set(&js_sys::global(), CALLBACKS, &others);
        assert_eq!(answer("___eio[7](\"4\")", 7).await.as_deref(), Some("4"));
        assert_eq!(callbacks(), JsValue::from(others));
        Reflect::delete_property(&js_sys::global(), &CALLBACKS.into()).expect("it is the test's");
    }

    #[wasm_bindgen_test]
    async fn a_script_that_is_dropped_frees_its_handlers_and_finds_its_function() {
        let before = scripts();
        let alive = Rc::new(());
        let held = alive.clone();
        let report: Report = Rc::new(move |_: Input<'_>| drop(held.clone()));
        let script =
            Script::load("data:text/javascript,___eio[3](\"4\")", Index(3), &Share::default(), &report);
        drop(report);
        drop(script.ok().expect("it starts"));
        assert_eq!(Rc::strong_count(&alive), 1);
        assert!(callbacks().is_object());
        all_have_ended().await;
        assert_eq!(scripts(), before);
    }

    /// Waits until every script that was dropped has run. One that is added later runs later, as far as both come from nowhere.
    async fn all_have_ended() {
        while callbacks().is_object() {
            answer("___eio[9](\"4\")", 9).await;
        }
    }

    #[wasm_bindgen_test]
    async fn few_scripts_are_left_behind_and_then_none_is_started() {
        let (all, report): (Share, Report) = (Share::default(), Rc::new(|_| {}));
        let load = |index| Script::load("data:text/javascript,0", Index(index), &all, &report);
        for index in 0..4 {
            drop(load(index).ok().expect("it starts"));
        }
        assert!(load(4).is_err());
        let other = Script::load("data:text/javascript,0", Index(5), &Share::default(), &report);
        assert!(other.is_ok(), "another client's");
        drop(other);
        all_have_ended().await;
        assert!(load(4).is_ok());
        all_have_ended().await;
    }

    #[wasm_bindgen_test]
    async fn a_script_waits_for_a_page_that_is_loading() {
        let window = js::window().expect("there is a page");
        let document = window.document().expect("there is a page");
        let loading = Object::new();
        js::set(&loading, "configurable", &JsValue::TRUE);
        js::set(&loading, "value", &"interactive".into());
        Reflect::define_property(&document, &"readyState".into(), &loading).expect("it can be replaced");
        let (before, text) = (scripts(), "data:text/javascript,___eio[3](\"4\")");
        let payload = Rc::new(RefCell::new(None));
        let told = payload.clone();
        let report: Report = Rc::new(move |input: Input<'_>| {
            let Input::GetAnswered(answer) = input else { panic!("it is one") };
            *told.borrow_mut() = answer.ok().map(str::to_owned);
        });
        let dropped = Script::load(text, Index(2), &Share::default(), &report).ok().expect("it starts");
        drop(dropped);
        assert!(callbacks().is_undefined());
        let script = Script::load(text, Index(3), &Share::default(), &report).ok().expect("it starts");
        assert_eq!(scripts(), before);
        Reflect::delete_property(&document, &"readyState".into()).expect("it is the test's");
        let load = web_sys::Event::new("load").expect("an event can be made");
        window.dispatch_event(&load).expect("it is heard");
        assert_eq!(scripts(), before + 1);
        all_have_ended().await;
        assert_eq!(payload.take().as_deref(), Some("4"));
        drop(script);
        assert_eq!(scripts(), before);
    }
}
