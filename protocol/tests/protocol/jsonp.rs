//! What stands in the scripts and forms of JSONP.

use encke_protocol::engine::jsonp::{
    Index, decode_field, encode_field, fits_in_form, longest_in_form, script,
};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_payload_comes_as_the_argument_of_a_call() {
    assert_eq!(script(Index(0), "4hello"), r#"___eio[0]("4hello");"#);
    assert_eq!(script(Index(u32::MAX), ""), r#"___eio[4294967295]("");"#);
}

#[test]
fn packets_and_json_are_escaped_once() {
    let expected = r#"___eio[3]("42[\"a\",\"\\n\"]\u001e6");"#;
    assert_eq!(script(Index(3), "42[\"a\",\"\\n\"]\u{1e}6"), expected);
}

#[test]
fn nothing_in_a_payload_ends_the_script_or_its_line() {
    let expected = r#"___eio[3]("4\u003c/script>\u003c!--\u000a\u000d\u2028\u2029\u0000");"#;
    assert_eq!(script(Index(3), "4</script><!--\n\r\u{2028}\u{2029}\0"), expected);
}

#[test]
fn what_other_languages_take_for_code_is_text() {
    assert_eq!(script(Index(3), "4€😀'`${x}"), r#"___eio[3]("4€😀'`${x}");"#);
}

#[test]
fn a_field_holds_no_line_end_that_was_none() {
    for (payload, field) in [
        ("4hello", "4hello"),
        (r#"42["a\nb"]"#, r#"42["a\\nb"]"#),
        (r#"42["a\\nb"]"#, r#"42["a\\\nb"]"#),
        (r#"42["a\\b\t"]"#, r#"42["a\\b\t"]"#),
    ] {
        assert_eq!(encode_field(payload), field);
        assert_eq!(decode_field(field), payload);
    }
}

#[test]
fn no_payload_becomes_longer_in_a_form_than_foreseen() {
    for payload in ["4", "\u{1e}", "ä", "\\", "\\n", "\\n\\n", "\\n\"", r#"42["\n\\n\n"]"#] {
        let encoded = |byte: u8| if byte.is_ascii_alphanumeric() { 1 } else { 3 };
        let len: usize = encode_field(payload).bytes().map(encoded).sum();
        assert!(len <= longest_in_form(payload.len()), "{payload}: {len}");
    }
    assert_eq!(longest_in_form(2), 7, "no more than that");
    for bytes in 0..100 {
        assert!(longest_in_form(fits_in_form(bytes)) <= bytes, "{bytes}");
    }
}

#[test]
fn the_reference_client_writes_a_line_end_as_an_escape() {
    assert_eq!(decode_field("4a\\nb\\\\nc"), "4a\nb\\nc");
}
