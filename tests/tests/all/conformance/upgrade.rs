//! From polling to WebSocket: nothing lost, nothing reordered, no stall.

use super::server;
use encke_tests::engine::{Answer, Polling};
use encke_tests::frames::{Frames, text};

async fn probe(server: &str, sid: &str) -> Frames {
    let mut socket = Frames::open(server, &format!("EIO=4&transport=websocket&sid={sid}")).await;
    socket.write(&text("2probe")).await;
    assert_eq!(socket.read().await.text(), "3probe");
    socket
}

#[tokio::test]
async fn a_probe_releases_the_waiting_poll() {
    let server = server().await;
    let session = Polling::join(server.url()).await;
    let poll = session.start_poll();
    let mut socket = probe(server.address(), &session.sid).await;
    assert_eq!(poll.await.expect("the poll ends").body, "6");
    socket.write(&text("5")).await;
    socket.write(&text(r#"421["echo","over the socket"]"#)).await;
    assert_eq!(socket.read().await.text(), r#"431["over the socket"]"#);
    assert_eq!(session.poll().await, Answer::refusal(400, 3, "Bad request"));
}

#[tokio::test]
async fn a_poll_that_comes_during_the_upgrade_does_not_wait() {
    let server = server().await;
    let session = Polling::join(server.url()).await;
    let _socket = probe(server.address(), &session.sid).await;
    for _ in 0..3 {
        assert_eq!(session.poll().await.body, "6");
    }
}

#[tokio::test]
async fn messages_that_wait_are_sent_over_the_socket() {
    let server = server().await;
    let session = Polling::join(server.url()).await;
    let mut socket = probe(server.address(), &session.sid).await;
    let events: Vec<_> = (0..10).map(|i| format!("42{i}[\"echo\",{i}]")).collect();
    assert_eq!(session.post(events.join("\u{1e}")).await, Answer::ok());
    socket.write(&text("5")).await;
    for i in 0..10 {
        assert_eq!(socket.read().await.text(), format!("43{i}[{i}]"));
    }
}

#[tokio::test]
async fn a_probe_that_breaks_off_leaves_the_session_on_polling() {
    let server = server().await;
    let session = Polling::join(server.url()).await;
    drop(probe(server.address(), &session.sid).await);
    assert_eq!(session.post(r#"421["echo",1]"#).await, Answer::ok());
    assert_eq!(session.poll_for(|packet| packet.starts_with('4')).await, "431[1]");
    // And it may try again, once the server has seen the end of the first.
    loop {
        let query = format!("EIO=4&transport=websocket&sid={}", session.sid);
        let mut again = Frames::open(server.address(), &query).await;
        again.write(&text("2probe")).await;
        if again.read().await.close_code().is_none() {
            break;
        }
    }
}

#[tokio::test]
async fn a_second_socket_is_closed_and_the_first_goes_on() {
    let server = server().await;
    let session = Polling::join(server.url()).await;
    let mut first = probe(server.address(), &session.sid).await;
    let query = format!("EIO=4&transport=websocket&sid={}", session.sid);
    let mut second = Frames::open(server.address(), &query).await;
    assert_eq!(second.closed_with().await, Some(1008));
    first.write(&text("5")).await;
    first.write(&text(r#"421["echo",1]"#)).await;
    assert_eq!(first.read().await.text(), "431[1]");
}

#[tokio::test]
async fn a_wrong_probe_closes_the_socket_alone() {
    let server = server().await;
    let session = Polling::join(server.url()).await;
    for wrong in ["2", "3probe", "5", "4hello", "junk"] {
        let query = format!("EIO=4&transport=websocket&sid={}", session.sid);
        let mut socket = Frames::open(server.address(), &query).await;
        socket.write(&text(wrong)).await;
        assert!(socket.ended().await, "{wrong}");
    }
    assert_eq!(session.post(r#"421["echo",1]"#).await, Answer::ok());
    assert_eq!(session.poll_for(|packet| packet.starts_with('4')).await, "431[1]");
}
