//! Frame by frame: each rule of RFC 6455 section 5 that a client can break, and each it may use.

use super::*;
use proptest::prelude::*;

const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
const LIMIT: usize = 1_000;

/// A masked client frame, first byte as given, length in the form `size` bytes wide (0, 2 or 8).
fn raw(first: u8, size: usize, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match size {
        0 => bytes.push(MASKED | payload.len() as u8),
        2 => {
            bytes.push(MASKED | LENGTH_16);
            bytes.extend_from_slice(&(payload.len() as u16).to_be_bytes());
        }
        _ => {
            bytes.push(MASKED | LENGTH_64);
            bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    raw(
        first,
        if payload.len() < 126 {
            0
        } else if payload.len() < 65_536 {
            2
        } else {
            8
        },
        payload,
    )
}

/// Everything that came out of a stream of frames, as text.
fn run(frames: &[Vec<u8>], limit: usize) -> Result<Vec<String>, Violation> {
    let mut decoder = Decoder::default();
    let mut bytes = frames.concat();
    let mut rest = &mut bytes[..];
    let mut seen = Vec::new();
    loop {
        match decoder.decode(rest, limit, false)? {
            Decoded::Incomplete => return Ok(seen),
            Decoded::Frame { consumed, message } => {
                seen.extend(message.map(|message| format!("{message:?}")));
                rest = &mut rest[consumed..];
            }
        }
    }
}

fn fault(frames: &[Vec<u8>]) -> Violation {
    run(frames, LIMIT).expect_err("the frames break a rule")
}

#[test]
fn every_length_form_is_understood() {
    for length in [0, 1, 7, 8, 9, 125, 126, 65_535, 65_536] {
        let payload: Vec<u8> = (0..length).map(|index| b'a' + (index % 26) as u8).collect();
        let text = String::from_utf8(payload.clone()).expect("letters");
        assert_eq!(run(&[frame(0x81, &payload)], 100_000), Ok(vec![format!("{:?}", Message::Text(&text))]));
    }
}

#[test]
fn a_frame_may_arrive_byte_by_byte() {
    let whole = frame(0x82, &[9; 200]);
    let mut decoder = Decoder::default();
    for end in 0..whole.len() {
        assert_eq!(
            decoder.decode(&mut whole[..end].to_vec(), LIMIT, false),
            Ok(Decoded::Incomplete),
            "{end} bytes"
        );
    }
    let mut bytes = whole.clone();
    let decoded = decoder.decode(&mut bytes, LIMIT, false);
    assert_eq!(
        decoded,
        Ok(Decoded::Frame { consumed: whole.len(), message: Some(Message::Binary(&[9; 200])) })
    );
}

#[test]
fn a_length_in_more_bytes_than_needed_is_refused() {
    assert_eq!(fault(&[raw(0x81, 2, &[b'a'; 125])]), Violation::LengthNotMinimal);
    assert_eq!(fault(&[raw(0x81, 8, &[b'a'; 125])]), Violation::LengthNotMinimal);
    assert_eq!(run(&[raw(0x81, 8, &[b'a'; 65_535])], 100_000), Err(Violation::LengthNotMinimal));
    let highest_bit = vec![0x82, 0xFF, 0x80, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4];
    assert_eq!(fault(&[highest_bit]), Violation::LengthNotMinimal);
}

#[test]
fn a_frame_without_mask_is_refused() {
    assert_eq!(fault(&[vec![0x81, 0x01, b'a']]), Violation::NotMasked);
}

#[test]
fn reserved_bits_and_opcodes_are_refused() {
    for bit in [0x40, 0x20, 0x10] {
        assert_eq!(fault(&[frame(0x81 | bit, b"a")]), Violation::ReservedBits);
    }
    for opcode in (0x3..=0x7).chain(0xB..=0xF) {
        assert_eq!(fault(&[frame(0x80 | opcode, b"")]), Violation::UnknownOpcode);
    }
}

#[test]
fn fragments_make_one_message_with_control_frames_between() {
    let frames = [
        frame(0x01, b"one "),
        frame(0x89, b"hey"),
        frame(0x00, b"two "),
        frame(0x8A, b""),
        frame(0x80, b"three"),
    ];
    let seen = run(&frames, LIMIT).expect("allowed");
    assert_eq!(seen, ["Ping([104, 101, 121])", "Pong([])", r#"Text("one two three")"#]);
}

#[test]
fn one_message_after_another_may_be_in_fragments() {
    let frames =
        [frame(0x02, &[1]), frame(0x80, &[2]), frame(0x01, b"a"), frame(0x80, b"b"), frame(0x81, b"c")];
    assert_eq!(run(&frames, LIMIT).expect("allowed"), ["Binary([1, 2])", r#"Text("ab")"#, r#"Text("c")"#]);
}

#[test]
fn fragments_out_of_turn_are_refused() {
    assert_eq!(fault(&[frame(0x80, b"a")]), Violation::NothingToContinue);
    assert_eq!(
        fault(&[frame(0x01, b"a"), frame(0x80, b"b"), frame(0x80, b"c")]),
        Violation::NothingToContinue
    );
    assert_eq!(fault(&[frame(0x01, b"a"), frame(0x81, b"b")]), Violation::UnfinishedMessage);
    assert_eq!(fault(&[frame(0x01, b"a"), frame(0x02, b"b")]), Violation::UnfinishedMessage);
}

#[test]
fn a_control_frame_is_whole_and_short() {
    assert_eq!(fault(&[frame(0x09, b"in pieces")]), Violation::BadControlFrame);
    assert_eq!(fault(&[frame(0x89, &[0; 126])]), Violation::BadControlFrame);
    assert!(run(&[frame(0x89, &[0; 125])], LIMIT).is_ok());
}

#[test]
fn text_is_utf8_in_one_frame_and_across_fragments() {
    assert_eq!(fault(&[frame(0x81, &[0xC3, 0x28])]), Violation::NotUtf8);
    let crab = "🦀".as_bytes();
    for cut in 1..4 {
        let frames = [frame(0x01, &crab[..cut]), frame(0x00, b""), frame(0x80, &crab[cut..])];
        assert_eq!(run(&frames, LIMIT).expect("allowed"), [r#"Text("🦀")"#], "cut at {cut}");
    }
    assert_eq!(
        fault(&[frame(0x01, &crab[..2]), frame(0x80, b"")]),
        Violation::NotUtf8,
        "ends inside a character"
    );
}

#[test]
fn text_that_cannot_become_utf8_is_refused_before_the_last_fragment() {
    assert_eq!(
        fault(&[frame(0x01, "🦀".as_bytes().get(..2).expect("four bytes")), frame(0x00, b"x")]),
        Violation::NotUtf8
    );
}

#[test]
fn binary_may_hold_anything() {
    assert_eq!(run(&[frame(0x82, &[0xC3, 0x28])], LIMIT).expect("allowed"), ["Binary([195, 40])"]);
}

#[test]
fn the_limit_holds_for_frames_and_for_sums_of_fragments() {
    assert!(run(&[frame(0x82, &[0; LIMIT])], LIMIT).is_ok());
    assert_eq!(fault(&[frame(0x82, &[0; LIMIT + 1])]), Violation::TooBig);
    assert_eq!(fault(&[frame(0x02, &[0; 600]), frame(0x80, &[0; 401])]), Violation::TooBig);
    assert!(run(&[frame(0x02, &[0; 600]), frame(0x80, &[0; 400])], LIMIT).is_ok());
}

#[test]
fn a_long_frame_is_refused_before_its_payload_came() {
    assert_eq!(fault(&[frame(0x82, &[0; 5_000])[..8].to_vec()]), Violation::TooBig);
    assert_eq!(
        fault(&[vec![0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]]),
        Violation::TooBig
    );
}

#[test]
fn close_codes_are_those_that_may_travel() {
    assert_eq!(run(&[frame(0x88, b"")], LIMIT).expect("allowed"), ["Close(None)"]);
    for code in [1000_u16, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999] {
        let payload = [&code.to_be_bytes()[..], b"reason"].concat();
        assert_eq!(run(&[frame(0x88, &payload)], LIMIT).expect("allowed"), [format!("Close(Some({code}))")]);
    }
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        assert_eq!(fault(&[frame(0x88, &code.to_be_bytes())]), Violation::BadClose, "{code}");
    }
    assert_eq!(fault(&[frame(0x88, &[3])]), Violation::BadClose);
    assert_eq!(fault(&[frame(0x88, &[0x03, 0xE8, 0xFF])]), Violation::NotUtf8);
}

#[test]
fn a_violation_names_its_close_code() {
    assert_eq!(Violation::NotMasked.close_code().number(), 1002);
    assert_eq!(Violation::NotUtf8.close_code().number(), 1007);
    assert_eq!(Violation::TooBig.close_code().number(), 1009);
}

/// What [`decode_all`] does, where compressed messages were agreed on.
fn inflate_all(bytes: &[u8], limit: usize) -> Result<Vec<String>, Violation> {
    let (mut decoder, mut bytes, mut taken, mut all) = (Decoder::default(), bytes.to_vec(), 0, Vec::new());
    while let Decoded::Frame { consumed, message } = decoder.decode(&mut bytes[taken..], limit, true)? {
        taken += consumed;
        all.extend(message.map(|message| format!("{message:?}")));
    }
    Ok(all)
}

/// `Hello`, compressed.
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

#[test]
fn compressed_messages_are_read_whole_and_in_fragments_beside_others() {
    let frames = [
        frame(0xC1, &HELLO),
        frame(0x81, b"plain"),
        frame(0xC2, &HELLO),
        frame(0x41, &HELLO[..3]),
        frame(0x89, b"ping"),
        frame(0x00, &HELLO[3..6]),
        frame(0x80, &HELLO[6..]),
        frame(0xC1, &[0]),
    ];
    let messages = inflate_all(&frames.concat(), 5).expect("all of it is right");
    let hello = r#"Text("Hello")"#;
    let binary = "Binary([72, 101, 108, 108, 111])";
    assert_eq!(
        messages,
        [hello, r#"Text("plain")"#, binary, "Ping([112, 105, 110, 103])", hello, r#"Text("")"#]
    );
}

#[test]
fn the_bit_of_compression_stands_at_the_beginning_of_a_message_and_only_if_agreed_on() {
    for wrong in [
        frame(0xC9, b""),
        frame(0xC8, b""),
        [frame(0x41, &HELLO[..3]), frame(0xC0, &HELLO[3..])].concat(),
        [frame(0x01, b"a"), frame(0xC0, b"b")].concat(),
        frame(0xE1, &HELLO),
        frame(0xA1, &HELLO),
        frame(0x91, &HELLO),
    ] {
        assert_eq!(inflate_all(&wrong, 1_000), Err(Violation::ReservedBits), "{wrong:x?}");
    }
    let mut plain = Decoder::default();
    assert_eq!(plain.decode(&mut frame(0xC1, &HELLO), LIMIT, false), Err(Violation::ReservedBits));
}

#[test]
fn what_was_compressed_is_held_against_the_same_rules() {
    let fragments = |payload: &[u8]| [frame(0x41, &payload[..2]), frame(0x80, &payload[2..])].concat();
    for message in [frame(0xC1, &HELLO), fragments(&HELLO)] {
        assert_eq!(inflate_all(&message, 4), Err(Violation::TooBig));
    }
    for (payload, violation) in
        [(&b"\x07garbage"[..], Violation::NotDeflated), (&[0xfa, 0x07, 0x00], Violation::NotUtf8)]
    {
        for message in [frame(0xC1, payload), fragments(payload)] {
            assert_eq!(inflate_all(&message, LIMIT), Err(violation), "{payload:x?}");
        }
    }
    assert_eq!(Violation::NotDeflated.close_code().number(), 1007);
}

/// What a run of one byte becomes, with one byte of that changed perhaps.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    (1_000_usize..10_000, any::<proptest::sample::Index>(), 0_u8..3).prop_map(|(length, at, change)| {
        let mut plain = Vec::new();
        let start = super::super::begin(&mut plain);
        plain.resize(plain.len() + length, b'a');
        super::super::finish(&mut plain, start, Opcode::Binary);
        let deflated = super::super::deflate(&plain, 15).expect("it gets shorter");
        let mut payload = super::super::split(&deflated).expect("a frame").1.to_vec();
        *at.get_mut(&mut payload) ^= change;
        payload
    })
}

proptest! {
    #[test]
    fn whatever_a_client_compresses_ends_in_a_message_within_the_limit_or_a_violation(
        payload in prop_oneof![proptest::collection::vec(any::<u8>(), 0..300), damaged()],
        limit in 0_usize..5_000,
        cut in 0_usize..300,
    ) {
        let (front, back) = payload.split_at(cut.min(payload.len()));
        let mut decoder = Decoder::default();
        for mut bytes in [frame(0xC2, &payload), [frame(0x42, front), frame(0x80, back)].concat()] {
            let mut taken = 0;
            while let Ok(Decoded::Frame { consumed, message }) = decoder.decode(&mut bytes[taken..], limit, true) {
                taken += consumed;
                if let Some(Message::Binary(bytes)) = message {
                    prop_assert!(bytes.len() <= limit);
                }
            }
            decoder = Decoder::default();
        }
    }

    #[test]
    fn any_bytes_leave_the_decoder_standing(bytes in proptest::collection::vec(any::<u8>(), 0..200), deflates: bool) {
        let (mut decoder, mut bytes, mut taken) = (Decoder::default(), bytes, 0);
        while let Ok(Decoded::Frame { consumed, .. }) = decoder.decode(&mut bytes[taken..], LIMIT, deflates) {
            taken += consumed;
        }
    }
}
