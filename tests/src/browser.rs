//! Real browsers, driven by WebDriver, and the chat page as a person sees it.
//!
//! Waiting is always for something on the page; the only time in here is a guard.

mod engine;

pub use engine::Engine;

use crate::program::GUARD;
use engine::Driver;
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use std::time::Duration;

/// Between two looks at a page. Not a synchronisation: the look decides.
const LOOK: Duration = Duration::from_millis(20);

/// One browser with one page. Dropping it ends the browser.
#[derive(Debug)]
pub struct Page {
    client: Client,
    _driver: Driver,
}

impl Page {
    /// Opens a browser of its own, with nothing remembered.
    pub async fn open(engine: Engine) -> Self {
        let (driver, client) = Driver::open(engine).await;
        Self { client, _driver: driver }
    }

    /// Goes to an address.
    pub async fn visit(&self, url: &str) {
        self.client.goto(url).await.expect("the page loads");
    }

    /// Enters the chat at `url` under a name, and waits until messages can be written.
    pub async fn enter(&self, url: &str, name: &str) {
        self.visit(url).await;
        self.enter_here(name).await;
    }

    /// Enters the chat that the page already shows.
    pub async fn enter_here(&self, name: &str) {
        self.wait_for("#join:enabled").await;
        let field = self.wait_for("#name").await;
        field.clear().await.expect("the field can be cleared");
        field.send_keys(name).await.expect("the name can be typed");
        self.wait_for("#join").await.click().await.expect("it can be clicked");
        self.until("one can write", "return !document.querySelector('#chat').hidden").await;
        self.until_status("connected").await;
    }

    /// Types a message and sends it with Enter.
    pub async fn say(&self, text: &str) {
        let field = self.wait_for("#message").await;
        field.send_keys(&format!("{text}{}", Key::Enter)).await.expect("it can be typed");
    }

    /// Puts a text in as by the clipboard, since not every character can be typed, and sends it with Enter.
    pub async fn paste(&self, text: &str) {
        let field = self.wait_for("#message").await;
        let script = format!(
            "const field = document.querySelector('#message'); field.value = {}; \
             field.dispatchEvent(new InputEvent('input', {{ bubbles: true, inputType: 'insertFromPaste' }}))",
            json!(text)
        );
        self.run(&script).await;
        field.send_keys(&Key::Enter.to_string()).await.expect("Enter can be pressed");
    }

    /// Waits until the state of the connection is that.
    pub async fn until_status(&self, state: &str) {
        let script = format!("return document.querySelector('#status').dataset.state === '{state}'");
        self.until(&format!("the status is {state}"), &script).await;
    }

    /// Waits until the page says that it uses that transport.
    pub async fn until_transport(&self, name: &str) {
        let script = format!("return document.querySelector('#status').dataset.transport === '{name}'");
        self.until(&format!("{name} is in use"), &script).await;
    }

    /// Waits until the page says why it does not use better transports: to tests by names, and to people in those words.
    pub async fn until_why(&self, names: &str, words: &str) {
        let script = format!(
            "const status = document.querySelector('#status'); \
             return status.dataset.why === '{names}' && status.innerText.includes('{words}')"
        );
        self.until(&format!("the reason is {names}, {words}"), &script).await;
    }

    /// Waits until a line of that state holds that text.
    pub async fn until_line(&self, state: &str, text: &str) {
        let script = format!(
            "return [...document.querySelectorAll('#log li[data-state={state}]')].some(line => line.textContent.includes({}))",
            json!(text)
        );
        self.until(&format!("a line {text:?} is {state}"), &script).await;
    }

    /// The texts of all lines that hold `part`, in their order on the page.
    pub async fn lines_with(&self, part: &str) -> Vec<String> {
        let script = format!(
            "return [...document.querySelectorAll('#log li[data-state]')].map(line => line.textContent).filter(text => text.includes({}))",
            json!(part)
        );
        let lines = self.run(&script).await;
        serde_json::from_value(lines).expect("texts")
    }

    /// Waits until exactly these people are here, in any order.
    pub async fn until_people(&self, names: &[&str]) {
        let script = format!(
            "const here = [...document.querySelectorAll('#people li')].map(item => item.textContent); \
             return here.length === {} && {}.every(name => here.some(text => text.includes(name)))",
            names.len(),
            json!(names)
        );
        self.until(&format!("{names:?} are here"), &script).await;
    }

    /// Runs a script in the page.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect("the script runs")
    }

    /// What a script gives, as text.
    pub async fn text_of(&self, script: &str) -> String {
        self.run(script).await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the script gives `true`.
    pub async fn until(&self, what: &str, script: &str) {
        let looks = async {
            while self.run(script).await != Value::Bool(true) {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(GUARD, looks).await.is_err() {
            let page = self.text_of("return document.body.innerText").await;
            panic!("it does not come to be that {what}; the page says:\n{page}");
        }
    }

    /// Waits for an element.
    pub async fn wait_for(&self, selector: &str) -> Element {
        let found = self.client.wait().at_most(GUARD).for_element(Locator::Css(selector)).await;
        found.unwrap_or_else(|error| panic!("{selector} does not appear: {error}"))
    }

    /// Closes the browser.
    pub async fn close(self) {
        self.client.clone().close().await.expect("the browser closes");
    }
}
