//! The page on screen: puts a [`Model`] into the DOM that `index.html` brings.
//!
//! Owns the elements it writes to; never reads from them what the model knows, decides nothing, listens to nothing (that is
//! [`input`](crate::input)). Text from people goes into text nodes and attributes only, never through HTML.

mod clock;
mod log;

use encke_protocol::chat;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, HtmlElement, HtmlInputElement, HtmlTemplateElement};

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
    pub join: HtmlElement,
    pub refusal: HtmlElement,
    pub status: HtmlElement,
    pub reconnect: HtmlElement,
    pub here: HtmlElement,
    pub chat: HtmlElement,
    pub log: HtmlElement,
    pub lines: HtmlElement,
    pub quiet: HtmlElement,
    pub newest: HtmlElement,
    pub excess: HtmlElement,
    pub composer: HtmlElement,
    /// A text area: for what is used here, one is an input.
    pub message: HtmlInputElement,
    pub people: HtmlElement,
    pub shapes: Shapes,
}

/// What is added to the page, one for each line or person: the templates of `index.html`.
pub struct Shapes {
    said: HtmlElement,
    failure: HtmlElement,
    notice: HtmlElement,
    person: HtmlElement,
}

/// Where the elements of [`Page`] and [`Shapes`] are, in the same order.
const SELECTORS: [&str; 21] = [
    "#gate",
    "#entry",
    "#name",
    "#join",
    "#refusal",
    "#status",
    "#reconnect",
    "#here",
    "#chat",
    "#log",
    "#lines",
    "#quiet",
    "#newest",
    "#excess",
    "#composer",
    "#message",
    "#people",
    "#shape-said",
    "#shape-failure",
    "#shape-notice",
    "#shape-person",
];

impl Page {
    /// Finds the elements. `None` if `index.html` is not the one this program was built for.
    pub fn find(document: Document) -> Option<Self> {
        let root: HtmlElement = document.document_element()?.unchecked_into();
        let mut complete = true;
        let found = SELECTORS.map(|selector| {
            let found = part(&root, selector);
            complete &= found.is_some();
            // Never used when it is missing: the page ends here.
            found.unwrap_or_else(|| JsValue::UNDEFINED.unchecked_into()).unchecked_into::<HtmlElement>()
        });
        let [gate, entry, name, join, refusal, status, reconnect, here, chat, log, rest @ ..] = found;
        let [lines, quiet, newest, excess, composer, message, people, shapes @ ..] = rest;
        let [said, failure, notice, person] = shapes;
        let (name, message) = (name.unchecked_into(), message.unchecked_into());
        let shapes = Shapes { said, failure, notice, person };
        complete.then_some(Self {
            document,
            root,
            gate,
            entry,
            name,
            join,
            refusal,
            status,
            reconnect,
            here,
            chat,
            log,
            lines,
            quiet,
            newest,
            excess,
            composer,
            message,
            people,
            shapes,
        })
    }

    /// Hides or shows a button. With the focus on it, browsers would drop that to the top of the page: `heir` gets it.
    fn hide(&self, button: &HtmlElement, hidden: bool, heir: &HtmlElement) {
        if hidden
            && !button.has_attribute("hidden")
            && self.document.active_element().as_ref() == Some(button.as_ref())
        {
            // Where the heir cannot take it, nothing is worse than without.
            let _ = heir.focus();
        }
        toggle(button, "hidden", hidden);
    }
}

/// Draws models, and remembers what is drawn so that only what changed is touched.
pub struct View {
    page: &'static Page,
    log: Log,
    people: Vec<String>,
    /// Which of them is marked as this person.
    you: String,
    title: String,
    at_end: bool,
}

impl View {
    /// A view that has drawn nothing yet.
    pub fn new(page: &'static Page) -> Self {
        set(&page.name, "maxlength", &words::number(chat::MAX_NAME as u32));
        Self {
            page,
            log: Log::new(),
            people: Vec::new(),
            you: String::new(),
            title: String::new(),
            at_end: true,
        }
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
        let page = self.page;
        let (refusal, joining) = match model.stage {
            Stage::Gate { failure } => (failure.map_or("", words::refusal), false),
            Stage::Joining => ("", true),
            Stage::Chatting | Stage::Rejoining => ("", false),
        };
        let chatting = is_chatting(model);
        toggle(&page.gate, "hidden", chatting);
        toggle(&page.chat, "hidden", !chatting);
        toggle(&page.here, "hidden", !chatting);
        toggle(&page.join, "disabled", joining);
        toggle(&page.name, "readonly", joining);
        say(&page.join, if joining { "Joining…" } else { "Join" });
        say(&page.refusal, refusal);
    }

    fn render_status(&self, model: &Model) {
        let page = self.page;
        let status = words::status(model);
        let retryable = matches!(model.link, Link::Waiting { .. } | Link::Closed | Link::Out);
        let heir = if is_chatting(model) { &page.log } else { page.name.as_ref() };
        page.hide(&page.reconnect, !retryable, heir);
        set(&page.status, "data-state", status.state);
        set(&page.status, "data-transport", status.transport);
        set(&page.status, "data-why", &status.why);
        say_in(&page.status, "span", &status.told);
        say_in(&page.status, "span + span", &status.shown);
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
        let page = self.page;
        page.people.set_text_content(None);
        for name in &model.people {
            let Some(item) = copy(&page.shapes.person, &page.people, None) else { continue };
            colour(&item, name);
            say_in(&item, "bdi", name);
            if *name == model.name {
                say_in(&item, ".you", " (you)");
            }
        }
        say(&page.here, &words::people(model.people.len()));
        self.people = model.people.clone();
        self.you = model.name.clone();
    }

    fn render_log(&mut self, model: &Model) {
        let page = self.page;
        let reading = &model.reading;
        toggle(&page.quiet, "hidden", !model.lines.is_empty());
        page.hide(&page.newest, reading.at_end, &page.log);
        if !reading.at_end {
            say(&page.newest, &words::newest(reading.below));
        }
        // Live only after the first lines are in place, or screen readers would read the whole history aloud.
        set(&page.log, "aria-live", if reading.live { "polite" } else { "off" });
        set(&page.log, "aria-busy", if reading.live { "false" } else { "true" });
        let changed = self.log.render(&page.shapes, &page.lines, &model.lines);
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

/// The first element in `whole` that the selector means.
fn part(whole: &Element, selector: &str) -> Option<Element> {
    whole.query_selector(selector).ok()?
}

/// Adds what a template holds to `parent`, before one of its children or at its end.
fn copy(template: &Element, parent: &Element, before: Option<&Element>) -> Option<Element> {
    let template: &HtmlTemplateElement = template.unchecked_ref();
    let content: Element = template.content().unchecked_into();
    let copy: Element = part(&content, "*")?.clone_node_with_deep(true).ok()?.unchecked_into();
    parent.insert_before(&copy, before.map(AsRef::as_ref)).ok()?;
    Some(copy)
}

/// Gives the first element in `whole` that the selector means that text.
fn say_in(whole: &Element, selector: &str, text: &str) {
    if let Some(part) = part(whole, selector) {
        say(&part, text);
    }
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

/// Sets or removes an attribute without a value.
fn toggle(element: &Element, attribute: &str, on: bool) {
    // Fails as in `set`.
    let _ = element.toggle_attribute_with_force(attribute, on);
}

/// Gives `element` the colour of that person: the same name has the same colour on every page.
fn colour(element: &Element, name: &str) {
    const HUES: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "7"];
    let sum = name.bytes().fold(5_381_u32, |sum, byte| sum.wrapping_mul(33) ^ u32::from(byte));
    if let Some(hue) = HUES.get((sum % 8) as usize) {
        set(element, "data-hue", hue);
    }
}
