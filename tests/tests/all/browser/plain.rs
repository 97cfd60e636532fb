//! The chat without scripts, in browsers that have them: a form, and a frame that loads anew.

use super::encke;
use encke_tests::browser::{Engine, Page};
use encke_tests::engine::{Answer, Polling};
use encke_tests::in_each_engine;
use serde_json::json;

in_each_engine!(half_typed_text_survives_while_the_newest_message_comes_into_view);

/// Waits until the frame's last message is that, and stands in the frame's view.
async fn until_last_in_view(page: &Page, text: &str) {
    let script = format!(
        "const frame = document.querySelector('iframe'); \
         const last = frame.contentDocument && [...frame.contentDocument.querySelectorAll('.said')].pop(); \
         const box = last && last.getBoundingClientRect(); \
         return !!box && last.textContent === {} && box.top >= 0 && box.bottom <= frame.clientHeight",
        json!(text)
    );
    page.until(&format!("{text:?} is the last message, and in view"), &script).await;
}

async fn half_typed_text_survives_while_the_newest_message_comes_into_view(engine: Engine) {
    let server = encke("127.0.0.1:0").await;
    let bob = Polling::join(server.url()).await;
    assert_eq!(bob.post(r#"420["join",{"name":"Bob"}]"#).await, Answer::ok());
    bob.poll_for(|packet| packet.starts_with("430")).await;
    // More than a frame shows at once.
    let says = (0..60).map(|i| format!(r#"42["say",{{"key":"{i}","text":"line {i}"}}]"#));
    assert_eq!(bob.post(says.collect::<Vec<_>>().join("\u{1e}")).await, Answer::ok());

    let ann = Page::open(engine).await;
    ann.visit(&format!("{}/plain", server.url())).await;
    until_last_in_view(&ann, "line 59").await;
    ann.wait_for("#name").await.send_keys("Ann").await.expect("the name can be typed");
    ann.wait_for("#text").await.send_keys("hello").await.expect("the text can be typed");
    ann.wait_for("button").await.click().await.expect("it can be clicked");
    until_last_in_view(&ann, "hello").await;
    let heard = bob.poll_for(|packet| packet.contains("posted")).await;
    assert!(heard.contains(r#""name":"Ann (plain)","text":"hello""#), "{heard}");

    // On the page that comes behind what was sent, which holds the same fields.
    let named = "return document.body.textContent.includes('Others see you as')";
    ann.until("the page says what others see", named).await;
    ann.wait_for("#text").await.send_keys("half a th").await.expect("the text can be typed");
    assert_eq!(bob.post(r#"42["say",{"key":"k","text":"meanwhile"}]"#).await, Answer::ok());
    until_last_in_view(&ann, "meanwhile").await;
    assert_eq!(ann.text_of("return document.querySelector('#text').value").await, "half a th");
    assert_eq!(ann.text_of("return document.querySelector('#name').value").await, "Ann");
    ann.close().await;
}
