//! The server dies and comes back: everybody is there again, and nothing that was written is lost or doubled.

use super::encke;
use encke_tests::browser::{Engine, Page};
use encke_tests::in_each_engine;

in_each_engine!(
    a_chat_over_websocket_survives_a_crash,
    a_chat_over_long_polling_survives_a_crash,
    a_chat_over_scripts_and_forms_survives_a_crash,
    a_chat_over_websocket_survives_a_polite_restart,
    a_chat_over_long_polling_survives_a_polite_restart,
    a_chat_over_scripts_and_forms_survives_a_polite_restart,
    an_upgraded_chat_survives_a_polite_restart,
);

/// How the server goes away.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// Asked to, as by Ctrl-C.
    Polite,
    /// As by a crash.
    Sudden,
}

async fn survives_a_restart(engine: Engine, query: &str, end: End) {
    let server = encke("127.0.0.1:0").await;
    let address = server.address().to_owned();
    let (alice, bob) = (Page::open(engine).await, Page::open(engine).await);
    for (page, name) in [(&alice, "Alice"), (&bob, "Bob")] {
        page.enter(&format!("{}/{query}", server.url()), name).await;
    }
    alice.say("before").await;
    bob.until_line("other", "before").await;

    // One message is under way when the server ends: perhaps taken, perhaps not.
    alice.say("meanwhile 0").await;
    match end {
        End::Polite => assert!(server.stop().await.success()),
        End::Sudden => server.kill().await,
    }
    for page in [&alice, &bob] {
        let lost = "return document.querySelector('#status').dataset.state !== 'connected'";
        page.until("the loss is told", lost).await;
        let words = "return /Disconnected|Reconnecting/.test(document.querySelector('#status').innerText)";
        page.until("it is told in words", words).await;
    }
    for i in 1..4 {
        alice.say(&format!("meanwhile {i}")).await;
        alice.until_line("pending", &format!("meanwhile {i}")).await;
    }

    let server = encke(&address).await;
    for page in [&alice, &bob] {
        page.until_status("connected").await;
        page.until_people(&["Alice", "Bob"]).await;
    }
    for i in 0..4 {
        alice.until_line("sent", &format!("meanwhile {i}")).await;
        bob.until_line("other", &format!("meanwhile {i}")).await;
    }
    bob.say("after").await;
    alice.until_line("other", "after").await;
    for page in [&alice, &bob] {
        let lines = page.lines_with("meanwhile").await;
        assert_eq!(lines.len(), 4, "each exactly once: {lines:?}");
        for (i, line) in lines.iter().enumerate() {
            assert!(line.contains(&format!("meanwhile {i}")), "in order: {lines:?}");
        }
        assert_eq!(page.lines_with("before").await.len(), 1, "what stood on the page still stands there");
        let notes = "return !/ left/.test(document.querySelector('#log').innerText)";
        page.until("nobody is said to have left", notes).await;
    }
    assert!(server.stop().await.success());
}

async fn a_chat_over_websocket_survives_a_crash(engine: Engine) {
    survives_a_restart(engine, "?transport=websocket", End::Sudden).await;
}

async fn a_chat_over_long_polling_survives_a_crash(engine: Engine) {
    survives_a_restart(engine, "?transport=polling", End::Sudden).await;
}

async fn a_chat_over_scripts_and_forms_survives_a_crash(engine: Engine) {
    survives_a_restart(engine, "?transport=jsonp", End::Sudden).await;
}

async fn a_chat_over_websocket_survives_a_polite_restart(engine: Engine) {
    survives_a_restart(engine, "", End::Polite).await;
}

async fn a_chat_over_long_polling_survives_a_polite_restart(engine: Engine) {
    survives_a_restart(engine, "?transport=polling", End::Polite).await;
}

async fn a_chat_over_scripts_and_forms_survives_a_polite_restart(engine: Engine) {
    survives_a_restart(engine, "?transport=jsonp", End::Polite).await;
}

async fn an_upgraded_chat_survives_a_polite_restart(engine: Engine) {
    survives_a_restart(engine, "?transport=polling,websocket", End::Polite).await;
}
