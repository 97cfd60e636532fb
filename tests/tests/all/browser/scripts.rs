//! Who may run what the server answers, judged by real browsers: pages of two origins, and a third that serves.

use crate::PEER;
use crate::from_environment;
use encke_tests::browser::{Engine, Page};
use encke_tests::engine::endpoint;
use encke_tests::in_each_engine;
use encke_tests::program::{Program, free_port};
use serde_json::json;
use std::path::PathBuf;

in_each_engine!(an_allowed_page_talks_by_scripts_and_forms, no_other_page_runs_an_answer);

/// A server, and the program at an origin that it allows and at one that it does not, with a page that may try.
struct Hosts {
    server: Program,
    friend: Program,
    stranger: Program,
    web: PathBuf,
}

impl Hosts {
    async fn start(name: &str) -> Self {
        let program = from_environment("ENCKE_BIN");
        // The server has to know the friend's origin, and the friend's page the server.
        let listen = format!("127.0.0.1:{}", free_port());
        let arguments = ["--listen", "127.0.0.1:0", "--allow-origin", &format!("http://{listen}")];
        let server = Program::start(PEER, &arguments).await;
        let web = std::env::temp_dir().join(format!("encke-scripts-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&web).expect("a directory can be made");
        let page = format!("<!doctype html><html data-server=\"{}\"><title>Other</title>", server.url());
        std::fs::write(web.join("index.html"), page).expect("the page can be written");
        let web_argument = web.to_str().expect("text");
        let host = async |listen| {
            Program::start(&program, &["serve", "--listen", listen, "--web", web_argument]).await
        };
        let (friend, stranger) = (host(&listen).await, host("127.0.0.1:0").await);
        Self { server, friend, stranger, web }
    }

    fn poll(&self) -> String {
        format!("{}?EIO=4&transport=polling", endpoint(self.server.url()))
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.web);
    }
}

/// Has the page load a script; whether it loaded, and what it called function 0 with.
async fn load(page: &Page, url: &str, referrer: &str) -> (bool, String) {
    let script = format!(
        "window.called = ''; window.outcome = ''; \
         window.___eio = [payload => {{ window.called = payload; }}]; \
         const script = document.createElement('script'); \
         script.referrerPolicy = '{referrer}'; \
         script.onload = () => {{ window.outcome = 'loaded'; }}; \
         script.onerror = () => {{ window.outcome = 'failed'; }}; \
         script.src = {}; \
         document.head.append(script);",
        json!(url)
    );
    page.run(&script).await;
    page.until("the script has loaded or failed", "return window.outcome !== ''").await;
    (page.text_of("return window.outcome").await == "loaded", page.text_of("return window.called").await)
}

/// Has the page post a form into a frame of its own, and waits until the frame has loaded.
async fn post(page: &Page, url: &str, payload: &str) {
    let script = format!(
        "window.posted = false; \
         const frame = document.createElement('iframe'); \
         frame.name = 'answer'; \
         document.body.append(frame); \
         const form = document.createElement('form'); \
         form.method = 'POST'; form.acceptCharset = 'utf-8'; form.target = 'answer'; form.action = {}; \
         const field = document.createElement('textarea'); \
         field.name = 'd'; field.value = {}; \
         form.append(field); \
         document.body.append(form); \
         frame.onload = () => {{ window.posted = true; frame.remove(); form.remove(); }}; \
         form.submit();",
        json!(url),
        json!(payload)
    );
    page.run(&script).await;
    page.until("the form has been answered", "return window.posted").await;
}

async fn an_allowed_page_talks_by_scripts_and_forms(engine: Engine) {
    let hosts = Hosts::start(&format!("friend-{engine:?}")).await;
    let page = Page::open(engine).await;
    page.visit(hosts.friend.url()).await;
    let (loaded, payload) = load(&page, &format!("{}&j=0", hosts.poll()), "origin").await;
    assert!(loaded && payload.starts_with("0{\"sid\":"), "{payload:?}");
    let handshake: serde_json::Value = serde_json::from_str(&payload[1..]).expect("the handshake is JSON");
    let session = format!("{}&j=0&sid={}", hosts.poll(), handshake["sid"].as_str().expect("an id"));
    post(&page, &session, "40").await;
    let (_, payload) = load(&page, &session, "origin").await;
    assert!(payload.starts_with("40{\"sid\":"), "{payload:?}");
    post(&page, &session, "421[\"echo\",\"</script>\u{2028}+ä\"]").await;
    let (_, payload) = load(&page, &session, "origin").await;
    assert_eq!(payload, "431[\"</script>\u{2028}+ä\"]");
    page.close().await;
}

async fn no_other_page_runs_an_answer(engine: Engine) {
    let hosts = Hosts::start(&format!("stranger-{engine:?}")).await;
    let page = Page::open(engine).await;
    page.visit(hosts.stranger.url()).await;
    let answers = [("&j=0", "origin"), ("&j=0", "no-referrer"), ("&j=0]", "origin"), ("", "origin")];
    for (query, referrer) in answers {
        let url = format!("{}{query}", hosts.poll());
        let (loaded, payload) = load(&page, &url, referrer).await;
        assert_eq!((loaded, payload.as_str()), (false, ""), "{query} {referrer}");
    }
    page.close().await;
}
