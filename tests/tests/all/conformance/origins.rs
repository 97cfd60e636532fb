//! Which pages may connect: CORS for requests, the same list for WebSockets.

use crate::PEER;
use encke_tests::engine::{Answer, answer, endpoint, http};
use encke_tests::frames::Frames;
use encke_tests::program::Program;
use reqwest::header::{HeaderMap, ORIGIN};
use reqwest::{Method, Response};

const FRIEND: &str = "https://app.example";
const STRANGER: &str = "https://evil.example";

async fn server() -> Program {
    Program::start(PEER, &["--listen", "127.0.0.1:0", "--allow-origin", FRIEND]).await
}

async fn handshake(server: &Program, method: Method, origin: &str) -> Response {
    let url = format!("{}?EIO=4&transport=polling", endpoint(server.url()));
    let request = http().request(method, url).header(ORIGIN, origin);
    request.header("access-control-request-method", "POST").send().await.expect("the server answers")
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[tokio::test]
async fn a_page_on_the_list_is_let_in_and_may_read_the_answer() {
    let server = server().await;
    let response = handshake(&server, Method::GET, FRIEND).await;
    assert_eq!(response.status(), 200);
    assert_eq!(header(response.headers(), "access-control-allow-origin"), Some(FRIEND));
    assert!(header(response.headers(), "vary").is_some_and(|vary| vary.to_lowercase().contains("origin")));
}

#[tokio::test]
async fn a_preflight_of_a_page_on_the_list_allows_get_and_post() {
    let server = server().await;
    let response = handshake(&server, Method::OPTIONS, FRIEND).await;
    assert!(response.status().is_success());
    assert_eq!(header(response.headers(), "access-control-allow-origin"), Some(FRIEND));
    let methods = header(response.headers(), "access-control-allow-methods").unwrap_or_default();
    assert!(methods.contains("GET") && methods.contains("POST"), "{methods}");
}

#[tokio::test]
async fn a_page_on_the_list_may_send_the_headers_that_it_names() {
    let server = server().await;
    for (origin, allowed) in [(FRIEND, "authorization,x-room"), (STRANGER, "Content-Type")] {
        let url = format!("{}?EIO=4&transport=polling", endpoint(server.url()));
        let request = http().request(Method::OPTIONS, url).header(ORIGIN, origin);
        let request = request.header("access-control-request-headers", "authorization,x-room");
        let response = request.send().await.expect("the server answers");
        assert_eq!(header(response.headers(), "access-control-allow-headers"), Some(allowed), "{origin}");
        let vary: Vec<_> = response.headers().get_all("vary").iter().collect();
        assert_eq!(vary, ["Access-Control-Request-Headers", "Origin"]);
    }
}

#[tokio::test]
async fn a_page_not_on_the_list_is_refused_and_may_read_why() {
    let server = server().await;
    let response = handshake(&server, Method::GET, STRANGER).await;
    assert_eq!(header(response.headers(), "access-control-allow-origin"), Some(STRANGER), "it may read why");
    assert_eq!(header(response.headers(), "access-control-allow-credentials"), None);
    assert_eq!(answer(response).await, Answer::refusal(403, 4, "Origin not allowed"));
}

#[tokio::test]
async fn the_list_holds_for_websockets_too() {
    let server = server().await;
    let query = "EIO=4&transport=websocket";
    let ask = |origin: &str| format!("Origin: {origin}\r\n");
    let (_, head) = Frames::request(server.address(), query, &ask(FRIEND)).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let (_, head) = Frames::request(server.address(), query, &ask(STRANGER)).await;
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
}

/// A request for a script, with those headers.
async fn script(server: &Program, headers: &[(&str, &str)]) -> Response {
    let url = format!("{}?EIO=4&transport=polling&j=0", endpoint(server.url()));
    let request =
        headers.iter().fold(http().get(url), |request, (name, value)| request.header(*name, *value));
    request.send().await.expect("the server answers")
}

#[tokio::test]
async fn a_script_is_judged_by_what_it_says_of_its_page() {
    let server = server().await;
    let own = format!("{}/some/page", server.url());
    let cases: [(&[(&str, &str)], u16); 12] = [
        (&[("referer", "https://app.example/some/page")], 200),
        (&[("referer", "https://app.example")], 200),
        (&[("referer", &own)], 200),
        (&[("sec-fetch-site", "same-origin")], 200),
        (&[("origin", FRIEND), ("referer", "https://evil.example/")], 200),
        (&[("referer", "https://evil.example/?https://app.example/")], 403),
        (&[("referer", "https://app.example.evil.example/")], 403),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("sec-fetch-site", "same-site")], 403),
        (&[("referer", "https://evil.example/"), ("sec-fetch-site", "same-origin")], 403),
        (&[("origin", STRANGER), ("referer", "https://app.example/")], 403),
        // Nothing is known, and there is a list to guard.
        (&[], 403),
    ];
    for (headers, status) in cases {
        let response = script(&server, headers).await;
        assert_eq!(response.status(), status, "{headers:?}");
        if status == 403 {
            assert_eq!(header(response.headers(), "content-type"), Some("application/json"));
            assert_eq!(answer(response).await, Answer::refusal(403, 4, "Origin not allowed"));
        }
    }
}

#[tokio::test]
async fn a_form_is_judged_by_its_origin() {
    let server = server().await;
    let url = format!("{}?EIO=4&transport=polling&j=0", endpoint(server.url()));
    let form = |origin: &str| {
        let request = http().post(&url).header(ORIGIN, origin);
        request.header("content-type", "application/x-www-form-urlencoded").body("d=40").send()
    };
    let refused = || Answer::refusal(403, 4, "Origin not allowed");
    // A form opens no session, but a friend's is looked at.
    let looked_at = Answer::refusal(400, 2, "Bad handshake method");
    for (origin, wanted) in [(FRIEND, looked_at), (STRANGER, refused()), ("null", refused())] {
        assert_eq!(answer(form(origin).await.expect("the server answers")).await, wanted, "{origin}");
    }
}

#[tokio::test]
async fn where_all_origins_are_allowed_every_page_may_run_scripts() {
    let server = super::server().await;
    for headers in [&[][..], &[("referer", STRANGER)], &[("sec-fetch-site", "cross-site")]] {
        let response = script(&server, headers).await;
        assert_eq!(response.status(), 200, "{headers:?}");
        let policy = header(response.headers(), "cross-origin-resource-policy");
        assert_eq!(policy, Some("cross-origin"), "{headers:?}");
    }
}

#[tokio::test]
async fn a_script_for_the_servers_own_page_is_marked_as_its_own_and_a_strangers_refused() {
    let server = Program::start(PEER, &["--listen", "127.0.0.1:0", "--same-origin"]).await;
    for headers in [&[("referer", server.url())][..], &[]] {
        let response = script(&server, headers).await;
        assert_eq!(response.status(), 200, "{headers:?}");
        let policy = header(response.headers(), "cross-origin-resource-policy");
        assert_eq!(policy, Some("same-origin"), "{headers:?}");
    }
    assert_eq!(script(&server, &[("referer", STRANGER)]).await.status(), 403);
}

#[tokio::test]
async fn who_has_no_origin_is_let_in_unless_another_site_is_behind_it() {
    let server = server().await;
    let url = format!("{}?EIO=4&transport=polling", endpoint(server.url()));
    assert_eq!(http().get(&url).send().await.expect("the server answers").status(), 200);
    for (site, status) in [("same-origin", 200), ("same-site", 200), ("none", 200), ("cross-site", 403)] {
        let response = http().get(&url).header("sec-fetch-site", site).send().await;
        assert_eq!(response.expect("the server answers").status(), status, "{site}");
    }
}

#[tokio::test]
async fn the_servers_own_pages_are_let_in_without_a_list_and_no_others() {
    let server = Program::start(PEER, &["--listen", "127.0.0.1:0", "--same-origin"]).await;
    let own = server.url().to_owned();
    assert_eq!(handshake(&server, Method::GET, &own).await.status(), 200);
    assert_eq!(handshake(&server, Method::GET, STRANGER).await.status(), 403);
}
