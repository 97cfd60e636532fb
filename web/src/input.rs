//! What people do to the page, as messages: keys, clicks, scrolling, tabs, the room a keyboard leaves.
//!
//! Owns the listeners. They are put on once and live as long as the page, on elements that are never replaced. Decides nothing.

use encke_protocol::json;
use wasm_bindgen::prelude::*;
use web_sys::{Element, Event, EventTarget, KeyboardEvent, Window};

use crate::app::App;
use crate::update::Msg;
use crate::view::Page;

/// Pixels from the end of the log that still count as its end: a little less than a line.
const NEAR_END: i32 = 24;

/// Above this the page is zoomed into; a phone at rest may say a little more than 1.
const NO_ZOOM: f64 = 1.01;

/// What a browser says about a key that an input method has taken, where it does not say `isComposing` (Safari).
const KEY_OF_INPUT_METHOD: u32 = 229;

/// Puts the listeners on.
pub fn listen(app: &'static App) {
    let (page, window) = (app.page, app.outside().window());
    listen_to_gate(app, page);
    listen_to_composer(app, page);
    listen_to_log(app, page);
    listen_to_tab(app, page);
    listen_to_room(app, page, window);
    on(&page.reconnect, "click", app, |app, _| app.happen(Msg::Reconnect));
    // From here on the page answers.
    let _ = page.root.set_attribute("data-started", "");
}

/// The listener lives as long as the page. A plain function, so that there is one closure type for all of them.
fn on(target: &EventTarget, kind: &str, app: &'static App, heard: fn(&'static App, Event)) {
    let listener = Closure::<dyn FnMut(Event)>::new(move |event| heard(app, event)).into_js_value();
    // Fails for nothing that exists: the target is an element of this page or the window.
    let _ = target.add_event_listener_with_callback(kind, listener.unchecked_ref());
}

fn listen_to_gate(app: &'static App, page: &Page) {
    on(&page.entry, "submit", app, |app, event| {
        event.prevent_default();
        app.happen(Msg::Join(app.page.name.value().trim().to_owned()));
    });
}

fn listen_to_composer(app: &'static App, page: &Page) {
    on(&page.composer, "submit", app, |app, event| {
        event.prevent_default();
        say(app);
    });
    on(&page.message, "keydown", app, |app, event| {
        let key: &KeyboardEvent = event.unchecked_ref();
        let composing = key.is_composing() || key.key_code() == KEY_OF_INPUT_METHOD;
        if key.key() == "Enter" && !key.shift_key() && !composing {
            event.prevent_default();
            say(app);
        }
    });
    on(&page.message, "input", app, |app, _| {
        fit_composer(app.page);
        app.happen(Msg::Drafted(app.page.message.value().len()));
    });
}

fn say(app: &'static App) {
    let (text, outside) = (app.page.message.value(), app.outside());
    app.happen(Msg::Say { text, random: outside.random(), now: outside.now() });
}

/// The composer's box grows with its text, which the style mirrors from this attribute.
pub fn fit_composer(page: &Page) {
    if let Some(grow) = page.message.parent_element() {
        let _ = grow.set_attribute("data-text", &page.message.value());
    }
}

fn listen_to_log(app: &'static App, page: &Page) {
    on(&page.log, "scroll", app, |app, _| scrolled(app));
    on(&page.log, "click", app, |app, event| {
        if let Some(number) = retried(&event) {
            app.happen(Msg::Retry(number));
        }
    });
    on(&page.newest, "click", app, |app, _| app.happen(Msg::ReadNewest));
}

fn scrolled(app: &'static App) {
    let log = &app.page.log;
    let top = log.scroll_top();
    let below = log.scroll_height() - top - log.client_height();
    let was_at_end = app.is_at_end();
    // Away from the end only by going up: when the log just got lower, or longer, it is about to be pulled along.
    let went_up = top < app.scroll_top.replace(top);
    let at_end = below < NEAR_END || (was_at_end && !went_up);
    if at_end != was_at_end {
        app.happen(Msg::Scrolled { at_end });
    }
}

/// The number of the line whose Retry was clicked.
fn retried(event: &Event) -> Option<u32> {
    // What is clicked in the log is an element: text itself takes no clicks.
    let mut element: Element = event.target()?.unchecked_into();
    for around in [".retry", "li"] {
        element = element.closest(around).ok()??;
    }
    // Written by ourselves, so any reader of numbers will do: the smallest.
    json::unsigned(&element.get_attribute("data-line")?).and_then(|number| u32::try_from(number).ok())
}

fn listen_to_tab(app: &'static App, page: &Page) {
    on(&page.document, "visibilitychange", app, |app, _| {
        app.happen(Msg::Hidden(app.page.document.hidden()));
    });
}

fn listen_to_room(app: &'static App, page: &Page, window: &Window) {
    // The composer grew, the window turned, a keyboard came: whoever was at the end stays there.
    let resized = Closure::<dyn FnMut()>::new(move || app.keep_at_end()).into_js_value();
    if let Ok(observer) = web_sys::ResizeObserver::new(resized.unchecked_ref()) {
        observer.observe(&page.log);
    }
    if let Some(viewport) = window.visual_viewport() {
        on(&viewport, "resize", app, |app, _| fit_room(app));
        on(&viewport, "scroll", app, |app, _| fit_room(app));
    }
}

/// Gives the page the room that a phone's keyboard leaves. Not while somebody zooms in: then a part is what they want to see.
fn fit_room(app: &App) {
    let Some(viewport) = app.outside().window().visual_viewport() else { return };
    let style = app.page.root.style();
    let visible = viewport.scale() < NO_ZOOM;
    for (name, length) in [("--visible", viewport.height()), ("--top", viewport.offset_top())] {
        // Nothing is as good as none.
        let _ = style.set_property(name, &if visible { pixels(length) } else { String::new() });
    }
}

fn pixels(length: f64) -> String {
    let mut text = crate::words::number(length.max(0.0) as u32);
    text.push_str("px");
    text
}
