//! `/plain`: two requests and a cookie make a chat.

use crate::Program;
use crate::support::{Http, Response, Ws};

/// A browser without scripts.
struct Browser {
    http: Http,
    cookie: String,
    /// The page it has open.
    page: Response,
}

impl Browser {
    async fn open(program: &Program) -> Self {
        let mut http = Http::open(program.address).await;
        let page = http.request("GET", "/plain", "", b"").await;
        let cookie =
            page.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned();
        Self { http, cookie, page }
    }

    fn field(&self, name: &str) -> String {
        let (_, rest) = self.page.body.split_once(&format!("name=\"{name}\" value=\"")).expect("a field");
        rest.split('"').next().expect("a value").to_owned()
    }

    fn body(&self, name: &str, text: &str) -> String {
        let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let (token, key) = (self.field("token"), self.field("key"));
        format!("token={token}&key={key}&name={}&text={}", escape(name), escape(text))
    }

    async fn post(&mut self, headers: &str, body: &str) -> Response {
        let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{headers}");
        self.http.request("POST", "/plain/say", &headers, body.as_bytes()).await
    }

    async fn get(&mut self, target: &str) -> Response {
        let headers = format!("Cookie: other=1; {}\r\n", self.cookie);
        self.http.request("GET", target, &headers, b"").await
    }

    /// Sends the form as it is; what came of it is open now.
    async fn try_to_say(&mut self, name: &str, text: &str) -> u16 {
        let (headers, body) = (format!("Cookie: {}\r\n", self.cookie), self.body(name, text));
        self.page = self.post(&headers, &body).await;
        self.page.status
    }

    async fn say(&mut self, name: &str, text: &str) {
        assert_eq!(self.try_to_say(name, text).await, 303, "{:?}", self.page);
        assert_eq!(self.page.header("location"), Some("/plain"));
        self.page = self.get("/plain").await;
    }

    async fn messages(&mut self) -> String {
        self.get("/plain/messages").await.body
    }
}

async fn connected(program: &Program, name: &str) -> Ws<tokio::net::TcpStream> {
    let mut person = Ws::join(program.address).await;
    person.text(&format!(r#"420["join",{{"name":"{name}"}}]"#)).await;
    assert!(person.next_text().await.starts_with("430"));
    person
}

#[tokio::test]
async fn guests_and_people_of_the_page_hear_each_other() {
    let program = Program::start("plain-chat");
    let mut bob = connected(&program, "Bob").await;
    let mut guest = Browser::open(&program).await;
    guest.say("Ann", "hello <b>& \"you\"</b>").await;
    let heard = bob.next_text().await;
    assert!(heard.contains(r#""name":"Ann (plain)","text":"hello <b>& \"you\"</b>""#), "{heard}");
    bob.text(r#"421["say",{"key":"k","text":"hello yourself"}]"#).await;
    assert!(bob.next_text().await.starts_with("431"));
    let messages = guest.messages().await;
    let order = ["Ann (plain)", "hello &lt;b&gt;&amp; &quot;you&quot;&lt;/b&gt;", "Bob", "hello yourself"];
    let places = order.map(|words| messages.find(words).unwrap_or_else(|| panic!("{words}: {messages}")));
    assert!(places.is_sorted(), "the newest stands last: {messages}");
    assert!(messages.contains("<meta http-equiv=\"refresh\" content=\"5\">"));
    assert!(!guest.get("/plain/messages?paused").await.body.contains("http-equiv"));
}

#[tokio::test]
async fn a_guest_keeps_the_name_and_nobody_else_gets_it() {
    let program = Program::start("plain-names");
    let _ann = connected(&program, "Ann").await;
    let (mut first, mut second) = (Browser::open(&program).await, Browser::open(&program).await);
    first.say("Ann", "one").await;
    second.say("ann", "two").await;
    first.say("Ann", "three").await;
    assert_eq!(first.field("name"), "Ann");
    assert!(first.page.body.contains("Others see you as <bdi>Ann (plain)</bdi>"), "{:?}", first.page);
    assert!(second.page.body.contains("<bdi>ann 2 (plain)</bdi>"), "{:?}", second.page);
    let messages = first.messages().await;
    assert_eq!(messages.matches("<bdi>Ann (plain)</bdi>").count(), 2, "{messages}");
    second.say("Cid", "four").await;
    assert!(second.page.body.contains("<bdi>Cid (plain)</bdi>"), "{:?}", second.page);
    let mut third = Browser::open(&program).await;
    third.say("ann", "five").await;
    assert!(
        third.page.body.contains("<bdi>ann 2 (plain)</bdi>"),
        "a name that was given up: {:?}",
        third.page
    );
    first.say("Zoe", "six").await;
    third.say("ann", "seven").await;
    assert!(third.page.body.contains("<bdi>ann 2 (plain)</bdi>"), "as before: {:?}", third.page);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_is_one_message() {
    let program = Program::start("plain-twice");
    let mut guest = Browser::open(&program).await;
    let (headers, body) = (format!("Cookie: {}\r\n", guest.cookie), guest.body("Ann", "once"));
    for _ in 0..2 {
        assert_eq!(guest.post(&headers, &body).await.status, 303);
    }
    let changed = guest.body("Ann", "once more");
    assert_eq!(guest.post(&headers, &changed).await.status, 303);
    assert_eq!(guest.messages().await.matches("once<").count(), 1);
    assert_eq!(guest.messages().await.matches("once more<").count(), 1);
}

#[tokio::test]
async fn what_is_refused_is_said_in_words_and_stays_in_the_form() {
    let program = Program::start("plain-errors");
    let mut guest = Browser::open(&program).await;
    let long = "x".repeat(4_001);
    for (name, text, words) in [
        ("Ann", " ", "There is nothing in the message yet."),
        ("Ann", long.as_str(), "The message is too long."),
        (" ", "hello", "What should people call you?"),
        ("x\"><script>", "", "There is nothing in the message yet."),
        (&long[..41], "hello", "The name is too long."),
    ] {
        assert_eq!(guest.try_to_say(name, text).await, 400);
        assert!(guest.page.body.contains(words), "{words}: {:?}", guest.page);
        let escaped = name.replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
        assert_eq!((guest.field("name"), guest.field("text")), (escaped, text.to_owned()));
    }
    guest.say("Ann", "hello").await;
    assert_eq!(guest.try_to_say("Ann", &"x".repeat(30_000)).await, 413);
    assert!(guest.page.body.contains("so long that it could not be kept"), "{:?}", guest.page);
    assert_eq!((guest.field("name"), guest.field("text")), ("Ann".to_owned(), String::new()));
    // The rest of the long one may be on its way still.
    guest.http = Http::open(program.address).await;
    assert_eq!(guest.messages().await.matches("<li>").count(), 1);
}

#[tokio::test]
async fn no_other_site_can_make_somebody_say_something() {
    let program = Program::start("plain-csrf");
    let (mut guest, other) = (Browser::open(&program).await, Browser::open(&program).await);
    let (own, body) = (format!("Cookie: {}\r\n", guest.cookie), guest.body("Ann", "hello"));
    for page in
        ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: http://evil", "Origin: null"]
    {
        let refused = guest.post(&format!("{own}{page}\r\n"), &body).await;
        assert_eq!(refused.status, 403, "{page}");
        assert!(!refused.body.contains("<form") && refused.body.contains("another site"), "{refused:?}");
    }
    for (headers, body) in [
        // As an old browser would, which says nothing: without a cookie, and with one that the sender cannot read.
        (String::new(), body.clone()),
        (own.clone(), other.body("Ann", "hello")),
        (own.clone(), "name=Ann&text=hello".to_owned()),
        ("Cookie: encke-plain=\r\n".to_owned(), "token=&name=Ann&text=hello".to_owned()),
    ] {
        let refused = guest.post(&headers, &body).await;
        assert_eq!(refused.status, 403, "{headers} {body}");
        assert!(refused.body.contains("cookie") && refused.body.contains("value=\"hello\""), "{refused:?}");
    }
    assert!(!guest.messages().await.contains("<li>"), "nobody said anything");
    for page in ["", "Origin: http://server\r\n", "Sec-Fetch-Site: same-origin\r\nOrigin: null\r\n"] {
        assert_eq!(guest.post(&format!("{own}{page}"), &body).await.status, 303, "{page}");
    }
}

#[tokio::test]
async fn the_plain_pages_run_nothing_and_are_kept_by_nobody() {
    let program = Program::start("plain-headers");
    let mut guest = Browser::open(&program).await;
    let cookie = guest.page.header("set-cookie").expect("a cookie").to_owned();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/plain", "Max-Age=86400"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    for (target, set) in [("/plain", Some(cookie.as_str())), ("/plain/messages", None)] {
        let page = guest.get(target).await;
        assert_eq!(page.header("set-cookie"), set, "with the form the same one, which lives on");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; frame-src 'self'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'self'") && !policy.contains("script-src"), "{policy}");
    }
    let style = guest.get("/plain/style.css").await;
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    let typed = guest.get("/plain/say").await;
    assert_eq!((typed.status, typed.header("location")), (303, Some("/plain")));
}
