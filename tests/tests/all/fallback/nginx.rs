//! nginx between them: what it does not let through, and what it holds back.

use super::{alice_and_bob, they_chat};
use crate::encke;
use encke_tests::browser::Engine;
use encke_tests::in_each_engine;
use encke_tests::proxy::Proxy;

in_each_engine!(
    polling_carries_where_upgrade_is_not_passed,
    polling_gets_through_where_answers_are_held_back_and_compressed,
    scripts_and_forms_get_through_where_answers_are_held_back_and_compressed,
    an_upgrade_gets_through_where_answers_are_held_back_and_compressed,
);

async fn polling_carries_where_upgrade_is_not_passed(engine: Engine) {
    let server = encke("127.0.0.1:0", &[]).await;
    let proxy = Proxy::nginx("no_upgrade.conf", &[("upstream", server.address())]).await;
    let (alice, bob) = alice_and_bob(engine, &proxy.url()).await;
    they_chat(&alice, &bob).await;
    for page in [&alice, &bob] {
        page.until_transport("polling").await;
        page.until_why("websocket:not-opened", "WebSocket did not open").await;
    }
}

async fn polling_gets_through_where_answers_are_held_back_and_compressed(engine: Engine) {
    chat_behind_buffers(engine, "polling", "polling").await;
}

async fn scripts_and_forms_get_through_where_answers_are_held_back_and_compressed(engine: Engine) {
    chat_behind_buffers(engine, "jsonp", "jsonp").await;
}

async fn an_upgrade_gets_through_where_answers_are_held_back_and_compressed(engine: Engine) {
    chat_behind_buffers(engine, "polling,websocket", "websocket").await;
}

async fn chat_behind_buffers(engine: Engine, transports: &str, carries: &str) {
    let server = encke("127.0.0.1:0", &[]).await;
    let proxy = Proxy::nginx("buffering.conf", &[("upstream", server.address())]).await;
    let (alice, bob) = alice_and_bob(engine, &format!("{}/?transport={transports}", proxy.url())).await;
    they_chat(&alice, &bob).await;
    for page in [&alice, &bob] {
        page.until_transport(carries).await;
    }
}
