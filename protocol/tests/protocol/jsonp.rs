//! What stands in the scripts and forms of JSONP.

use encke_protocol::engine::jsonp::{Index, decode_field, encode_field, script};

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
fn the_reference_client_writes_a_line_end_as_an_escape() {
    assert_eq!(decode_field("4a\\nb\\\\nc"), "4a\nb\\nc");
}
