//! Long-polling by scripts and forms: a conversation, and what fits into it. What is hostile is answered as the tests of
//! the whole say (`conformance/jsonp.rs`).

use crate::echo;
use crate::support::{Http, PATH, Polling, Response, Running, Ws, sid_in, start};
use encke_server::Limits;
use std::net::SocketAddr;

const TEXT: &str = "Content-Type: text/plain\r\n";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const SESSION_UNKNOWN: &str = r#"{"code":1,"message":"Session ID unknown"}"#;
const BAD_REQUEST: &str = r#"{"code":3,"message":"Bad request"}"#;

/// A polling session of scripts and forms for function 7.
struct Jsonp {
    address: SocketAddr,
    sid: String,
    polls: Http,
    posts: Http,
}

impl Jsonp {
    async fn open(address: SocketAddr) -> Self {
        let mut polls = Http::open(address).await;
        let opened = polls.request("GET", &format!("{PATH}&transport=polling&j=7"), "", b"").await;
        let sid = sid_in(&payload_in(&opened));
        Self { address, sid, polls, posts: Http::open(address).await }
    }

    async fn join(address: SocketAddr) -> Self {
        let mut this = Self::open(address).await;
        this.say("40").await;
        assert!(this.poll().await.starts_with("40{\"sid\":"));
        this
    }

    fn target(&self) -> String {
        format!("{PATH}&transport=polling&sid={}&j=7", self.sid)
    }

    async fn get(&mut self) -> Response {
        let target = self.target();
        self.polls.request("GET", &target, "", b"").await
    }

    async fn poll(&mut self) -> String {
        payload_in(&self.get().await)
    }

    async fn post(&mut self, headers: &str, body: &[u8]) -> Response {
        let target = self.target();
        self.posts.request("POST", &target, headers, body).await
    }

    /// Posts a payload as a browser does.
    async fn say(&mut self, payload: &str) {
        let escaped = payload.bytes().map(|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        });
        let escaped: String = escaped.collect();
        let answer = self.post(FORM, format!("d={escaped}").as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    }

    async fn goes_on(&mut self) {
        self.say(r#"421["echo","still here"]"#).await;
        assert_eq!(self.poll().await, r#"431["still here"]"#);
    }

    async fn has_ended(&mut self) {
        assert_eq!(self.get().await.body, SESSION_UNKNOWN);
    }
}

/// The payload in a script for function 7: the argument is a literal of JSON as well as of JavaScript.
fn payload_in(response: &Response) -> String {
    let literal = response.body.strip_prefix("___eio[7](").and_then(|rest| rest.strip_suffix(");"));
    serde_json::from_str(literal.unwrap_or_else(|| panic!("{response:?}"))).expect("a literal")
}

async fn running() -> Running {
    start(echo()).await
}

#[tokio::test]
async fn a_conversation_goes_by_scripts_and_forms() {
    let running = running().await;
    let mut page = Jsonp::join(running.address).await;
    let mut other = Ws::join(running.address).await;
    other.text(r#"42["chat","hello"]"#).await;
    assert_eq!(page.poll().await, r#"42["chat","hello"]"#);
    page.say("42[\"chat\",\"a\"]\u{1e}42[\"chat\",\"b\"]").await;
    assert_eq!(other.next_text().await, r#"42["chat","a"]"#);
    assert_eq!(other.next_text().await, r#"42["chat","b"]"#);
    page.say("451-3[\"echo\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQID").await;
    assert_eq!(page.poll().await, "461-3[{\"_placeholder\":true,\"num\":0}]\u{1e}bAQID");
}

#[tokio::test]
async fn what_opened_a_session_fixes_how_it_is_answered() {
    let running = running().await;
    let mut page = Jsonp::join(running.address).await;
    let plain = format!("{PATH}&transport=polling&sid={}", page.sid);
    // Each as it would be right in a session of its own kind: nothing else is wrong with it.
    for (target, post) in [(plain.clone(), (TEXT, "6")), (format!("{plain}&j=8"), (FORM, "d=6"))] {
        for (method, (headers, body)) in [("GET", ("", "")), ("POST", post)] {
            let mut http = Http::open(running.address).await;
            let answer = http.request(method, &target, headers, body.as_bytes()).await;
            assert_eq!((answer.status, answer.body.as_str()), (400, BAD_REQUEST), "{method} {target}");
        }
    }
    page.goes_on().await;

    let mut text = Polling::join(running.address).await;
    let script = format!("{}&j=7", text.target());
    for (method, body) in [("GET", ""), ("POST", "d=6")] {
        let answer = Http::open(running.address).await.request(method, &script, FORM, body.as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, BAD_REQUEST), "{method}");
    }
    text.post(r#"421["echo",1]"#).await;
    assert_eq!(text.poll().await, "431[1]");
}

#[tokio::test]
async fn a_post_of_another_type_ends_a_session_that_could_not_be_told() {
    let running = running().await;
    let headers = ["text/plain", "multipart/form-data; boundary=x", "application/json", ""]
        .map(|content_type| format!("Content-Type: {content_type}\r\n"));
    for header in headers.iter().map(String::as_str).chain([""]) {
        let mut page = Jsonp::join(running.address).await;
        let answer = page.post(header, b"d=6").await;
        assert_eq!((answer.status, answer.body.as_str()), (400, BAD_REQUEST), "{header}");
        page.has_ended().await;
    }
    let mut page = Jsonp::join(running.address).await;
    let charset = "Content-Type: Application/X-WWW-Form-Urlencoded ; charset=UTF-8\r\n";
    assert_eq!(page.post(charset, b"d=6").await.body, "ok");
    page.goes_on().await;

    let mut text = Polling::join(running.address).await;
    let target = text.target();
    let answer = Http::open(running.address).await.request("POST", &target, FORM, b"d=6").await;
    assert_eq!(answer.body, BAD_REQUEST, "a form to a session of text");
    text.post(r#"421["echo",1]"#).await;
    assert_eq!(text.poll().await, "431[1]");
}

#[tokio::test]
async fn a_forms_escapes_are_those_of_forms() {
    let running = running().await;
    let mut page = Jsonp::join(running.address).await;
    // A space, a plus; line ends between the values of JSON; what a page doubled, once more; another field.
    let form = br#"x=1&d=421["echo","a+b%2B",%0D%0A"%5C%5C%5Cn"]"#;
    assert_eq!(page.post(FORM, form).await.body, "ok");
    assert_eq!(page.poll().await, "431[\"a b+\",\r\n\"\\\\n\"]");
}

#[tokio::test]
async fn a_payload_is_as_long_as_it_may_be_whatever_its_form_makes_of_it() {
    let running = start(echo().limits(Limits { max_payload: 1_000, ..Limits::default() })).await;
    let mut page = Jsonp::join(running.address).await;
    let event = |text: &str| format!(r#"421["echo","{text}"]"#);
    // 1,000 bytes, each a backslash with an n, and three times as long in the form and more.
    let longest = event(&"\\n".repeat((1_000 - event("").len()) / 2));
    page.say(&longest.replace("\\n", "\\\\n")).await;
    assert_eq!(page.poll().await.len(), longest.len() - r#"421["echo",""#.len() + r#"431[""#.len());

    let too_long = event(&"x".repeat(1_001 - event("").len()));
    for form in [format!("d={too_long}"), format!("d={}", "%41".repeat(1_200))] {
        let mut page = Jsonp::join(running.address).await;
        let answer = page.post(FORM, form.as_bytes()).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (413, ""),
            "more when read, or than any payload's form"
        );
        page.has_ended().await;
    }
}

#[tokio::test]
async fn a_session_of_scripts_may_become_a_websocket() {
    let running = running().await;
    let mut page = Jsonp::join(running.address).await;
    let mut ws = Ws::open(page.address, &format!("{PATH}&transport=websocket&sid={}", page.sid)).await;
    ws.text("2probe").await;
    assert_eq!(ws.next_text().await, "3probe");
    assert_eq!(page.poll().await, "6");
    ws.text("5").await;
    ws.text(r#"421["echo",1]"#).await;
    assert_eq!(ws.next_text().await, "431[1]");
}

#[tokio::test]
async fn a_server_without_jsonp_does_not_know_that_transport() {
    let running = start(echo().jsonp(false)).await;
    let target = format!("{PATH}&transport=polling&j=0");
    let answer = Http::open(running.address).await.request("GET", &target, "", b"").await;
    assert_eq!((answer.status, answer.body.as_str()), (400, r#"{"code":0,"message":"Transport unknown"}"#));
    Polling::join(running.address).await;
}
