//! The chat in a text-mode browser, w3m: no scripts, no frames, and a cookie jar on disk.

use crate::encke;
use encke_tests::engine::{Answer, Polling};
use std::path::PathBuf;
use std::process::Stdio;
use tokio::process::Command;

/// A w3m with a home of its own, and what it has open.
struct TextBrowser {
    home: PathBuf,
    server: String,
}

impl TextBrowser {
    fn new(name: &str, server: &str) -> Self {
        let home = std::env::temp_dir().join(format!("encke-w3m-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&home).expect("a directory can be made");
        Self { home, server: server.to_owned() }
    }

    async fn run(&self, arguments: &[&str], path: &str) -> String {
        let mut command = Command::new("w3m");
        command.args(["-cookie", "-no-proxy", "-cols", "120"]).args(arguments);
        command.arg(format!("{}{path}", self.server)).env("HOME", &self.home).stdin(Stdio::null());
        let output = command.output().await.expect("w3m is installed; `cargo xtask test` sees to it");
        String::from_utf8(output.stdout).expect("text")
    }

    /// The page as a person sees it.
    async fn look(&self, path: &str) -> String {
        self.run(&["-dump"], path).await
    }

    /// Fills in the form and sends it; what the person sees then.
    async fn say(&self, name: &str, text: &str) -> String {
        let source = self.run(&["-dump_source"], "/plain").await;
        let hidden = |name: &str| {
            let (_, rest) = source.split_once(&format!("name=\"{name}\" value=\"")).expect("a field");
            rest.split('"').next().unwrap_or_default().to_owned()
        };
        let form = self.home.join("form");
        let body = format!("token={}&key={}&name={name}&text={text}", hidden("token"), hidden("key"));
        std::fs::write(&form, body).expect("the form can be written");
        self.run(&["-dump", "-post", form.to_str().expect("text")], "/plain/say").await
    }
}

impl Drop for TextBrowser {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

#[tokio::test]
async fn a_person_with_a_text_mode_browser_chats() {
    let server = encke("127.0.0.1:0", &[]).await;
    let browser = TextBrowser::new("chat", server.url());
    let page = browser.look("/plain").await;
    for words in ["Encke", "Name [", "Message [", "They have a page of their own."] {
        assert!(page.contains(words), "{page}");
    }
    let bob = Polling::join(server.url()).await;
    assert_eq!(bob.post(r#"420["join",{"name":"Bob"}]"#).await, Answer::ok());
    bob.poll_for(|packet| packet.starts_with("430")).await;

    let page = browser.say("Wim", "hello+%3Cb%3Efrom+w3m%3C%2Fb%3E").await;
    assert!(page.contains("Name [Wim ") && page.contains("Others see you as Wim (plain)."), "{page}");
    let heard = bob.poll_for(|packet| packet.contains("posted")).await;
    assert!(heard.contains(r#""name":"Wim (plain)","text":"hello <b>from w3m</b>""#), "{heard}");

    assert_eq!(bob.post(r#"421["say",{"key":"k","text":"hello from the page"}]"#).await, Answer::ok());
    bob.poll_for(|packet| packet.starts_with("431")).await;
    let messages = browser.look("/plain/messages?alone").await;
    let places = ["Wim (plain) now", "hello <b>from w3m</b>", "Bob now", "hello from the page", "Write"]
        .map(|words| messages.find(words).unwrap_or_else(|| panic!("no {words}: {messages}")));
    assert!(places.is_sorted(), "{messages}");
    assert!(messages.contains("Connected now: Bob."), "{messages}");
}

#[tokio::test]
async fn a_person_with_a_text_mode_browser_is_told_what_is_wrong() {
    let server = encke("127.0.0.1:0", &[]).await;
    let browser = TextBrowser::new("wrong", server.url());
    let page = browser.say("Wim", "+").await;
    assert!(page.contains("There is nothing in the message yet.") && page.contains("Name [Wim "), "{page}");
    let page = browser.say("", "half+a+thought").await;
    assert!(page.contains("What should people call you?"), "{page}");
    assert!(page.contains("Message [half a thought "), "{page}");
    let stranger = TextBrowser::new("stranger", server.url());
    std::fs::write(stranger.home.join("form"), "token=x&name=Eve&text=hi").expect("the form can be written");
    let form = stranger.home.join("form");
    let page = stranger.run(&["-dump", "-post", form.to_str().expect("text")], "/plain/say").await;
    assert!(page.contains("This was not sent") && page.contains("Message [hi "), "{page}");
    assert!(browser.look("/plain/messages").await.contains("All quiet."));
}
