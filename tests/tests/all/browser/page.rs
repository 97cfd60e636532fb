//! How the page is served and how it behaves for those who read, type and listen.

use super::encke;
use encke_tests::browser::{Engine, Page};
use encke_tests::engine::http;
use encke_tests::in_each_engine;
use reqwest::Response;

in_each_engine!(
    nothing_on_the_page_breaks_its_policy,
    new_messages_are_read_out_and_the_history_is_not,
    a_message_that_is_not_answered_fails_and_can_be_retried_by_keyboard,
    reading_back_is_not_disturbed_by_new_messages,
    each_line_takes_the_direction_of_its_own_text,
);

async fn fetch(url: &str, encoding: &str) -> Response {
    http().get(url).header("accept-encoding", encoding).send().await.expect("the server answers")
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// The addresses of the assets that the page names.
fn assets(page: &str) -> Vec<String> {
    let quoted = page.split('"').filter(|part| part.starts_with("/assets/"));
    quoted.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_page_is_fresh_and_strict_and_its_assets_are_kept_for_ever() {
    let server = encke("127.0.0.1:0").await;
    let page = fetch(server.url(), "identity").await;
    assert_eq!(page.status(), 200);
    assert_eq!(header(&page, "cache-control"), "no-cache");
    assert_eq!(header(&page, "x-content-type-options"), "nosniff");
    let policy = header(&page, "content-security-policy");
    for part in
        ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'", "base-uri 'none'"]
    {
        assert!(policy.contains(part), "{part} is missing in {policy}");
    }
    let assets = assets(&page.text().await.expect("the page is text"));
    assert!(assets.len() >= 4, "style, glue, wasm and start: {assets:?}");
    for asset in assets {
        let url = format!("{}{asset}", server.url());
        for (encoding, expected) in [("br", "br"), ("gzip", "gzip"), ("identity", "")] {
            let response = fetch(&url, encoding).await;
            assert_eq!(response.status(), 200, "{asset}");
            assert_eq!(header(&response, "content-encoding"), expected, "{asset}");
            assert_eq!(header(&response, "cache-control"), "public, max-age=31536000, immutable", "{asset}");
            let kind = header(&response, "content-type");
            let right = match asset.rsplit('.').next() {
                Some("wasm") => kind == "application/wasm",
                Some("js") => kind.starts_with("text/javascript"),
                _ => kind.starts_with("text/css"),
            };
            assert!(right, "{asset} is {kind}");
        }
    }
}

async fn nothing_on_the_page_breaks_its_policy(engine: Engine) {
    let server = encke("127.0.0.1:0").await;
    let page = Page::open(engine).await;
    page.visit(server.url()).await;
    // The observer also tells what was before it, but only Chromium tells it of policies; the event comes in each engine.
    page.run(
        "window.violations = []; \
         const note = (what, directive) => window.violations.push(`${what} ${directive}`); \
         const observe = reports => reports.forEach(({ body }) => note(body.blockedURL, body.effectiveDirective)); \
         new ReportingObserver(observe, { types: ['csp-violation'], buffered: true }).observe(); \
         addEventListener('securitypolicyviolation', event => note(event.blockedURI, event.effectiveDirective))",
    )
    .await;
    page.enter_here("Alice").await;
    page.say("something").await;
    page.until_line("sent", "something").await;
    let violations = "return new Promise(done => setTimeout(() => done(window.violations), 0))";
    assert_eq!(page.run(violations).await, serde_json::json!([]));
    // What is there is found.
    page.run("const style = document.createElement('style'); style.textContent = 'p { color: red }'; document.head.append(style)")
        .await;
    page.until("a violation is told", "return window.violations.length > 0").await;
}

async fn new_messages_are_read_out_and_the_history_is_not(engine: Engine) {
    let server = encke("127.0.0.1:0").await;
    let (alice, bob) = (Page::open(engine).await, Page::open(engine).await);
    alice.enter(server.url(), "Alice").await;
    alice.say("history").await;
    alice.until_line("sent", "history").await;

    bob.visit(server.url()).await;
    bob.run(
        "window.heard = []; const log = document.querySelector('#log'); \
         new MutationObserver(() => window.heard.push([log.getAttribute('aria-live'), log.innerText])) \
             .observe(log, { childList: true, subtree: true })",
    )
    .await;
    bob.enter_here("Bob").await;
    bob.until_line("other", "history").await;
    bob.until(
        "the log is live",
        "return document.querySelector('#log').getAttribute('aria-live') === 'polite'",
    )
    .await;
    bob.until(
        "it has a name",
        "return !!document.querySelector('#log[role=log]').getAttribute('aria-label')",
    )
    .await;
    alice.say("news").await;
    bob.until_line("other", "news").await;
    let silent = "return window.heard.filter(([live, text]) => text.includes('history') && !text.includes('news')).every(([live]) => live === 'off')";
    bob.until("the history came in silence", silent).await;
    let told = "return window.heard.some(([live, text]) => text.includes('news') && live === 'polite')";
    bob.until("the news was read out", told).await;
}

async fn a_message_that_is_not_answered_fails_and_can_be_retried_by_keyboard(engine: Engine) {
    let server = encke("127.0.0.1:0").await;
    let (alice, bob) = (Page::open(engine).await, Page::open(engine).await);
    alice.enter(&format!("{}/?transport=websocket", server.url()), "Alice").await;
    bob.enter(server.url(), "Bob").await;
    // What is said vanishes on its way, as in a middlebox; the page sees no error.
    alice
        .run(
            "window.send = WebSocket.prototype.send; \
             WebSocket.prototype.send = function (data) { if (!String(data).includes('\"say\"')) window.send.call(this, data); }",
        )
        .await;
    alice.say("lost").await;
    alice.until_line("failed", "lost").await;
    let retry = alice.wait_for(".retry").await;
    alice.run("WebSocket.prototype.send = window.send; document.querySelector('.retry').focus()").await;
    retry.send_keys(&fantoccini::key::Key::Enter.to_string()).await.expect("Enter can be pressed");
    alice.until_line("sent", "lost").await;
    bob.until_line("other", "lost").await;
    assert_eq!(bob.lines_with("lost").await.len(), 1);
}

async fn reading_back_is_not_disturbed_by_new_messages(engine: Engine) {
    let server = encke("127.0.0.1:0").await;
    let (alice, bob) = (Page::open(engine).await, Page::open(engine).await);
    alice.enter(server.url(), "Alice").await;
    bob.enter(server.url(), "Bob").await;
    for i in 0..40 {
        bob.say(&format!("line {i}")).await;
    }
    alice.until_line("other", "line 39").await;
    alice.run("document.querySelector('#log').scrollTop = 0").await;
    alice.until("it is at the top", "return document.querySelector('#log').scrollTop === 0").await;
    // The page learns of scrolling by an event, which comes with the next frame.
    alice.run("return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))").await;
    bob.say("something new").await;
    alice.until_line("other", "something new").await;
    assert_eq!(alice.run("return document.querySelector('#log').scrollTop").await, 0);
    let newest = alice.wait_for("#newest:not([hidden])").await;
    newest.click().await.expect("it can be clicked");
    alice.until("it is at the end", "const log = document.querySelector('#log'); return log.scrollHeight - log.clientHeight - log.scrollTop < 2").await;
}

async fn each_line_takes_the_direction_of_its_own_text(engine: Engine) {
    let server = encke("127.0.0.1:0").await;
    let page = Page::open(engine).await;
    page.enter(server.url(), "Alice").await;
    page.say("שלום").await;
    page.until_line("sent", "שלום").await;
    page.until("it runs from right to left", "const text = [...document.querySelectorAll('#log li[data-state] [dir=auto]')].pop(); return getComputedStyle(text).direction === 'rtl'").await;
}
