//! How the page is served and how it behaves for those who read, type and listen.

use super::encke;
use encke_tests::browser::Driver;
use encke_tests::engine::http;
use reqwest::Response;

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

#[tokio::test]
async fn nothing_on_the_page_breaks_its_policy() {
    let (server, driver) = (encke("127.0.0.1:0").await, Driver::chromium().await);
    let page = driver.open().await;
    page.enter(server.url(), "Alice").await;
    page.until(
        "no inline script or style is there",
        "return !document.querySelector('script:not([src]), style, [style], [onclick]')",
    )
    .await;
}

#[tokio::test]
async fn new_messages_are_read_out_and_the_history_is_not() {
    let (server, driver) = (encke("127.0.0.1:0").await, Driver::chromium().await);
    let page = driver.open().await;
    page.visit(server.url()).await;
    page.until("the log is named", "const log = document.querySelector('#log'); return log.getAttribute('role') === 'log' && !!log.getAttribute('aria-label')").await;
    page.until(
        "it is silent before the history",
        "return document.querySelector('#log').getAttribute('aria-live') === 'off'",
    )
    .await;
    page.enter(server.url(), "Alice").await;
    page.until(
        "it speaks afterwards",
        "const log = document.querySelector('#log'); return log.getAttribute('aria-live') !== 'off' && log.getAttribute('aria-busy') !== 'true'",
    )
    .await;
}

#[tokio::test]
async fn reading_back_is_not_disturbed_by_new_messages() {
    let (server, driver) = (encke("127.0.0.1:0").await, Driver::chromium().await);
    let (alice, bob) = (driver.open().await, driver.open().await);
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

#[tokio::test]
async fn each_line_takes_the_direction_of_its_own_text() {
    let (server, driver) = (encke("127.0.0.1:0").await, Driver::chromium().await);
    let page = driver.open().await;
    page.enter(server.url(), "Alice").await;
    page.say("שלום").await;
    page.until_line("sent", "שלום").await;
    page.until("it runs from right to left", "const text = [...document.querySelectorAll('#log li[data-state] [dir=auto]')].pop(); return getComputedStyle(text).direction === 'rtl'").await;
}
