//! The wheel of the page: a message is given to [`update`], the model is drawn, the effects are done, and what comes of those
//! are messages again.
//!
//! Owns the model, the view and the outside; the only place where they meet. Messages may come while one is being handled (a
//! callback that is called at once): they queue.

use std::cell::{Cell, RefCell};

use wasm_bindgen::prelude::*;
use web_sys::Window;

use crate::effects::Outside;
use crate::input;
use crate::model::Model;
use crate::update::{Msg, update};
use crate::view::{Page, View};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = globalThis)]
    type Global;

    #[wasm_bindgen(static_method_of = Global, getter)]
    fn window() -> Option<Window>;
}

/// The running page. Lives as long as the browser shows it.
pub struct App {
    pub page: &'static Page,
    model: RefCell<Model>,
    view: RefCell<View>,
    outside: Outside,
    queue: Cell<Vec<Msg>>,
    turning: Cell<bool>,
    /// Where the log stood when it was last scrolled, in pixels: whether somebody went up is seen only from here.
    pub scroll_top: Cell<i32>,
}

/// Starts the page. `None` if `index.html` lacks what the program needs.
pub fn start() -> Option<()> {
    let window = Global::window()?;
    // Nothing of it is ever freed while the browser shows the page, so nobody counts who holds it.
    let page: &'static Page = Box::leak(Box::new(Page::find(window.document()?)?));
    // Said by whoever has put the page there, never by a link to it; empty is the server that the page came from.
    let server = page.root.get_attribute("data-server").unwrap_or_default();
    let outside = Outside::new(window, &server)?;
    let model = Model::new(outside.remembered_name(), outside.author());
    // What was typed before the program was there goes before what is remembered.
    if page.name.value().is_empty() {
        page.name.set_value(&model.wanted);
    }
    let mut view = View::new(page);
    view.render(&model);
    let app: &'static App = Box::leak(Box::new(App {
        page,
        model: RefCell::new(model),
        view: RefCell::new(view),
        outside,
        queue: Cell::default(),
        turning: Cell::new(false),
        scroll_top: Cell::new(0),
    }));
    input::listen(app);
    app.outside.connect(app);
    Some(())
}

impl App {
    /// Lets `msg` happen, now or right after what is happening.
    pub fn happen(&'static self, msg: Msg) {
        let mut queue = self.queue.take();
        queue.push(msg);
        self.queue.set(queue);
        if self.turning.replace(true) {
            return;
        }
        loop {
            let batch = self.queue.take();
            if batch.is_empty() {
                break;
            }
            for msg in batch {
                self.turn(msg);
            }
        }
        self.turning.set(false);
    }

    /// Scrolls to the newest line if that is where the reader is.
    pub fn keep_at_end(&self) {
        // The room can change while a message is being drawn; drawing ends with this anyway.
        if let (Ok(view), Ok(model)) = (self.view.try_borrow(), self.model.try_borrow()) {
            view.keep_at_end(&model);
        }
    }

    /// Does the reader follow the newest lines?
    pub fn is_at_end(&self) -> bool {
        self.model.try_borrow().is_ok_and(|model| model.reading.at_end)
    }

    /// The world outside the page.
    pub fn outside(&self) -> &Outside {
        &self.outside
    }

    fn turn(&'static self, msg: Msg) {
        // One turn at a time, so both are free.
        let (Ok(mut model), Ok(mut view)) = (self.model.try_borrow_mut(), self.view.try_borrow_mut()) else {
            return;
        };
        let effects = update(&mut model, msg);
        view.render(&model);
        drop((model, view));
        for effect in effects {
            self.outside.perform(self, effect);
        }
    }
}
