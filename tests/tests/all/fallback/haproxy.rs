//! HAProxy between them: WebSockets open, and are cut before they are of use.

use super::{alice_and_bob, they_chat};
use crate::encke;
use encke_tests::browser::Engine;
use encke_tests::in_each_engine;
use encke_tests::proxy::Proxy;

in_each_engine!(polling_carries_where_websockets_are_cut);

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
    }
}
