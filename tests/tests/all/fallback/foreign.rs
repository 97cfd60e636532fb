//! The page is on another site than its server.

use super::{alice_and_bob, they_chat};
use crate::{encke, from_environment};
use encke_tests::browser::{Engine, Page};
use encke_tests::in_each_engine;
use encke_tests::proxy::Proxy;
use std::fs;
use std::path::Path;

in_each_engine!(scripts_and_forms_carry_where_no_answer_may_be_read, a_page_that_is_not_served_says_so);

async fn scripts_and_forms_carry_where_no_answer_may_be_read(engine: Engine) {
    let site = Proxy::nginx("page_host.conf", &[]).await;
    let server = encke("127.0.0.1:0", &["--allow-origin", &site.other_site()]).await;
    let proxy = Proxy::nginx("no_cors.conf", &[("upstream", server.address())]).await;
    put_page(&site, &proxy.url());
    let (alice, bob) = alice_and_bob(engine, &site.other_site()).await;
    they_chat(&alice, &bob).await;
    for page in [&alice, &bob] {
        page.until_transport("jsonp").await;
        page.until_why("websocket:not-opened polling:not-opened", "long polling did not open").await;
        // A script waits for packets. A form and its frame are there now and then.
        let rest = "const left = selector => document.querySelectorAll(selector).length; \
            return left('script[src*=transport]') === 1 && left('form[target]') === 0 && left('iframe') === 0";
        page.until("nothing is left behind", rest).await;
    }
}

async fn a_page_that_is_not_served_says_so(engine: Engine) {
    let site = Proxy::nginx("page_host.conf", &[]).await;
    let server = encke("127.0.0.1:0", &["--allow-origin", "https://app.example"]).await;
    put_page(&site, server.url());
    let page = Page::open(engine).await;
    page.visit(&site.other_site()).await;
    let words = "return /Refused: the server does not serve this page/.test(document.querySelector('#status').innerText)";
    page.until("it says so", words).await;
}

/// Puts the page for that server onto the site, and allows it just what it needs.
fn put_page(site: &Proxy, server: &str) {
    let (from, to) = (from_environment("ENCKE_PAGE"), site.folder().join("site"));
    copy_files(&Path::new(&from).join("assets"), &to.join("assets"));
    let index = fs::read_to_string(Path::new(&from).join("index.html")).expect("the page is built");
    assert!(index.contains(NO_SERVER), "the page has a place for its server");
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' {server}; style-src 'self'; \
         connect-src 'self' {server} {}; img-src 'self' data:; form-action 'self' {server}; frame-src {server}",
        server.replace("http", "ws")
    );
    let index = index.replace(NO_SERVER, &format!("data-server=\"{server}\"")).replace(
        "<head>",
        &format!("<head><meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">"),
    );
    fs::write(to.join("index.html"), index).expect("it is ours");
}

const NO_SERVER: &str = "data-server=\"\"";

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it is ours");
    for file in fs::read_dir(from).expect("the page is built") {
        let file = file.expect("it can be listed");
        fs::copy(file.path(), to.join(file.file_name())).expect("it can be copied");
    }
}
