//! Promises of the sifter that hold for any bytes at all.

use crate::sift::{OK, sift_cut};
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wh_protocol::sift::{SiftBounds, Stray};

/// Pieces that meet each other in every wrong way.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            "\"",
            ":",
            ",",
            "\\",
            "\n",
            "\r\n",
            " ",
            "true",
            "false",
            "null",
            "1",
            "-",
            "0.5e3",
            "\"success\"",
            "\"success\":true",
            OK,
            "\"a\":",
            "{\"",
            "text",
            "é",
            "\u{feff}",
            "\\u00e9",
            "\0",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A JSON value, as it is or with one byte taken out, doubled or replaced.
fn almost_json() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!({"success": true})),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    (value, any::<bool>(), any::<prop::sample::Index>(), any::<u8>(), 0..5).prop_map(
        |(value, pretty, at, byte, change)| {
            let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) };
            let mut text = text.unwrap();
            let at = at.index(text.len());
            match change {
                0 => drop(text.remove(at)),
                1 => text.insert(at, text[at]),
                2 => text[at] = byte,
                _ => {}
            }
            text
        },
    )
}

/// Whether a JSON parser takes `text` for an object with a boolean `success`, numbers of any size included.
fn has_success(text: &[u8]) -> bool {
    serde_json::from_slice::<BTreeMap<String, &RawValue>>(text).is_ok_and(|object| {
        object.get("success").is_some_and(|value| matches!(value.get(), "true" | "false"))
    })
}

fn any_bounds() -> impl Strategy<Value = SiftBounds> {
    (1_u64..60, 1_u64..200, 1_u32..6).prop_map(|(line, total, nesting)| SiftBounds { line, total, nesting })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn the_cut_of_the_bytes_changes_nothing(
        bytes in fragments(),
        bounds in prop_oneof![Just(SiftBounds::default()), any_bounds()],
        strict in any::<bool>(),
        cut in 1_usize..20,
    ) {
        let stray = if strict { Stray::Forbidden } else { Stray::Logged };
        let whole = sift_cut(stray, bounds, &bytes, bytes.len());
        prop_assert_eq!(sift_cut(stray, bounds, &bytes, cut), whole);
    }

    #[test]
    fn a_result_on_a_line_of_its_own_at_the_end_is_found_behind_anything(
        before in prop_oneof![fragments(), almost_json()],
    ) {
        // The one exception is text that makes the result a part of a larger object that ends; none ends behind it here.
        let mut bytes = before;
        bytes.push(b'\n');
        bytes.extend_from_slice(OK.as_bytes());
        bytes.push(b'\n');
        let (sifted, _) = sift_cut(Stray::Logged, SiftBounds::default(), &bytes, 5);
        prop_assert_eq!(sifted.result.as_deref(), Some(OK));
    }

    #[test]
    fn a_result_is_exactly_what_was_written_and_valid_json(bytes in fragments()) {
        let (sifted, _) = sift_cut(Stray::Logged, SiftBounds::default(), &bytes, 3);
        if let Some(result) = sifted.result {
            prop_assert!(bytes.windows(result.len()).any(|window| window == result.as_bytes()));
            prop_assert!(has_success(result.as_bytes()));
        }
    }

    #[test]
    fn the_grammar_is_that_of_a_json_parser(inside in prop_oneof![fragments(), almost_json()]) {
        let mut text = br#"{"success":true,"result":"#.to_vec();
        text.extend_from_slice(&inside);
        text.push(b'}');
        let (sifted, _) = sift_cut(Stray::Logged, SiftBounds::default(), &text, 4);
        let found_whole = sifted.result.as_deref().map(str::as_bytes) == Some(&text[..]);
        prop_assert_eq!(found_whole, has_success(&text));
    }
}
