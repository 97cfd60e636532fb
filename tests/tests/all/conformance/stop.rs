//! The graceful stop: everybody is told, and the program ends by itself.

use super::server;
use encke_tests::engine::Polling;
use encke_tests::frames::Frames;

#[tokio::test]
async fn a_stop_tells_every_client_and_ends_with_success() {
    let server = server().await;
    let polling = Polling::join(server.url()).await;
    let poll = polling.start_poll();
    let mut socket = Frames::join(server.address()).await;
    let stopped = tokio::spawn(server.stop());
    let goodbye = poll.await.expect("the poll ends");
    assert_eq!(goodbye.status, 200);
    assert_eq!(goodbye.body.rsplit('\u{1e}').next(), Some("1"), "{goodbye:?}");
    assert_eq!(socket.closed_with().await, Some(1001));
    assert!(stopped.await.expect("no panic").success());
}
