//! The small codec against serde_json: each reads what the other writes, for every kind of type that serde knows.

use super::scanner::value;
use super::{mutated, text};
use encke_protocol::json;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(i32);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair(String, Option<bool>);

/// Variants of all four kinds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kinds {
    Unit,
    Newtype(Box<Kinds>),
    Tuple(u8, String),
    Struct { first: Option<i64>, second: Vec<Kinds> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Internal {
    Empty,
    Full { text: String, number: i64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Empty,
    One(String),
    Two(u8, bool),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<u8>),
    Fields { key: String },
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Key {
    Left,
    Right,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Everything {
    small: (u8, i8, u16, i16),
    wide: (u32, i32, u64, i64),
    float_values: (f32, f64),
    flag: bool,
    letter: char,
    text: String,
    nothing: (),
    unit: Unit,
    newtype: Newtype,
    pair: Pair,
    maybe: Option<Box<Everything>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    absent: Option<String>,
    list: Vec<String>,
    array: [i16; 3],
    kinds: Vec<Kinds>,
    internal: Internal,
    adjacent: Adjacent,
    untagged: Untagged,
    by_text: BTreeMap<String, u8>,
    by_number: BTreeMap<i64, Newtype>,
    by_size: BTreeMap<u64, Unit>,
    by_flag: BTreeMap<bool, char>,
    by_letter: BTreeMap<char, bool>,
    by_key: BTreeMap<Key, Vec<Unit>>,
    #[serde(flatten)]
    flattened: BTreeMap<String, Untagged>,
}

fn kinds() -> impl Strategy<Value = Kinds> {
    let leaf = prop_oneof![Just(Kinds::Unit), (any::<u8>(), text()).prop_map(|(a, b)| Kinds::Tuple(a, b))];
    leaf.prop_recursive(4, 10, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|kinds| Kinds::Newtype(Box::new(kinds))),
            (any::<Option<i64>>(), prop::collection::vec(inner, 0..3))
                .prop_map(|(first, second)| Kinds::Struct { first, second }),
        ]
    })
}

fn untagged() -> impl Strategy<Value = Untagged> {
    prop_oneof![
        any::<bool>().prop_map(Untagged::Flag),
        any::<i64>().prop_map(Untagged::Number),
        text().prop_map(Untagged::Text),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(Untagged::List),
        text().prop_map(|key| Untagged::Fields { key }),
        Just(Untagged::Nothing),
    ]
}

fn everything() -> impl Strategy<Value = Everything> {
    let floats =
        (prop::num::f32::NORMAL | prop::num::f32::ZERO, prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL);
    let plain =
        (any::<(u8, i8, u16, i16)>(), any::<(u32, i32, u64, i64)>(), floats, any::<(bool, char)>(), text());
    let structs = (any::<i32>(), text(), any::<Option<bool>>(), prop::option::of(text()));
    let lists =
        (prop::collection::vec(text(), 0..4), any::<[i16; 3]>(), prop::collection::vec(kinds(), 0..3));
    let internal = prop_oneof![
        Just(Internal::Empty),
        (text(), any::<i64>()).prop_map(|(text, number)| Internal::Full { text, number })
    ];
    let adjacent = prop_oneof![
        Just(Adjacent::Empty),
        text().prop_map(Adjacent::One),
        any::<(u8, bool)>().prop_map(|(a, b)| Adjacent::Two(a, b)),
    ];
    let maps = (
        prop::collection::btree_map(text(), any::<u8>(), 0..3),
        prop::collection::btree_map(any::<i64>(), any::<i32>().prop_map(Newtype), 0..3),
        prop::collection::btree_map(any::<u64>(), Just(Unit), 0..3),
        prop::collection::btree_map(any::<bool>(), any::<char>(), 0..3),
        prop::collection::btree_map(any::<char>(), any::<bool>(), 0..3),
        prop::collection::btree_map(
            prop_oneof![Just(Key::Left), Just(Key::Right)],
            prop::collection::vec(Just(Unit), 0..2),
            0..3,
        ),
        prop::collection::btree_map("x[a-z]{0,3}", untagged(), 0..3),
    );
    (plain, structs, lists, (internal, adjacent, untagged()), maps).prop_map(
        |(plain, structs, lists, (internal, adjacent, untagged), maps)| Everything {
            small: plain.0,
            wide: plain.1,
            float_values: plain.2,
            flag: plain.3.0,
            letter: plain.3.1,
            text: plain.4,
            nothing: (),
            unit: Unit,
            newtype: Newtype(structs.0),
            pair: Pair(structs.1, structs.2),
            maybe: None,
            absent: structs.3,
            list: lists.0,
            array: lists.1,
            kinds: lists.2,
            internal,
            adjacent,
            untagged,
            by_text: maps.0,
            by_number: maps.1,
            by_size: maps.2,
            by_flag: maps.3,
            by_letter: maps.4,
            by_key: maps.5,
            flattened: maps.6,
        },
    )
}

/// Some of them hold another.
fn nested() -> impl Strategy<Value = Everything> {
    (everything(), prop::option::of(everything()))
        .prop_map(|(outer, inner)| Everything { maybe: inner.map(Box::new), ..outer })
}

fn theirs(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("serde_json writes it")
}

proptest! {
    #[test]
    fn each_reads_what_the_other_writes(value in nested()) {
        let ours = json::to_string(&value).expect("it is written");
        prop_assert_eq!(serde_json::from_str::<Everything>(&ours).expect("serde_json reads ours"), value.clone());
        prop_assert_eq!(json::from_str::<Everything>(&theirs(&value)), Ok(value.clone()));
        let pretty = serde_json::to_string_pretty(&value).expect("serde_json writes it");
        prop_assert_eq!(json::from_str::<Everything>(&pretty), Ok(value));
    }

    #[test]
    fn any_value_goes_through_both(value in value()) {
        let ours = json::to_string(&value).expect("it is written");
        prop_assert_eq!(serde_json::from_str::<Value>(&ours).expect("serde_json reads ours"), value.clone());
        prop_assert_eq!(json::from_str::<Value>(&theirs(&value)), Ok(value));
    }

    #[test]
    fn without_floats_the_texts_are_the_same(kinds in kinds(), untagged in untagged(), text in text(), number in any::<i64>()) {
        let value = (kinds, untagged, text, number);
        prop_assert_eq!(json::to_string(&value), Ok(theirs(&value)));
    }

    #[test]
    fn a_string_is_written_as_serde_json_writes_it(text in any::<String>()) {
        let mut ours = String::from("x");
        json::write_string(&text, &mut ours);
        prop_assert_eq!(&ours[1..], theirs(&text));
    }

    #[test]
    fn damaged_values_are_read_as_serde_json_reads_them(text in mutated(value().prop_map(|value| theirs(&value)))) {
        let (ours, theirs) = (json::from_str::<Value>(&text), serde_json::from_str::<Value>(&text));
        match theirs {
            // Minus nothing is an integer here and a float there.
            Ok(_) if text.contains("-0") => prop_assert!(ours.is_ok()),
            Ok(theirs) => prop_assert_eq!(ours, Ok(theirs)),
            // Half a surrogate pair is the one thing that is taken here and not there.
            Err(_) => prop_assert!(ours.is_err() || text.contains("\\u"), "{}", text),
        }
    }

    #[test]
    fn damaged_types_are_read_as_serde_json_reads_them(text in mutated(everything().prop_map(|value| theirs(&value)))) {
        let (ours, theirs) = (json::from_str::<Everything>(&text), serde_json::from_str::<Everything>(&text));
        match theirs {
            Ok(_) if text.contains("-0") => {}
            Ok(theirs) => prop_assert_eq!(ours, Ok(theirs)),
            Err(_) => prop_assert!(ours.is_err() || text.contains("\\u") || text.contains("-0"), "{}", text),
        }
    }

    #[test]
    fn damaged_kinds_are_read_as_serde_json_reads_them(text in mutated(
        prop::collection::vec(kinds(), 0..3).prop_map(|kinds| theirs(&kinds))
    )) {
        let (ours, theirs) = (json::from_str::<Vec<Kinds>>(&text), serde_json::from_str::<Vec<Kinds>>(&text));
        match theirs {
            Ok(_) if text.contains("-0") => {}
            Ok(theirs) => prop_assert_eq!(ours, Ok(theirs)),
            Err(_) => prop_assert!(ours.is_err() || text.contains("\\u") || text.contains("-0"), "{}", text),
        }
    }

    #[test]
    fn numbers_at_their_limits(number in prop_oneof![
        prop::sample::select(vec![
            "0", "255", "256", "-128", "-129", "65535", "65536", "4294967295", "4294967296", "-2147483648", "-2147483649",
            "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
            "18446744073709551615", "18446744073709551616", "1e308", "1e309", "-1e309", "5e-324", "1e-400", "1.0", "1e2", "0.1",
            "123456789012345678901234567890", "01", "+1", ".5", "1.", "0x1", "1_000", "", "-", "--1",
        ]).prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
    ]) {
        macro_rules! agree {
            ($($type:ty)*) => {
                $(prop_assert_eq!(json::from_str::<$type>(&number).ok(), serde_json::from_str::<$type>(&number).ok());
                let (key, map) = (format!("{{\"{number}\":1}}"), "a map");
                let ours = json::from_str::<BTreeMap<Wrapped<$type>, u8>>(&key).ok();
                prop_assert_eq!(ours, serde_json::from_str::<BTreeMap<Wrapped<$type>, u8>>(&key).ok(), "{}", map);)*
            };
        }
        agree!(u8 i8 u16 i16 u32 i32 u64 i64);
        prop_assert_eq!(json::from_str::<f64>(&number).ok(), serde_json::from_str::<f64>(&number).ok());
        prop_assert_eq!(json::from_str::<f32>(&number).ok(), serde_json::from_str::<f32>(&number).ok());
        prop_assert_eq!(json::from_str::<Value>(&number).ok(), serde_json::from_str::<Value>(&number).ok());
    }
}

/// A key that is a newtype.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Wrapped<T>(T);

#[test]
fn keys_that_are_no_names_are_refused() {
    let floats: Vec<(f64, u8)> = vec![(1.5, 1)];
    struct AsMap(Vec<(f64, u8)>);
    impl Serialize for AsMap {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
        }
    }
    assert_eq!(json::to_string(&AsMap(floats)), Err(json::Error));
    assert_eq!(json::to_string(&BTreeMap::from([((), 1)])), Err(json::Error));
    assert_eq!(json::to_string(&BTreeMap::from([(vec![1], 1)])), Err(json::Error));
    assert_eq!(json::from_str::<BTreeMap<u8, u8>>(r#"{"":1}"#), Err(json::Error));
}

#[test]
fn what_is_nested_too_deeply_is_not_written() {
    let nest = |depth| (0..depth).fold(Value::Null, |value, _| Value::from(vec![value]));
    assert!(json::to_string(&nest(json::MAX_DEPTH)).is_ok());
    assert_eq!(json::to_string(&nest(json::MAX_DEPTH + 1)), Err(json::Error));
}

#[test]
fn floats_that_json_has_not_are_written_as_null() {
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(json::to_string(&float).as_deref(), Ok("null"));
    }
}
