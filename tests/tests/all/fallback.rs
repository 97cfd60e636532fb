//! What stands between people and the server, caused by the real thing: they chat, and see how.

mod foreign;
mod haproxy;
mod nginx;

use encke_tests::browser::{Engine, Page};

/// Enough to be told apart, and more than one payload of polling takes.
const LINES: usize = 30;

/// What breaks scripts, forms, lines and encodings that are made without care.
const HOSTILE: &str = "a\u{2028}b</script><!-- \\n \\\\n \\ \"'&amp;+%0A\u{1f980}\né\\";

/// Alice and Bob, each with a browser at that address.
async fn alice_and_bob(engine: Engine, url: &str) -> (Page, Page) {
    let (alice, bob) = (Page::open(engine).await, Page::open(engine).await);
    alice.enter(url, "Alice").await;
    bob.enter(url, "Bob").await;
    for page in [&alice, &bob] {
        page.until_people(&["Alice", "Bob"]).await;
    }
    (alice, bob)
}

/// Both write many lines at the same time, and something hostile; everything arrives, once, in order and as it was.
async fn they_chat(alice: &Page, bob: &Page) {
    let talk = async |page: &Page, name: &str| {
        for i in 0..LINES {
            page.say(&format!("{name} says {i}.")).await;
        }
        page.paste(HOSTILE).await;
    };
    tokio::join!(talk(alice, "Alice"), talk(bob, "Bob"));
    for (page, own, other) in [(alice, "Alice", "Bob"), (bob, "Bob", "Alice")] {
        for (state, name) in [("sent", own), ("other", other)] {
            page.until_line(state, HOSTILE).await;
            let lines = page.lines_with(&format!("{name} says")).await;
            assert_eq!(lines.len(), LINES, "each exactly once: {lines:?}");
            for (i, line) in lines.iter().enumerate() {
                assert!(line.contains(&format!("{name} says {i}.")), "in order: {lines:?}");
            }
        }
    }
}
