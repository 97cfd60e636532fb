//! The scanner against serde_json, which skims JSON by the same grammar when nobody wants the value.

use super::{mutated, text};
use encke_protocol::{contract, json};
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Pieces of JSON in any order: seldom valid, always nearly so.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "[", "]", "{", "}", ",", ":", "\"", "\\", "\\\"", "\\u", "\\ud83d", "\\ude00", "\\u00e9", "\\n",
        "\\/", "\\x", "0", "1", "-", ".", "e", "E+", "12", "-0", "0.5", "1e3", "true", "false", "null",
        "nul", " ", "\n", "\t", "\u{a0}", "\"a\"", "\"a\":", "\"\"", "é", "😀", "\u{1e}", "[]", "{}",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Any JSON value of moderate depth.
pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// JSON with and without white space.
pub fn json_text() -> impl Strategy<Value = String> {
    (value(), any::<bool>()).prop_map(|(value, pretty)| {
        if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }
            .expect("a value is written")
    })
}

fn is_one_value(text: &str) -> bool {
    json::value(text).is_ok_and(|(_, rest)| rest.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000.max(ProptestConfig::default().cases), ..ProptestConfig::default() })]

    #[test]
    fn the_scanner_takes_what_serde_json_takes(text in prop_oneof![pieces(), mutated(json_text())]) {
        prop_assert_eq!(is_one_value(&text), serde_json::from_str::<IgnoredAny>(&text).is_ok());
    }

    #[test]
    fn a_value_ends_where_it_ends(first in json_text(), rest in "[\\],:} \n\"]{0,3}") {
        let text = format!("\n {first}\t {rest}");
        let (value, behind) = json::value(&text).expect("a value");
        // A number goes on while digits follow; none do here.
        prop_assert_eq!(value, &*first);
        prop_assert_eq!(behind, rest.trim_start_matches([' ', '\n']));
    }

    #[test]
    fn a_string_says_what_serde_json_says(text in prop_oneof![
        pieces().prop_map(|text| format!("\"{text}\"")),
        mutated(text().prop_map(|text| serde_json::to_string(&text).expect("text is written"))),
    ]) {
        match (json::string(&text), serde_json::from_str::<String>(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
            // Half a surrogate pair is an error there and U+FFFD here.
            (Ok(ours), Err(_)) => {
                let around = text.trim_matches([' ', '\n', '\t', '\r']);
                prop_assert!(ours.contains('\u{fffd}') && text.contains("\\u"), "{}", around);
            }
            // White space around a string is not the string's.
            (Err(_), Ok(_)) => prop_assert_ne!(text.trim_matches([' ', '\n', '\t', '\r']), &*text),
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn elements_are_those_of_the_array(text in prop_oneof![
        pieces().prop_map(|text| format!("[{text}]")),
        mutated(prop::collection::vec(json_text(), 0..5).prop_map(|items| format!("[{}]", items.join(", ")))),
    ]) {
        let ours: Result<Vec<&str>, _> = json::elements(&text).and_then(Iterator::collect);
        let theirs = serde_json::from_str::<Vec<IgnoredAny>>(&text);
        prop_assert_eq!(ours.as_ref().map(Vec::len).ok(), theirs.map(|items| items.len()).ok());
        let Ok(ours) = ours else { return Ok(()) };
        prop_assert!(ours.iter().all(|item| is_one_value(item) && item.trim() == *item));
        if let Ok(Value::Array(theirs)) = serde_json::from_str(&text) {
            let ours: Vec<Value> = ours.iter().map(|item| serde_json::from_str(item).expect("a value")).collect();
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn a_field_is_that_of_the_object(
        fields in prop::collection::vec((prop_oneof![Just("error".to_owned()), "[a-c]", text()], value()), 0..4),
        pretty in any::<bool>(),
    ) {
        // Keys that come twice are possible on the wire, and the first counts.
        let object: Vec<_> = fields.iter().map(|(key, value)| format!("{}:{value}", Value::from(&**key))).collect();
        let object = format!("{{{}}}", object.join(if pretty { " ,\n" } else { "," }));
        for name in ["error", "a", "", "__proto__"] {
            let theirs = fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
            let read = |text| serde_json::from_str::<Value>(text).expect("a value");
            prop_assert_eq!(json::field(&object, name).map(read), theirs.clone());
            let only = theirs.filter(|_| fields.len() == 1);
            prop_assert_eq!(json::only_field(&object, name).map(read), only);
        }
        let error = fields.len() == 1 && fields[0].0 == "error";
        prop_assert_eq!(contract::error_in(&object).is_some(), error);
    }
}

#[test]
fn nesting_is_bounded_as_in_serde_json() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for (depth, is_good) in [(json::MAX_DEPTH, true), (json::MAX_DEPTH + 1, false), (100_000, false)] {
            let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(is_one_value(&text), is_good, "{depth}");
            assert_eq!(serde_json::from_str::<Value>(&text).is_ok(), is_good, "{depth}");
            assert_eq!(json::from_str::<Value>(&text).is_ok(), is_good, "{depth}");
        }
    }
    // Breadth is no depth.
    assert!(is_one_value(&format!("[{}[]]", "[],".repeat(1_000))));
}

#[test]
fn brackets_and_commas_are_those_of_json() {
    // Every sequence of up to six marks: chance would meet the interesting ones too seldom.
    const MARKS: [&str; 8] = ["[", "]", "{", "}", ",", ":", "1", "\"a\""];
    let mut texts = vec![String::new()];
    for _ in 0..6 {
        texts = texts.iter().flat_map(|text| MARKS.map(|mark| format!("{text}{mark}"))).collect();
        for text in &texts {
            assert_eq!(is_one_value(text), serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text}");
        }
    }
}

#[test]
fn every_character_stands_in_strings_as_in_serde_json() {
    for char in (0..0x300).chain(0x2020..0x2030).chain(0xfff0..0x1_0010).filter_map(char::from_u32) {
        for text in [format!("\"{char}\""), format!("\"\\{char}\""), format!("\"\\u00{char}0\"")] {
            let theirs = serde_json::from_str::<String>(&text).ok();
            assert_eq!(json::string(&text).ok().map(|text| text.into_owned()), theirs, "{text}");
            assert_eq!(is_one_value(&text), theirs.is_some(), "{text}");
        }
        let mut ours = String::new();
        json::write_string(&char.to_string(), &mut ours);
        assert_eq!(ours, Value::from(char.to_string()).to_string());
    }
}

#[test]
fn a_character_means_the_same_wherever_it_stands_in_a_string() {
    // Strings are read by words of eight bytes, and what is left over one by one.
    for char in (0..0x100).filter_map(char::from_u32) {
        for (before, behind) in (0..20).flat_map(|before| [(before, 0), (before, 1), (before, 20)]) {
            let text = format!("\"{}{char}n{}\"", "x".repeat(before), "y".repeat(behind));
            let theirs = serde_json::from_str::<String>(&text).ok();
            assert_eq!(json::string(&text).ok().map(|text| text.into_owned()), theirs, "{text}");
            assert_eq!(is_one_value(&text), theirs.is_some(), "{text}");
        }
    }
}
