//! Readers of a chat, by each technique.

use crate::{Served, report, serve_beside};
use axum::Router;
use axum::routing::get;
use encke_server::chat::{Chat, HistoryLimits};
use serde_json::Value;

/// Little is said, for a short time, and somebody asks all the time.
const SHORT: [&str; 14] = [
    "--readers",
    "6",
    "--writers",
    "2",
    "--rate",
    "40",
    "--every",
    "0.2",
    "--history",
    "20",
    "--secs",
    "0.5",
    "--warmup",
    "0.1",
];

/// A chat, and a page of its messages that is as the real one to who looks for texts only.
fn serve_chat() -> Served {
    let chat = Chat::new(HistoryLimits::default());
    let shown = chat.clone();
    let page = async move || {
        let line = |text: &str| format!("<li><p class=\"said\" dir=\"auto\">{text}</p></li>");
        shown.history().iter().map(|posted| line(&posted.text)).collect::<String>()
    };
    serve_beside(Router::new().route("/plain/messages", get(page)), |on| chat.register(on))
}

fn read_by(technique: &str) -> Value {
    let served = serve_chat();
    let report = report(served.address, &[&["chat", "--technique", technique], &SHORT[..]].concat());
    assert_eq!(report["sound"], true, "{report}");
    assert!(report["deliveries_per_s"].is_f64(), "{report}");
    report
}

#[test]
fn who_asks_for_the_page_reads_what_was_said_since() {
    let report = read_by("periodic");
    assert!(report["requests"].as_i64() > Some(0), "{report}");
    assert_eq!(report["every_s"], 0.2);
}

#[test]
fn who_polls_makes_a_request_for_what_comes() {
    let report = read_by("polling");
    assert!(report["requests"].as_i64() > Some(0), "{report}");
}

#[test]
fn who_has_a_websocket_makes_no_request() {
    let report = read_by("websocket");
    assert_eq!(report["requests"], 0, "{report}");
    assert!(report["bytes_read"].as_i64() > Some(0), "{report}");
}

#[test]
fn a_chat_that_was_used_is_not_measured() {
    let served = serve_chat();
    let arguments = [&["chat", "--technique", "websocket"], &SHORT[..]].concat();
    report(served.address, &arguments);
    let output = crate::load(served.address, &arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is it a new chat?"));
}
