//! Refused requests: the table of Engine.IO errors.

use super::server;
use encke_tests::engine::{Answer, Polling, answer, endpoint, get, http};
use encke_tests::frames::Frames;
use reqwest::Method;

#[tokio::test]
async fn an_unknown_transport_is_refused() {
    let server = server().await;
    let refusal = Answer::refusal(400, 0, "Transport unknown");
    for query in ["", "EIO=4", "EIO=4&transport=pigeon", "EIO=4&transport="] {
        assert_eq!(get(server.url(), query).await, refusal, "{query}");
    }
}

#[tokio::test]
async fn an_unknown_session_is_refused() {
    let server = server().await;
    let refusal = Answer::refusal(400, 1, "Session ID unknown");
    for sid in ["none", "0.0.0", "x.0.AAAAAAAAAAAAAAAAAAAAAA", "%00", ".0.", "é"] {
        let query = format!("EIO=4&transport=polling&sid={sid}");
        assert_eq!(get(server.url(), &query).await, refusal, "{sid}");
    }
}

#[tokio::test]
async fn a_session_id_that_is_almost_right_is_unknown() {
    let server = server().await;
    let session = Polling::open(server.url()).await;
    let mut sid = session.sid.clone();
    let last = sid.pop().expect("an id is not empty");
    sid.push(if last == 'A' { 'B' } else { 'A' });
    let query = format!("EIO=4&transport=polling&sid={sid}");
    assert_eq!(get(server.url(), &query).await, Answer::refusal(400, 1, "Session ID unknown"));
}

#[tokio::test]
async fn a_session_is_opened_by_get_alone() {
    let server = server().await;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let url = format!("{}?EIO=4&transport=polling", endpoint(server.url()));
        let response = http().request(method.clone(), url).send().await.expect("the server answers");
        assert_eq!(answer(response).await, Answer::refusal(400, 2, "Bad handshake method"), "{method}");
    }
}

#[tokio::test]
async fn other_methods_on_a_session_are_refused_and_it_goes_on() {
    let server = server().await;
    let session = Polling::join(server.url()).await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let response =
            http().request(method.clone(), session.url()).send().await.expect("the server answers");
        assert_eq!(answer(response).await, Answer::refusal(400, 3, "Bad request"), "{method}");
    }
    assert_eq!(session.post(r#"421["echo",1]"#).await, Answer::ok());
    assert_eq!(session.poll().await.body, "431[1]");
}

#[tokio::test]
async fn another_protocol_version_is_refused() {
    let server = server().await;
    let refusal = Answer::refusal(400, 5, "Unsupported protocol version");
    for query in
        ["transport=polling", "EIO=3&transport=polling", "EIO=5&transport=polling", "EIO=&transport=polling"]
    {
        assert_eq!(get(server.url(), query).await, refusal, "{query}");
    }
}

#[tokio::test]
async fn a_websocket_request_without_upgrade_is_refused() {
    let server = server().await;
    let answer = get(server.url(), "EIO=4&transport=websocket").await;
    assert_eq!(answer, Answer::refusal(400, 3, "Bad request"));
}

#[tokio::test]
async fn a_polling_request_to_a_websocket_session_is_refused_and_it_goes_on() {
    let server = server().await;
    let mut socket = Frames::open(server.address(), "EIO=4&transport=websocket").await;
    let handshake = socket.read().await;
    let handshake: serde_json::Value = serde_json::from_str(&handshake.text()[1..]).expect("JSON");
    let sid = handshake["sid"].as_str().expect("a session has an id");
    let answer = get(server.url(), &format!("EIO=4&transport=polling&sid={sid}")).await;
    assert_eq!(answer, Answer::refusal(400, 3, "Bad request"));
    socket.write(&encke_tests::frames::text("40")).await;
    assert!(socket.read().await.text().starts_with("40{"));
}

#[tokio::test]
async fn a_refused_websocket_gets_an_http_answer() {
    let server = server().await;
    let (_, head) = Frames::request(server.address(), "EIO=4&transport=websocket&sid=none", "").await;
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
}

#[tokio::test]
async fn the_path_works_with_and_without_a_slash_at_its_end() {
    let server = server().await;
    for path in ["/socket.io/", "/socket.io"] {
        let url = format!("{}{path}?EIO=4&transport=polling", server.url());
        let response = http().get(url).send().await.expect("the server answers");
        assert_eq!(response.status(), 200, "{path}");
    }
}
