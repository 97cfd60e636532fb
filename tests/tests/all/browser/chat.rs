//! Two people chat, over each transport.

use super::encke;
use encke_tests::browser::{Engine, Page};
use encke_tests::in_each_engine;

in_each_engine!(
    two_people_chat_over_websocket,
    two_people_chat_over_long_polling,
    two_people_chat_over_scripts_and_forms,
    two_people_chat_over_different_transports,
    two_people_chat_after_an_upgrade,
    a_newcomer_gets_the_history_in_order,
    what_people_write_stays_text,
    newcomers_of_the_same_name_are_told_apart,
);

/// Alice and Bob with the given queries talk; both must be carried by the transports named.
async fn two_people_chat(
    engine: Engine,
    alice_query: &str,
    alice_transport: &str,
    bob_query: &str,
    bob_transport: &str,
) {
    let server = encke("127.0.0.1:0").await;
    let (alice, bob) = (Page::open(engine).await, Page::open(engine).await);
    alice.enter(&format!("{}/{alice_query}", server.url()), "Alice").await;
    bob.enter(&format!("{}/{bob_query}", server.url()), "Bob").await;
    for page in [&alice, &bob] {
        page.until_people(&["Alice", "Bob"]).await;
    }
    for round in 0..3 {
        alice.say(&format!("ping {round}")).await;
        alice.until_line("sent", &format!("ping {round}")).await;
        bob.until_line("other", &format!("ping {round}")).await;
        bob.say(&format!("pong {round}")).await;
        bob.until_line("sent", &format!("pong {round}")).await;
        alice.until_line("other", &format!("pong {round}")).await;
    }
    alice.until_transport(alice_transport).await;
    bob.until_transport(bob_transport).await;
    assert_eq!(alice.lines_with("ping").await.len(), 3, "each line stands once at its author's");
    assert_eq!(bob.lines_with("ping").await.len(), 3, "each line stands once at the other's");
    bob.close().await;
    alice.until_people(&["Alice"]).await;
    alice.close().await;
}

async fn two_people_chat_over_websocket(engine: Engine) {
    two_people_chat(engine, "", "websocket", "?transport=websocket", "websocket").await;
}

async fn two_people_chat_over_long_polling(engine: Engine) {
    two_people_chat(engine, "?transport=polling", "polling", "?transport=polling", "polling").await;
}

async fn two_people_chat_over_scripts_and_forms(engine: Engine) {
    two_people_chat(engine, "?transport=jsonp", "jsonp", "?transport=jsonp", "jsonp").await;
}

async fn two_people_chat_over_different_transports(engine: Engine) {
    two_people_chat(engine, "?transport=websocket", "websocket", "?transport=polling", "polling").await;
}

async fn two_people_chat_after_an_upgrade(engine: Engine) {
    let upgrade = "?transport=polling,websocket";
    two_people_chat(engine, upgrade, "websocket", upgrade, "websocket").await;
}

async fn a_newcomer_gets_the_history_in_order(engine: Engine) {
    let server = encke("127.0.0.1:0").await;
    let alice = Page::open(engine).await;
    alice.enter(server.url(), "Alice").await;
    for i in 0..5 {
        alice.say(&format!("line {i}")).await;
    }
    alice.until_line("sent", "line 4").await;
    let bob = Page::open(engine).await;
    bob.enter(server.url(), "Bob").await;
    bob.until_line("other", "line 4").await;
    let lines = bob.lines_with("line ").await;
    assert_eq!(lines.len(), 5);
    for (i, line) in lines.iter().enumerate() {
        assert!(line.contains(&format!("line {i}")), "{lines:?}");
    }
}

async fn what_people_write_stays_text(engine: Engine) {
    let server = encke("127.0.0.1:0").await;
    let (alice, bob) = (Page::open(engine).await, Page::open(engine).await);
    let name = "<b>Mallory</b>";
    alice.enter(server.url(), name).await;
    bob.enter(server.url(), "Bob").await;
    let text = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
    alice.say(text).await;
    bob.until_line("other", text).await;
    for page in [&alice, &bob] {
        page.until_people(&[name, "Bob"]).await;
        page.until(
            "nothing became markup",
            "return !document.querySelector('#log img, #log script, #log b, #people b')",
        )
        .await;
        assert!(!page.text_of("return document.title").await.contains("owned"));
    }
}

async fn newcomers_of_the_same_name_are_told_apart(engine: Engine) {
    let server = encke("127.0.0.1:0").await;
    let (first, second) = (Page::open(engine).await, Page::open(engine).await);
    first.enter(server.url(), "Sam").await;
    second.enter(server.url(), "Sam").await;
    first.until("there are two names", "const n = [...document.querySelectorAll('#people li')].map(i => i.textContent); return n.length === 2 && n[0] !== n[1]").await;
}
