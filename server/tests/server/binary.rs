//! Bytes in events and acks, as values and as they came.

use crate::support::{Polling, Ws, masked, start, within};
use encke_server::contract::{BothWays, Event};
use encke_server::{AckError, Binary, Server};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Upload {
    name: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    bytes: Binary,
}

impl Event for Upload {
    const NAME: &'static str = "upload";
    type Direction = BothWays;
    type Ack = Option<Binary>;
    type Error = Binary;
}

fn upload() -> Upload {
    let parts = [vec![1], vec![2, 3]].map(|bytes| Part { bytes: bytes.into() });
    Upload { name: "x".to_owned(), parts: parts.into() }
}

const UPLOAD: &str = r#"{"name":"x","parts":[{"bytes":{"_placeholder":true,"num":0}},{"bytes":{"_placeholder":true,"num":1}}]}"#;
const BYTES: &str = r#"{"_placeholder":true,"num":0}"#;

async fn send(client: &mut Ws<TcpStream>, text: &str, attachments: &[&[u8]]) {
    client.text(text).await;
    for attachment in attachments {
        client.raw(&masked(0x82, attachment)).await;
    }
}

async fn expect(client: &mut Ws<TcpStream>, text: &str, attachments: &[&[u8]]) {
    assert_eq!(client.next_text().await, text);
    for attachment in attachments {
        let frame = client.next().await;
        assert_eq!((frame.first, &*frame.payload), (0x82, *attachment));
    }
}

#[tokio::test]
async fn a_typed_event_has_bytes_anywhere_in_it_and_in_its_ack() {
    let running = start(Server::builder().namespace("/", |on| {
        on.on(|socket, event: Upload| match event {
            event if event.name == "refuse" => Err(Binary(vec![9])),
            event => {
                socket.emit(&event).expect("writable");
                Ok(event.parts.into_iter().next_back().map(|part| part.bytes))
            }
        });
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    send(&mut client, &format!(r#"452-7["upload",{UPLOAD}]"#), &[&[1], &[2, 3]]).await;
    expect(&mut client, &format!(r#"452-["upload",{UPLOAD}]"#), &[&[1], &[2, 3]]).await;
    expect(&mut client, &format!("461-7[{BYTES}]"), &[&[2, 3]]).await;
    send(&mut client, r#"428["upload",{"name":"refuse","parts":[]}]"#, &[]).await;
    expect(&mut client, &format!(r#"461-8[{{"error":{BYTES}}}]"#), &[&[9]]).await;
    // Two parts, one attachment: no payload of this type.
    send(&mut client, &format!(r#"451-9["upload",{UPLOAD}]"#), &[&[1]]).await;
    expect(&mut client, "439[]", &[]).await;
}

#[tokio::test]
async fn answers_have_bytes_too() {
    let (sender, mut sockets) = tokio::sync::mpsc::unbounded_channel();
    let running = start(Server::builder().namespace("/", |on| {
        on.on_connect(move |socket| sender.send(socket.clone()).expect("the test listens"));
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    let socket = within(sockets.recv()).await.expect("a socket");
    let event = upload();
    let [first, second] = [(); 2].map(|()| socket.emit_with_ack(&event));
    for id in 0..2 {
        expect(&mut client, &format!(r#"452-{id}["upload",{UPLOAD}]"#), &[&[1], &[2, 3]]).await;
    }
    send(&mut client, &format!("461-0[{BYTES}]"), &[&[4]]).await;
    send(&mut client, &format!(r#"461-1[{{"error":{BYTES}}}]"#), &[&[5]]).await;
    assert_eq!(within(first).await.expect("an answer"), Some(Binary(vec![4])));
    assert!(matches!(within(second).await, Err(AckError::Refused(Binary(bytes))) if bytes == [5]));
}

#[tokio::test]
async fn by_name_bytes_are_values_among_others_and_polls_have_them_as_base64() {
    let running = start(Server::builder().namespace("/", |on| {
        on.on_named("reverse", |_socket, args, ack| {
            let (label, Binary(mut bytes)): (String, Binary) = args.decode().expect("a text and bytes");
            bytes.reverse();
            ack.send(&(label, [Binary(bytes)])).expect("writable");
        });
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    send(&mut client, &format!(r#"451-0["reverse","x",{BYTES}]"#), &[&[1, 2, 3]]).await;
    expect(&mut client, &format!(r#"461-0["x",[{BYTES}]]"#), &[&[3, 2, 1]]).await;
    let mut client = Polling::join(running.address).await;
    client.post(&format!("451-0[\"reverse\",\"x\",{BYTES}]\u{1e}bAQID")).await;
    assert_eq!(client.poll().await, format!("461-0[\"x\",[{BYTES}]]\u{1e}bAwIB"));
}
