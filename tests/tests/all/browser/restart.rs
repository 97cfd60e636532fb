//! The server dies and comes back: everybody is there again, and nothing that was written is lost or doubled.

use super::encke;
use encke_tests::browser::Driver;

async fn survives_a_restart(query: &str) {
    let (server, driver) = (encke("127.0.0.1:0").await, Driver::chromium().await);
    let address = server.address().to_owned();
    let (alice, bob) = (driver.open().await, driver.open().await);
    for (page, name) in [(&alice, "Alice"), (&bob, "Bob")] {
        page.enter(&format!("{}/{query}", server.url()), name).await;
    }
    alice.say("before").await;
    bob.until_line("other", "before").await;

    server.kill().await;
    for page in [&alice, &bob] {
        page.until(
            "the loss is told",
            "return document.querySelector('#status').dataset.state !== 'connected'",
        )
        .await;
        page.until(
            "it is told in words",
            "return document.querySelector('#status').innerText.match(/Disconnected|Reconnecting/) !== null",
        )
        .await;
    }
    for i in 0..3 {
        alice.say(&format!("meanwhile {i}")).await;
        alice.until_line("pending", &format!("meanwhile {i}")).await;
    }

    let server = encke(&address).await;
    for page in [&alice, &bob] {
        page.until_status("connected").await;
        page.until_people(&["Alice", "Bob"]).await;
    }
    for i in 0..3 {
        alice.until_line("sent", &format!("meanwhile {i}")).await;
        bob.until_line("other", &format!("meanwhile {i}")).await;
    }
    bob.say("after").await;
    alice.until_line("other", "after").await;
    for page in [&alice, &bob] {
        let lines = page.lines_with("meanwhile").await;
        assert_eq!(lines.len(), 3, "each exactly once: {lines:?}");
        for (i, line) in lines.iter().enumerate() {
            assert!(line.contains(&format!("meanwhile {i}")), "in order: {lines:?}");
        }
        assert_eq!(page.lines_with("before").await.len(), 1, "what stood on the page still stands there");
    }
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn a_chat_over_websocket_survives_a_restart() {
    survives_a_restart("?transport=websocket").await;
}

#[tokio::test]
async fn a_chat_over_long_polling_survives_a_restart() {
    survives_a_restart("?transport=polling").await;
}
