//! HAProxy between them: WebSockets open, and are cut before they are of use.

use super::{alice_and_bob, they_chat};
use crate::encke;
use encke_tests::browser::{Engine, Page};
use encke_tests::in_each_engine;
use encke_tests::proxy::Proxy;

in_each_engine!(
    polling_carries_where_websockets_are_cut,
    what_does_not_get_through_is_remembered_over_a_reload
);

async fn polling_carries_where_websockets_are_cut(engine: Engine) {
    let server = encke("127.0.0.1:0", &[]).await;
    let proxy = Proxy::haproxy(server.address(), "200ms").await;
    let (alice, bob) = alice_and_bob(engine, &proxy.url()).await;
    for page in [&alice, &bob] {
        page.until_transport("polling").await;
    }
    they_chat(&alice, &bob).await;
    for page in [&alice, &bob] {
        page.until_transport("polling").await;
        page.until_why("websocket:cut", "WebSocket was cut").await;
    }
}

async fn what_does_not_get_through_is_remembered_over_a_reload(engine: Engine) {
    let server = encke("127.0.0.1:0", &[]).await;
    let proxy = Proxy::haproxy(server.address(), "200ms").await;
    let page = Page::open(engine).await;
    page.enter(&proxy.url(), "Alice").await;
    page.until_transport("polling").await;
    let websockets = || proxy.log().matches("transport=websocket").count();
    let tried = websockets();
    assert!(tried >= 3, "a WebSocket has had its chances: {tried}");

    page.enter(&proxy.url(), "Alice").await;
    page.until_transport("polling").await;
    page.say("here again").await;
    page.until_line("sent", "here again").await;
    assert_eq!(websockets(), tried, "none was tried after the reload");
}
