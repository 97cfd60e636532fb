//! WebSocket framing, frame by frame (RFC 6455; the section stands at each test).

use super::{Bystander, server};
use encke_tests::frames::{Frame, Frames, frame, text};
use encke_tests::program::Program;

/// A joined connection, and the answer to `echo` of `value` with id 1.
async fn joined() -> (Program, Frames) {
    let server = server().await;
    let frames = Frames::join(server.address()).await;
    (server, frames)
}

fn pong(payload: &[u8]) -> Frame {
    Frame { head: 0x8a, payload: payload.to_vec() }
}

fn message(text: &str) -> Frame {
    Frame { head: 0x81, payload: text.as_bytes().to_vec() }
}

/// Sends `bytes` on a fresh connection and asserts that it is closed with `code`, and that nobody else notices.
async fn is_closed_with(code: u16, what: &str, bytes: &[u8]) {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    let mut frames = Frames::join(server.address()).await;
    frames.write(bytes).await;
    assert_eq!(frames.closed_with().await, Some(code), "{what}");
    assert!(frames.ended().await, "{what}");
    bystander.is_undisturbed().await;
}

/// Section 5.2: three forms of the length.
#[tokio::test]
async fn messages_of_every_length_form_arrive() {
    let (_server, mut frames) = joined().await;
    for len in [0, 1, 100, 125, 126, 127, 1_000, 65_000, 65_535, 65_536, 900_000] {
        let text_of_len = "x".repeat(len);
        frames.write(&text(&format!("421[\"echo\",\"{text_of_len}\"]"))).await;
        assert_eq!(frames.read().await, message(&format!("431[\"{text_of_len}\"]")), "{len} bytes");
    }
}

/// Section 5.2: the length in its shortest form.
#[tokio::test]
async fn a_length_in_a_longer_form_than_needed_is_refused() {
    let long16 = [&[0x81, 0xfe, 0, 1, 0, 0, 0, 0][..], b"6"].concat();
    is_closed_with(1002, "16 bits for 1", &long16).await;
    let long64 = [&[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0][..], b"6"].concat();
    is_closed_with(1002, "64 bits for 1", &long64).await;
}

/// Section 5.1: clients mask.
#[tokio::test]
async fn a_frame_without_mask_is_refused() {
    is_closed_with(1002, "no mask", &[0x81, 1, b'6']).await;
}

/// Section 5.2: reserved bits and opcodes.
#[tokio::test]
async fn reserved_bits_and_opcodes_are_refused() {
    for head in [0xc1, 0xa1, 0x91, 0x83, 0x87, 0x8b, 0x8f] {
        is_closed_with(1002, &format!("{head:#x}"), &frame(head, b"6")).await;
    }
}

/// Section 5.4: fragments, and control frames between them.
#[tokio::test]
async fn a_message_in_fragments_with_a_ping_between_arrives_whole() {
    let (_server, mut frames) = joined().await;
    frames.write(&frame(0x01, b"421[\"ec")).await;
    frames.write(&frame(0x89, b"between")).await;
    assert_eq!(frames.read().await, pong(b"between"));
    frames.write(&frame(0x00, b"")).await;
    frames.write(&frame(0x00, b"ho\",")).await;
    frames.write(&frame(0x80, b"2]")).await;
    assert_eq!(frames.read().await, message("431[2]"));
}

/// Section 5.4: what begins must end before anything else begins.
#[tokio::test]
async fn fragments_out_of_order_are_refused() {
    is_closed_with(1002, "continuation of nothing", &frame(0x80, b"6")).await;
    let twice = [frame(0x01, b"4"), frame(0x81, b"6")].concat();
    is_closed_with(1002, "a message inside a message", &twice).await;
}

/// Section 5.5: control frames are short and whole.
#[tokio::test]
async fn long_or_fragmented_control_frames_are_refused() {
    is_closed_with(1002, "a long ping", &frame(0x89, &[b'x'; 126])).await;
    is_closed_with(1002, "a fragment of a ping", &frame(0x09, b"x")).await;
    is_closed_with(1002, "a fragment of a close", &frame(0x08, &[0x03, 0xe8])).await;
}

/// Section 8.1: text is UTF-8, and a character may be cut by a fragment.
#[tokio::test]
async fn text_is_utf8_also_across_fragments() {
    let (_server, mut frames) = joined().await;
    let event = "421[\"echo\",\"🦀\"]".as_bytes();
    let cut = event.iter().position(|byte| *byte == 0xf0).expect("the crab is there") + 2;
    frames.write(&frame(0x01, &event[..cut])).await;
    frames.write(&frame(0x80, &event[cut..])).await;
    assert_eq!(frames.read().await, message("431[\"🦀\"]"));

    is_closed_with(1007, "a stray byte", &frame(0x81, b"42[\"echo\",\"\xff\"]")).await;
    is_closed_with(1007, "a cut character", &frame(0x81, b"42[\"echo\",\"\xf0\x9f")).await;
    is_closed_with(1007, "a surrogate", &frame(0x81, b"42[\"echo\",\"\xed\xa0\x80\"]")).await;
    let cut_for_good = [frame(0x01, b"42[\"echo\",\"\xf0\x9f"), frame(0x80, b"x\"]")].concat();
    is_closed_with(1007, "a character cut for good", &cut_for_good).await;
}

/// Section 10.4: limits.
#[tokio::test]
async fn a_message_beyond_the_limit_is_refused_before_it_has_come() {
    let mut head = frame(0x81, &[b'x'; 70_000])[..14].to_vec();
    head[2..10].copy_from_slice(&1_000_001_u64.to_be_bytes());
    is_closed_with(1009, "announced", &head).await;
    head[2..10].copy_from_slice(&(u64::MAX >> 1).to_be_bytes());
    is_closed_with(1009, "announced beyond memory", &head).await;
    let fragments: Vec<u8> =
        (0..16).flat_map(|i| frame(if i == 0 { 0x01 } else { 0x00 }, &[b'4'; 65_535])).collect();
    is_closed_with(1009, "in fragments", &fragments).await;
}

/// Section 5.2: the highest bit of a 64-bit length is 0.
#[tokio::test]
async fn a_length_with_its_highest_bit_set_is_refused() {
    let head = [0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    let server = server().await;
    let mut frames = Frames::join(server.address()).await;
    frames.write(&head).await;
    let code = frames.closed_with().await;
    assert!(matches!(code, Some(1002 | 1009)), "{code:?}");
}

/// Section 5.5.1 and 7.4: closing. A right close is answered by a normal one.
#[tokio::test]
async fn a_close_is_answered_and_its_code_is_checked() {
    for (payload, answer) in [
        (&[0x03, 0xe8][..], 1000),
        (&[0x03, 0xe9][..], 1000),
        (&[0x0b, 0xb8, b'b', b'y', b'e'][..], 1000),
        (&[0x13, 0x87][..], 1000),
        (&[][..], 1000),
        (&[0x03][..], 1002),
        (&[0x03, 0xed][..], 1002),
        (&[0x03, 0xee][..], 1002),
        (&[0x00, 0x00][..], 1002),
        (&[0x13, 0x88][..], 1002),
        (&[0x03, 0xe8, 0xff][..], 1007),
    ] {
        let (_server, mut frames) = joined().await;
        frames.write(&frame(0x88, payload)).await;
        assert_eq!(frames.closed_with().await, Some(answer), "{payload:?}");
        assert!(frames.ended().await);
    }
}

/// Nothing in the standard says how many bytes come at once.
#[tokio::test]
async fn frames_may_come_byte_by_byte_or_many_at_once() {
    let (_server, mut frames) = joined().await;
    for byte in text("421[\"echo\",\"slowly\"]") {
        frames.write(&[byte]).await;
    }
    assert_eq!(frames.read().await, message("431[\"slowly\"]"));
    let many: Vec<u8> = (0..1_000).flat_map(|i| text(&format!("42{i}[\"echo\",{i}]"))).collect();
    frames.write(&many).await;
    for i in 0..1_000 {
        assert_eq!(frames.read().await, message(&format!("43{i}[{i}]")));
    }
}

/// The end of a connection in the middle of a frame is the end of that session, and of nothing else.
#[tokio::test]
async fn a_connection_cut_in_a_frame_disturbs_nobody() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    for cut in 1..14 {
        let mut frames = Frames::join(server.address()).await;
        frames.write(&text("421[\"echo\",1]")[..cut]).await;
        drop(frames);
    }
    bystander.is_undisturbed().await;
}

#[tokio::test]
async fn binary_messages_arrive_as_they_are() {
    let (_server, mut frames) = joined().await;
    frames.write(&text(r#"451-8["echo",{"_placeholder":true,"num":0}]"#)).await;
    frames.write(&frame(0x02, &[1, 2])).await;
    frames.write(&frame(0x80, &[3, 0xff])).await;
    assert_eq!(frames.read().await, message(r#"461-8[{"_placeholder":true,"num":0}]"#));
    assert_eq!(frames.read().await, Frame { head: 0x82, payload: vec![1, 2, 3, 0xff] });
}
