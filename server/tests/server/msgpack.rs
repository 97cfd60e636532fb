//! A server whose packets are msgpack.

use crate::echo;
use crate::support::{Frame, PATH, Polling, Ws, masked, start};
use encke_server::{Parser, Refusal};
use tokio::net::TcpStream;

const CONNECT: &[u8] = b"\x82\xa4type\x00\xa3nsp\xa1/";

async fn join(address: std::net::SocketAddr) -> Ws<TcpStream> {
    let mut ws = Ws::open(address, &format!("{PATH}&transport=websocket")).await;
    assert!(ws.next_text().await.starts_with("0{"));
    ws.raw(&masked(0x82, CONNECT)).await;
    let Frame { first, payload } = ws.next().await;
    assert_eq!(first, 0x82);
    assert!(payload.starts_with(b"\x83\xa4type\x00\xa3nsp\xa1/\xa4data\x81\xa3sid\xb6"), "{payload:?}");
    ws
}

#[tokio::test]
async fn events_acks_and_binary_are_messages_of_one_frame() {
    let running = start(echo().parser(Parser::MsgPack)).await;
    let (mut one, mut other) = (join(running.address).await, join(running.address).await);
    one.raw(&masked(
        0x82,
        b"\x84\xa4type\x02\xa3nsp\xa1/\xa2id\x07\xa4data\x93\xa4echo\x91\xc4\x02\x01\x02\xc0",
    ))
    .await;
    let ack = b"\x84\xa4type\x03\xa3nsp\xa1/\xa2id\x07\xa4data\x92\x91\xc4\x02\x01\x02\xc0";
    assert_eq!(one.next().await, Frame { first: 0x82, payload: ack.to_vec() });
    let chat = b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa4chat\xc4\x01\x05";
    one.raw(&masked(0x82, chat)).await;
    assert_eq!(other.next().await, Frame { first: 0x82, payload: chat.to_vec() });
}

#[tokio::test]
async fn over_long_polling_packets_are_base64() {
    let running = start(echo().parser(Parser::MsgPack)).await;
    let mut client = Polling::open(running.address).await;
    client.post("bgqR0eXBlAKNuc3ChLw==").await;
    let answer = client.poll().await;
    assert!(answer.starts_with("bg6R0eXBlAKNuc3ChL6RkYXRhgaNzaWS2"), "{answer}");
}

#[tokio::test]
async fn refusals_and_goodbyes_are_msgpack_too() {
    let running = start(
        echo()
            .parser(Parser::MsgPack)
            .namespace("/no", |on| {
                on.admit(|_, _| Err(Refusal::new("no").with_data(&[1]).expect("writable")));
            })
            .namespace("/out", |on| {
                on.on_connect(encke_server::Socket::disconnect);
            }),
    )
    .await;
    let mut ws = join(running.address).await;
    ws.raw(&masked(0x82, b"\x82\xa4type\x00\xa3nsp\xa3/no")).await;
    let refusal = b"\x83\xa4type\x04\xa3nsp\xa3/no\xa4data\x82\xa7message\xa2no\xa4data\x91\x01";
    assert_eq!(ws.next().await, Frame { first: 0x82, payload: refusal.to_vec() });
    ws.raw(&masked(0x82, b"\x82\xa4type\x00\xa3nsp\xa4/out")).await;
    assert!(ws.next().await.payload.starts_with(b"\x83\xa4type\x00\xa3nsp\xa4/out"));
    let goodbye = b"\x82\xa4type\x01\xa3nsp\xa4/out";
    assert_eq!(ws.next().await, Frame { first: 0x82, payload: goodbye.to_vec() });
}

#[tokio::test]
async fn who_speaks_another_form_is_put_out() {
    let running = start(echo().parser(Parser::MsgPack)).await;
    let mut ws = Ws::open(running.address, &format!("{PATH}&transport=websocket")).await;
    ws.text("40").await;
    assert_eq!(ws.close_code().await, 1002);
    for wrong in [&b""[..], b"\xc1", b"\x82\xa4type\x02\xa3nsp\xa1/", b"\xdf\xff\xff\xff\xff"] {
        let mut ws = join(running.address).await;
        ws.raw(&masked(0x82, wrong)).await;
        assert_eq!(ws.close_code().await, 1002, "{wrong:?}");
    }
    let running = start(echo()).await;
    let mut ws = Ws::open(running.address, &format!("{PATH}&transport=websocket")).await;
    ws.raw(&masked(0x82, CONNECT)).await;
    assert_eq!(ws.close_code().await, 1002);
}
