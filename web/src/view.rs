//! The page on screen: puts a [`Model`] into the DOM that `index.html` brings.
//!
//! Owns the elements it writes to; never reads from them what the model knows, decides nothing, listens to nothing (that is
//! [`input`](crate::input)). Text from people goes into text nodes and attributes only, never through HTML.

mod clock;
mod log;

use encke_protocol::chat;
use wasm_bindgen::JsCast;
use web_sys::{Document, Element, HtmlButtonElement, HtmlElement, HtmlInputElement, HtmlTextAreaElement};

use crate::model::{Link, Model, Stage};
use crate::words;
use log::Log;

/// The elements of `index.html` that Rust writes to or listens to.
pub struct Page {
    pub document: Document,
    pub root: HtmlElement,
    pub gate: HtmlElement,
    pub entry: HtmlElement,
    pub name: HtmlInputElement,
    pub join: HtmlButtonElement,
    pub refusal: HtmlElement,
    pub status: HtmlElement,
    pub reconnect: HtmlButtonElement,
    pub here: HtmlButtonElement,
    pub chat: HtmlElement,
    pub log: HtmlElement,
    pub lines: HtmlElement,
    pub quiet: HtmlElement,
    pub newest: HtmlButtonElement,
    pub excess: HtmlElement,
    pub composer: HtmlElement,
    pub message: HtmlTextAreaElement,
    pub people: HtmlElement,
}

impl Page {
    /// Finds the elements. `None` if `index.html` is not the one this program was built for.
    pub fn find(document: Document) -> Option<Self> {
        // Not looked at: the ids are those of `index.html`, where each is on an element of its type.
        fn by_id<T: JsCast>(document: &Document, id: &str) -> Option<T> {
            document.get_element_by_id(id).map(JsCast::unchecked_into)
        }
        Some(Self {
            root: document.document_element()?.unchecked_into(),
            gate: by_id(&document, "gate")?,
            entry: by_id(&document, "entry")?,
            name: by_id(&document, "name")?,
            join: by_id(&document, "join")?,
            refusal: by_id(&document, "refusal")?,
            status: by_id(&document, "status")?,
            reconnect: by_id(&document, "reconnect")?,
            here: by_id(&document, "here")?,
            chat: by_id(&document, "chat")?,
            log: by_id(&document, "log")?,
            lines: by_id(&document, "lines")?,
            quiet: by_id(&document, "quiet")?,
            newest: by_id(&document, "newest")?,
            excess: by_id(&document, "excess")?,
            composer: by_id(&document, "composer")?,
            message: by_id(&document, "message")?,
            people: by_id(&document, "people")?,
            document,
        })
    }

    /// Hides or shows a button. With the focus on it, browsers would drop that to the top of the page: `heir` gets it.
    fn hide(&self, button: &HtmlElement, hidden: bool, heir: &HtmlElement) {
        if hidden && !button.hidden() && self.document.active_element().as_ref() == Some(button.as_ref()) {
            // Where the heir cannot take it, nothing is worse than without.
            let _ = heir.focus();
        }
        button.set_hidden(hidden);
    }
}

/// Draws models, and remembers what is drawn so that only what changed is touched.
pub struct View {
    page: Page,
    log: Log,
    people: Vec<String>,
    /// Which of them is marked as this person.
    you: String,
    title: String,
    status: Option<words::Status>,
    at_end: bool,
}

impl View {
    /// A view that has drawn nothing yet.
    pub fn new(page: Page) -> Self {
        page.name.set_max_length(chat::MAX_NAME as i32);
        Self {
            page,
            log: Log::new(),
            people: Vec::new(),
            you: String::new(),
            title: String::new(),
            status: None,
            at_end: true,
        }
    }

    /// The elements.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Makes the screen say what the model says.
    pub fn render(&mut self, model: &Model) {
        self.render_gate(model);
        self.render_status(model);
        self.render_title(model);
        self.render_people(model);
        self.render_log(model);
        say(&self.page.excess, words::too_long(model.too_long));
    }

    /// Scrolls to the newest line if that is where the reader is. Also for when the room changes: a keyboard, a longer draft.
    pub fn keep_at_end(&self, model: &Model) {
        if model.reading.at_end {
            // Browsers stop at the end by themselves; reading the true height first would cost a layout.
            self.page.log.set_scroll_top(i32::MAX);
        }
    }

    fn render_gate(&self, model: &Model) {
        let page = &self.page;
        let (refusal, joining) = match model.stage {
            Stage::Gate { failure } => (failure.map_or("", words::refusal), false),
            Stage::Joining => ("", true),
            Stage::Chatting | Stage::Rejoining => ("", false),
        };
        let chatting = is_chatting(model);
        page.gate.set_hidden(chatting);
        page.chat.set_hidden(!chatting);
        page.here.set_hidden(!chatting);
        page.join.set_disabled(joining);
        page.name.set_read_only(joining);
        say(&page.join, if joining { "Joining…" } else { "Join" });
        say(&page.refusal, refusal);
    }

    fn render_status(&mut self, model: &Model) {
        let page = &self.page;
        let status = words::status(model);
        let retryable = matches!(model.link, Link::Waiting { .. } | Link::Closed | Link::Out);
        let heir = if is_chatting(model) { &page.log } else { page.name.as_ref() };
        page.hide(&page.reconnect, !retryable, heir);
        if self.status.as_ref() == Some(&status) {
            return;
        }
        set(&page.status, "data-state", status.state);
        set(&page.status, "data-transport", status.transport);
        if let Some(told) = page.status.first_element_child() {
            say(&told, status.told);
        }
        if let Some(shown) = page.status.last_element_child() {
            say(&shown, &status.shown);
        }
        self.status = Some(status);
    }

    fn render_title(&mut self, model: &Model) {
        let title = words::title(model);
        if title != self.title {
            self.page.document.set_title(&title);
            self.title = title;
        }
    }

    fn render_people(&mut self, model: &Model) {
        if self.people == model.people && self.you == model.name {
            return;
        }
        let page = &self.page;
        page.people.set_text_content(None);
        for name in &model.people {
            let Some(item) = child(&page.people, "li", "") else { continue };
            colour(&item, name);
            if let Some(bdi) = child(&item, "bdi", "") {
                say(&bdi, name);
            }
            if *name == model.name
                && let Some(you) = child(&item, "span", "you")
            {
                say(&you, " (you)");
            }
        }
        say(&page.here, &words::people(model.people.len()));
        self.people.clone_from(&model.people);
        self.you.clone_from(&model.name);
    }

    fn render_log(&mut self, model: &Model) {
        let page = &self.page;
        let reading = &model.reading;
        page.quiet.set_hidden(!model.lines.is_empty());
        page.hide(&page.newest, reading.at_end, &page.log);
        if !reading.at_end {
            say(&page.newest, &words::newest(reading.below));
        }
        // Live only after the first lines are in place, or screen readers would read the whole history aloud.
        set(&page.log, "aria-live", if reading.live { "polite" } else { "off" });
        set(&page.log, "aria-busy", if reading.live { "false" } else { "true" });
        let changed = self.log.render(&page.lines, &model.lines);
        let returned = reading.at_end && !self.at_end;
        self.at_end = reading.at_end;
        if changed || returned {
            self.keep_at_end(model);
        }
    }
}

/// Is the chat on screen, and not the gate?
fn is_chatting(model: &Model) -> bool {
    matches!(model.stage, Stage::Chatting | Stage::Rejoining)
}

/// Adds a new element with that class to `parent`. `None` only for a tag that is no tag.
fn child(parent: &Element, tag: &str, class: &str) -> Option<Element> {
    let element = parent.owner_document()?.create_element(tag).ok()?;
    if !class.is_empty() {
        element.set_class_name(class);
    }
    parent.append_child(&element).ok()?;
    Some(element)
}

/// Gives `element` that text, if it has another: setting a live region's text to itself would have it read again.
fn say(element: &Element, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

/// Sets an attribute, if it has another value.
fn set(element: &Element, attribute: &str, value: &str) {
    if element.get_attribute(attribute).as_deref() != Some(value) {
        // Fails only for a name that is no attribute name, and all names are written in this module.
        let _ = element.set_attribute(attribute, value);
    }
}

/// Gives `element` the colour of that person: the same name has the same colour on every page.
fn colour(element: &Element, name: &str) {
    const HUES: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "7"];
    let sum = name.bytes().fold(5_381_u32, |sum, byte| sum.wrapping_mul(33) ^ u32::from(byte));
    if let Some(hue) = HUES.get((sum % 8) as usize) {
        set(element, "data-hue", hue);
    }
}
