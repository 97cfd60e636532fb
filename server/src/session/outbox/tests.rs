use super::*;
use crate::frame::Opcode;
use crate::turn;

fn frames(opcode: Opcode, payload: &[u8]) -> Frames {
    turn::write(|bytes| {
        let start = frame::begin(bytes);
        bytes.extend_from_slice(payload);
        frame::finish(bytes, start, opcode);
    })
}

fn text(payload: &str) -> Frames {
    frames(Opcode::Text, payload.as_bytes())
}

fn written(outbox: &Outbox) -> Vec<Vec<u8>> {
    let mut slices = [IoSlice::new(&[]); MAX_SLICES];
    let (count, _) = outbox.slices(&mut slices);
    slices[..count].iter().map(|slice| slice.to_vec()).collect()
}

#[test]
fn frames_of_one_turn_that_touch_are_one_piece() {
    let mut outbox = Outbox::default();
    turn::run(|| {
        assert!(outbox.push(&text("4a")), "first of this turn");
        assert!(!outbox.push(&text("4b")));
        text("for somebody else");
        assert!(!outbox.push(&text("4c")));
        assert!(written(&outbox).is_empty(), "the turn has not ended");
    });
    assert_eq!(written(&outbox), [b"\x81\x024a\x81\x024b".to_vec(), b"\x81\x024c".to_vec()]);
}

#[test]
fn a_write_may_end_anywhere() {
    let mut outbox = Outbox::default();
    turn::run(|| outbox.push(&text("4hello")));
    turn::run(|| outbox.push(&text("4world")));
    let whole = written(&outbox).concat();
    for left in (0..whole.len()).rev() {
        outbox.advance(1);
        assert_eq!(written(&outbox).concat(), whole[whole.len() - left..]);
    }
    assert!(outbox.is_empty());
    assert_eq!(outbox.cost(), 0);
}

#[test]
fn a_payload_holds_sixteen_packets() {
    let mut outbox = Outbox::default();
    turn::run(|| {
        for index in 0..20 {
            outbox.push(&text(&format!("4{index}")));
        }
    });
    let first: Vec<String> =
        outbox.take_payload(1_000, Version::V4).split('\u{1e}').map(str::to_owned).collect();
    assert_eq!(first, (0..16).map(|index| format!("4{index}")).collect::<Vec<_>>());
    assert_eq!(outbox.take_payload(1_000, Version::V4), "416\u{1e}417\u{1e}418\u{1e}419");
    assert_eq!(outbox.take_payload(1_000, Version::V4), "");
}

#[test]
fn a_payload_holds_what_the_limit_allows_and_always_one_packet() {
    let mut outbox = Outbox::default();
    turn::run(|| ["4aaaa", "4bbbb", "4cccccccccccccccc", "4d"].map(|packet| outbox.push(&text(packet))));
    assert_eq!(outbox.take_payload(11, Version::V4), "4aaaa\u{1e}4bbbb");
    assert_eq!(outbox.take_payload(11, Version::V4), "4cccccccccccccccc");
    assert_eq!(outbox.take_payload(11, Version::V4), "4d");
}

#[test]
fn a_binary_frame_becomes_base64_in_a_payload() {
    let mut outbox = Outbox::default();
    turn::run(|| outbox.push(&frames(Opcode::Binary, &[1, 2, 3, 4])));
    assert_eq!(outbox.take_payload(100, Version::V4), "bAQIDBA==");
}

#[test]
fn what_is_put_in_front_is_written_first() {
    let (mut front, mut outbox) = (Outbox::default(), Outbox::default());
    turn::run(|| outbox.push(&text("4b")));
    turn::run(|| outbox.push(&text("4c")));
    turn::run(|| front.push(&text("4a")));
    front.advance(1);
    outbox.put_in_front(front);
    assert_eq!(written(&outbox).concat(), b"\x024a\x81\x024b\x81\x024c");
    assert_eq!(outbox.cost(), 11 + 2 * PIECE_COST);
}

#[test]
fn every_piece_is_copied_out_once_it_is_readable() {
    let mut outbox = Outbox::default();
    for _ in 0..3 {
        turn::run(|| {
            text(&"x".repeat(100_000));
            outbox.push(&text("4small"));
            outbox.copy_out();
        });
        outbox.copy_out();
    }
    let pieces = |outbox: &Outbox| -> Vec<usize> {
        outbox.first.iter().chain(&outbox.rest).map(Frames::pinned).collect()
    };
    assert_eq!(pieces(&outbox), [8, 8, 8]);
    outbox.advance(10);
    turn::run(|| {
        text(&"x".repeat(100_000));
        outbox.push(&text("4small"));
    });
    outbox.copy_out();
    assert_eq!(pieces(&outbox), [8, 8, 8]);
}

#[test]
fn a_small_piece_of_a_large_turn_is_copied_out() {
    let mut outbox = Outbox::default();
    turn::run(|| {
        text(&"x".repeat(100_000));
        outbox.push(&text("4small"));
    });
    let pinned = |outbox: &Outbox| outbox.first.as_ref().map_or(0, Frames::pinned);
    assert!(pinned(&outbox) >= 100_000);
    outbox.copy_out();
    assert_eq!(pinned(&outbox), 8);
    assert_eq!(outbox.take_payload(100, Version::V4), "4small");
}

#[test]
fn a_payload_of_v3_says_how_long_its_packets_are() {
    let mut outbox = Outbox::default();
    turn::run(|| {
        outbox.push(&text("4é😀"));
        outbox.push(&frames(Opcode::Binary, &[1, 2, 3, 4]));
        outbox.push(&text("3"));
    });
    assert_eq!(outbox.take_payload(100, Version::V3), "4:4é😀10:b4AQIDBA==1:3");
}

#[test]
fn a_websocket_of_v3_carries_the_type_of_binary_messages() {
    for (form, binary) in [(Form::Typed, &b"\x82\x03\x04\x01\x02"[..]), (Form::Base64, b"\x81\x06b4AQI=")] {
        let mut outbox = Outbox::default();
        turn::run(|| {
            outbox.push(&text("4a"));
            outbox.push(&frames(Opcode::Binary, &[1, 2]));
            outbox.push(&text("4b"));
            outbox.prepare(form);
        });
        outbox.prepare(form);
        assert_eq!(written(&outbox).concat(), [b"\x81\x024a", binary, b"\x81\x024b"].concat());
        outbox.advance(5);
        turn::run(|| outbox.push(&frames(Opcode::Binary, &[1, 2])));
        outbox.prepare(form);
        outbox.prepare(form);
        let rest = [b"\x81\x024a", binary, b"\x81\x024b", binary].concat();
        assert_eq!(written(&outbox).concat(), rest[5..]);
        assert_eq!(outbox.bytes, rest.len() - 5);
        outbox.advance(rest.len());
        assert_eq!((outbox.is_empty(), outbox.prepared), (true, 0));
    }
}

#[test]
fn a_message_for_many_is_compressed_once() {
    let form = Form::Deflated { window_bits: 15, threshold: 100 };
    let mut outboxes = [(); 4].map(|()| Outbox::default());
    turn::run(|| {
        outboxes[3].push(&text("4for one alone"));
        let frames = text(&"4".repeat(1_000));
        for outbox in &mut outboxes {
            outbox.push(&frames);
        }
    });
    let turn = outboxes[2].first.clone().expect("queued");
    for reader in [0, 1, 3] {
        outboxes[reader].prepare(form);
    }
    let [one, other, plain, joined] = &outboxes;
    let piece = |outbox: &Outbox| outbox.first.clone().expect("queued");
    assert!(piece(one).same_turn(&piece(other)), "the same bytes for both");
    assert_eq!(one.cost(), piece(one).len());
    assert!(one.cost() < 100 && written(one)[0][0] == 0xC1);
    assert_eq!(plain.cost(), 1_004, "who reads none gets it as it is");
    assert_eq!(turn.twins(), 1, "of the message alone, not of what stands beside it somewhere");
    assert_eq!(written(joined).concat(), [b"\x81\x0e4for one alone", &*written(one).concat()].concat());
}

#[test]
fn what_is_not_to_be_compressed_stays_so_beside_others_and_when_it_is_copied_out() {
    let form = Form::Deflated { window_bits: 15, threshold: 100 };
    let (secret, other) = ("4".repeat(1_000), "4".repeat(2_000));
    let mut outbox = Outbox::default();
    turn::run(|| {
        text(&"x".repeat(100_000));
        outbox.push(&text(&other));
        outbox.push(&text(&secret).single());
        outbox.push(&text(&other));
    });
    outbox.copy_out();
    outbox.prepare(form);
    let [before, piece, behind] = &*written(&outbox) else { panic!("three pieces") };
    assert!(before.len() < 100 && behind.len() < 100);
    assert!(piece.ends_with(secret.as_bytes()));
}

#[test]
fn what_a_probe_has_prepared_is_not_joined() {
    let (mut front, mut outbox) = (Outbox::default(), Outbox::default());
    turn::run(|| {
        front.push(&text("3probe"));
        outbox.push(&frames(Opcode::Binary, &[1, 2]));
    });
    front.prepare(Form::Typed);
    outbox.put_in_front(front);
    outbox.prepare(Form::Typed);
    assert_eq!(written(&outbox).concat(), b"\x81\x063probe\x82\x03\x04\x01\x02");
}
