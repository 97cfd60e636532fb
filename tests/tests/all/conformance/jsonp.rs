//! JSONP: what a script holds and how it is typed, and what is answered to hostile indexes and to forms that are none.

use super::{Bystander, server};
use encke_tests::engine::{Answer, answer, endpoint, http};
use encke_tests::program::Program;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

const FORM: &str = "application/x-www-form-urlencoded";

/// A session that polls by scripts for that function.
struct Jsonp {
    endpoint: String,
    sid: String,
    index: u32,
}

impl Jsonp {
    async fn join(server: &Program, index: u32) -> Self {
        let endpoint = endpoint(server.url());
        let url = format!("{endpoint}?EIO=4&transport=polling&j={index}");
        let opened = answer(http().get(url).send().await.expect("the server answers")).await;
        let handshake: serde_json::Value =
            serde_json::from_str(&payload(&opened.body, index)[1..]).expect("the handshake is JSON");
        let sid = handshake["sid"].as_str().expect("a session has an id").to_owned();
        let session = Self { endpoint, sid, index };
        assert_eq!(session.say("40").await, Answer::ok());
        assert!(session.poll().await.starts_with("40{\"sid\":"));
        session
    }

    fn url(&self, j: &str) -> String {
        format!("{}?EIO=4&transport=polling&sid={}{j}", self.endpoint, self.sid)
    }

    async fn get(&self) -> Response {
        http().get(self.url(&format!("&j={}", self.index))).send().await.expect("the poll is answered")
    }

    async fn poll(&self) -> String {
        payload(&answer(self.get().await).await.body, self.index)
    }

    async fn post(&self, content_type: &str, body: impl Into<reqwest::Body>) -> Response {
        let request = http().post(self.url(&format!("&j={}", self.index))).header(CONTENT_TYPE, content_type);
        request.body(body).send().await.expect("the post is answered")
    }

    /// Posts a payload as a browser does.
    async fn say(&self, payload: &str) -> Answer {
        let field = encke_protocol::engine::jsonp::encode_field(payload);
        let escaped: String = field.bytes().map(|byte| format!("%{byte:02X}")).collect();
        answer(self.post(FORM, format!("d={escaped}")).await).await
    }

    async fn has_ended(&self) {
        assert_eq!(answer(self.get().await).await, Answer::refusal(400, 1, "Session ID unknown"));
    }
}

/// The payload in a script. Its literal is one of JSON, too.
fn payload(script: &str, index: u32) -> String {
    let literal = script.strip_prefix(&format!("___eio[{index}](")).and_then(|rest| rest.strip_suffix(");"));
    serde_json::from_str(literal.unwrap_or_else(|| panic!("no script: {script}"))).expect("a literal")
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[tokio::test]
async fn scripts_and_forms_are_typed_and_not_to_be_stored() {
    let server = server().await;
    let session = Jsonp::join(&server, 0).await;
    let ok = session.post(FORM, r#"d=421["echo"]"#).await;
    let script = session.get().await;
    for (response, content_type) in
        [(&ok, "text/html; charset=UTF-8"), (&script, "text/javascript; charset=UTF-8")]
    {
        assert_eq!(header(response.headers(), "content-type"), Some(content_type));
        assert_eq!(header(response.headers(), "x-content-type-options"), Some("nosniff"));
        assert_eq!(header(response.headers(), "cache-control"), Some("no-store"));
        assert!(header(response.headers(), "cross-origin-resource-policy").is_some());
    }
    assert_eq!(header(ok.headers(), "content-security-policy"), Some("default-src 'none'"));
    assert_eq!(answer(ok).await, Answer::ok());
    assert_eq!(answer(script).await.body, r#"___eio[0]("431[]");"#);
}

#[tokio::test]
async fn text_that_is_code_elsewhere_is_text() {
    let server = server().await;
    let session = Jsonp::join(&server, 12).await;
    let text = "\"]</script><script>alert(1)</script><!--\u{2028}\u{2029}\\n\n\r\t\\\u{0}\u{1e}\u{7f}'🦀";
    let event = serde_json::json!(["echo", text]);
    assert_eq!(session.say(&format!("421{event}")).await, Answer::ok());
    let script = answer(session.get().await).await.body;
    assert!(!script.contains(['<', '\u{2028}', '\u{2029}', '\n', '\r', '\u{7f}']), "{script}");
    assert_eq!(payload(&script, 12), format!("431{}", serde_json::json!([text])));
}

#[tokio::test]
async fn an_index_holds_nothing_but_digits() {
    let server = server().await;
    Jsonp::join(&server, u32::MAX).await;
    let indexes = ["", "x", "-1", "+1", "1.5", "0x1", "1e3", "4294967296", "%37", "0%00", "7%0D%0A"];
    let code = ["0]%3Balert(1)%3B%2F%2F", "0);alert(1"];
    for index in indexes.into_iter().chain(code) {
        let query = format!("EIO=4&transport=polling&j={index}");
        let refused = encke_tests::engine::get(server.url(), &query).await;
        assert_eq!(refused, Answer::refusal(400, 3, "Bad request"), "{index}");
    }
}

#[tokio::test]
async fn a_form_that_holds_no_payload_ends_its_session_and_no_other() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    let forms: [&[u8]; 9] = [
        b"",
        b"d",
        b"e=6",
        b"d=6&d=6",
        b"d=%",
        b"d=%f",
        b"d=%gg",
        br#"d=42["a","%c3%28"]"#,
        b"d=42[\"a\",\"\xe4\"]",
    ];
    for form in forms {
        let session = Jsonp::join(&server, 0).await;
        let refused = answer(session.post(FORM, form).await).await;
        assert_eq!(refused, Answer::refusal(400, 3, "Bad request"), "{form:?}");
        session.has_ended().await;
    }
    bystander.is_undisturbed().await;
}
