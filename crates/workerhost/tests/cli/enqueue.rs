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

#[test]
fn what_is_wrong_is_told_with_the_field_and_the_code_of_a_wrong_command_line() {
    let place = Place::with(NO_WORKERS);
    let rows: [(&[&str], &str); 5] = [
        (&["enqueue", "t", "--params", "{"], "params is no JSON value"),
        (&["enqueue", "t", "--delay", "soon"], "delay"),
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
fn without_a_configuration_nothing_is_made_and_the_mend_is_told() {
    let place = Place::with("");
    let said = place.run(&["enqueue", "t"]);
    assert_eq!(said.code, Some(9));
    assert!(said.err.contains("there is no configuration here") && said.err.contains("-c FILE"), "{said:?}");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}
