//! A handler for servers that clients ask how somebody has left.

use encke_server::Handlers;
use std::collections::HashMap;
use tokio::sync::watch;

/// The event `gone` is answered when the client of that id has left, by the reason in the server's words.
pub fn tell(on: &mut Handlers) {
    let left = watch::Sender::new(HashMap::new());
    let leaving = left.clone();
    on.on_disconnect(move |socket, reason| {
        leaving.send_modify(|left| {
            left.insert(socket.id().to_string(), reason.as_server_str());
        });
    });
    on.on_named_async("gone", move |_, args, ack| {
        let mut left = left.subscribe();
        async move {
            let (id,): (String,) = args.decode().expect("gone is sent with an id");
            let reason = left.wait_for(|left| left.contains_key(&id)).await.map(|left| left[&id]);
            ack.send(reason.unwrap_or_default()).expect("words can be written");
        }
    });
}
