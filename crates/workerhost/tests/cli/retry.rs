//! A new chance for tasks.

use crate::place::Place;

const SHELL: &str = r#"
workers:
  - {name: one, command: [sh, -c, "cat > /dev/null; [ -e mended ] || exit 2"], task_types: [one], protocol: raw}
  - {name: two, command: [sh, -c, "cat > /dev/null; [ -e mended ] || exit 2"], task_types: [two], protocol: raw}
"#;

#[test]
fn a_task_that_was_given_up_is_tried_again_from_the_beginning() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "one", "--id", "a"]);
    assert_eq!(place.run(&["run", "--drain", "--fail-on-poisoned"]).code, Some(11));
    place.write("mended", "");
    assert_eq!(place.ok(&["retry", "a"]).out, "retried a\n");
    let task = place.show("a");
    assert_eq!((&task["state"], &task["counters"]["attempts"]), (&"pending".into(), &0.into()));
    place.ok(&["run", "--drain", "--fail-on-poisoned"]);
    assert_eq!(place.show("a")["state"], "completed");
}

#[test]
fn each_task_gets_its_own_answer_and_the_exit_code_tells_the_worst() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "one", "--id", "a", "--unique", "k"]);
    place.ok(&["cancel", "a"]);
    place.ok(&["enqueue", "one", "--id", "b", "--unique", "k"]);
    let rows: [(&[&str], i32, &str); 4] = [
        (&["a"], 5, "duplicate a: b holds its unique key and has not ended\n"),
        (&["b"], 4, "unchanged b: it is pending\n"),
        (&["none"], 3, "unknown none: there is no such task\n"),
        (&["b", "none"], 4, "unchanged b: it is pending\nunknown none: there is no such task\n"),
    ];
    for (ids, code, out) in rows {
        let said = place.run(&[&["retry"], ids].concat());
        assert_eq!((said.code, said.out.as_str()), (Some(code), out), "{said:?}");
    }
    let heard = place.run(&["retry", "a", "--json"]).objects().remove(0);
    assert_eq!((&heard["schema"], &heard["of"]), (&"workerhost.retry/v1".into(), &"b".into()));
    place.ok(&["cancel", "b"]);
    assert_eq!(place.run_with(&["retry", "-"], "a\n").out, "retried a\n");
}

#[test]
fn all_that_were_given_up_are_retried_at_once_or_those_of_one_type() {
    let place = Place::with(SHELL);
    let of = |kind: &str, count| {
        (0..count)
            .map(|n| format!("{{\"type\":\"{kind}\",\"id\":\"{kind}{n}\"}}\n"))
            .collect::<Vec<_>>()
            .concat()
    };
    place.run_with(&["enqueue", "--file", "-"], &(of("one", 7) + &of("two", 3)));
    place.ok(&["run", "--drain"]);
    assert_eq!(place.ok(&["retry", "--poisoned", "--type", "two"]).out, "retried 3 tasks\n");
    let all = place.ok(&["retry", "--poisoned", "--json"]).objects().remove(0);
    assert_eq!((&all["status"], &all["tasks"]), (&"retried".into(), &7.into()));
    let none = place.run(&["retry", "--poisoned"]);
    assert_eq!((none.code, none.out.as_str()), (Some(4), "retried 0 tasks\n"));
    assert_eq!(place.run(&["retry", "--type", "two", "a"]).code, Some(2));
}

#[test]
fn who_names_no_task_is_told_how_to_name_some_or_all() {
    let place = Place::with(SHELL);
    place.ok(&["enqueue", "one"]);
    for (arguments, words) in [
        (&["retry"][..], "or write --poisoned for all that were given up"),
        (&["retry", "--type", "one"], "write `workerhost retry --poisoned --type one`"),
    ] {
        let said = place.run(arguments);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(words), "{said:?}");
    }
}
