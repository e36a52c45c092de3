//! Tasks come in.

use crate::place::Place;

const NO_WORKERS: &str = "workers: []\n";

#[test]
fn the_same_id_with_the_same_content_is_no_second_task_and_other_content_conflicts() {
    let place = Place::with(NO_WORKERS);
    assert_eq!(place.ok(&["enqueue", "t", "--id", "a", "--params", "{\"x\":1}"]).out, "created a\n");
    assert_eq!(
        place.ok(&["enqueue", "t", "--id", "a", "--params", "{\"x\":1}"]).out,
        "existing a: it is pending\n"
    );
    let other = place.run(&["enqueue", "t", "--id", "a", "--params", "{\"x\":2}"]);
    assert_eq!(other.code, Some(5));
    assert!(other.out.starts_with("conflict a"), "{other:?}");
    assert_eq!(place.ok(&["list", "--json"]).objects().len(), 1);
}

#[test]
fn a_unique_key_is_held_by_one_unfinished_task() {
    let place = Place::with(NO_WORKERS);
    place.ok(&["enqueue", "t", "--id", "a", "--unique", "k"]);
    let second = place.ok(&["enqueue", "t", "--id", "b", "--unique", "k", "--json"]);
    assert_eq!(second.objects()[0]["status"], "duplicate");
    assert_eq!(second.objects()[0]["of"], "a");
}

#[test]
fn each_line_is_acknowledged_in_its_turn_and_a_wrong_one_spoils_no_other() {
    let place = Place::with(NO_WORKERS);
    let lines =
        "{\"type\":\"t\",\"id\":\"a\"}\n\nnot json\n{\"type\":\"t\",\"id\":\"b\",\"params\":{\"n\": 1.0}}";
    let said = place.run_with(&["enqueue", "--file", "-", "--json"], lines);
    assert_eq!(said.code, Some(1), "{said:?}");
    let told: Vec<_> =
        said.objects().iter().map(|ack| (ack["line"].clone(), ack["status"].clone())).collect();
    let expected = [(1, "created"), (3, "refused"), (4, "created")];
    assert_eq!(told, expected.map(|(line, status)| (line.into(), status.into())));
    assert!(place.ok(&["show", "b", "--json"]).out.contains("{\"n\": 1.0}"), "contents keep their spelling");
}

/// So many that they are read ahead while those before are written.
#[test]
fn of_thousands_of_lines_each_is_acknowledged_in_its_turn_with_its_number() {
    let place = Place::with(NO_WORKERS);
    let (mut lines, mut expected) = (Vec::new(), Vec::new());
    for number in 1..=3_001_u64 {
        let id = format!("t-{number}");
        lines.push(match number % 7 {
            0 => "  ".to_owned(),
            1 => "{\"type\":".to_owned(),
            _ => format!("{{\"type\":\"t\",\"id\":\"{id}\"}}"),
        });
        match number % 7 {
            0 => {}
            1 => expected.push((number, "refused", None)),
            _ => expected.push((number, "created", Some(id))),
        }
    }
    let said = place.run_with(&["enqueue", "--file", "-", "--json"], &lines.join("\n"));
    assert_eq!(said.code, Some(1));
    let objects = said.objects();
    let told: Vec<_> = objects
        .iter()
        .map(|ack| {
            let id = ack["id"].as_str().map(str::to_owned);
            (ack["line"].as_u64().unwrap(), ack["status"].as_str().unwrap(), id)
        })
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn what_is_wrong_is_told_with_the_field_and_the_code_of_a_wrong_command_line() {
    let place = Place::with(NO_WORKERS);
    let rows: [(&[&str], &str); 13] = [
        (&["enqueue", "t", "--params", "{"], "params is no JSON: it ends too early"),
        (&["enqueue", "t", "--params", "{'a':1}"], "JSON has no quotes but \""),
        (&["enqueue", "t", "--params", ""], "params is empty; the least that is JSON is {}"),
        (
            &["enqueue", "t", "--delay", "soon"],
            "delay is `soon`, which is no duration; write it like 90, 5m or 1h30m",
        ),
        (&["enqueue", "t", "--delay", "-3"], "delay is `-3`, which is below zero; write it like 90, 5m"),
        (&["enqueue", "t", "--priority", "high"], "write a whole number from -2147483648 to 2147483647"),
        (&["enqueue", "t", "--max-attempts", "0"], "write a whole number from 1 to"),
        (&["list", "--cursor", "bogus"], "write the number with which the page before ended"),
        (&["list", "--limit", "x"], "write a whole number from 1 to 10000"),
        (&["wait", "a", "--timeout", "soon"], "it is no duration; write it like 90, 5m or 1h30m"),
        (&["enqueue", "t", "--at", "soon"], "at is `soon`"),
        (&["enqueue", "t", "--metadata", "1"], "metadata is no JSON object"),
        (&["enqueue", ""], "type is empty"),
    ];
    for (arguments, words) in rows {
        let said = place.run(arguments);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
        assert!(said.err.contains(words), "{words}: {said:?}");
    }
}

#[test]
fn a_line_that_is_no_task_is_named_by_its_number_with_what_to_write() {
    let place = Place::with(NO_WORKERS);
    let lines = "not json\n{\"type\":\"t\",\"id\":\"a\"}\n[]\n{\"type\":\"t\",\"priority\":\"high\"}\n";
    let said = place.run_with(&["enqueue", "--file", "-"], lines);
    let told: Vec<&str> = said.out.lines().collect();
    assert!(told[0].starts_with("refused line 1: is no JSON at column 2: "), "{said:?}");
    assert_eq!(told[1], "created a");
    assert!(told[2].starts_with("refused line 3: is a list; "), "{said:?}");
    assert_eq!(told[3], "refused line 4: has \"high\" as `priority`; write a whole number, such as 5 or -5");
}

#[test]
fn a_task_without_params_gets_an_empty_object() {
    let place = Place::with(NO_WORKERS);
    place.ok(&["enqueue", "t", "--id", "a"]);
    assert_eq!(place.show("a")["params"], serde_json::json!({}));
    assert_eq!(place.ok(&["enqueue", "t", "--id", "a", "--params", "{}"]).out, "existing a: it is pending\n");
}

#[test]
fn a_duplicate_names_the_task_that_holds_the_key_and_no_other() {
    let place = Place::with(NO_WORKERS);
    place.ok(&["enqueue", "t", "--id", "a", "--unique", "k"]);
    let said = place.ok(&["enqueue", "t", "--unique", "k"]);
    assert_eq!(said.out, "duplicate of a: it holds the key and has not ended\n");
}

#[test]
fn a_file_that_is_not_there_is_code_3_wherever_it_is_named() {
    let place = Place::with(NO_WORKERS);
    for arguments in [
        &["enqueue", "t", "--input", "nofile"][..],
        &["enqueue", "t", "--params", "@nofile"],
        &["enqueue", "--file", "nofile"],
        &["verify", "--params", "@nofile", "--", "cat"],
    ] {
        let said = place.run(arguments);
        assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "{said:?}");
        assert!(said.err.starts_with("error: nofile cannot be opened: No such file"), "{said:?}");
    }
    let said =
        place.run_with(&["enqueue", "--file", "-"], "{\"type\":\"t\",\"id\":\"a\",\"inputs\":[\"nofile\"]}");
    assert_eq!(said.out, "refused a: line 1: input nofile: there is no such file\n");
}

#[test]
fn without_a_configuration_nothing_is_made_and_the_mend_is_told() {
    let place = Place::with("");
    let said = place.run(&["enqueue", "t"]);
    assert_eq!(said.code, Some(9));
    assert!(said.err.contains("there is no configuration here") && said.err.contains("-c FILE"), "{said:?}");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}
