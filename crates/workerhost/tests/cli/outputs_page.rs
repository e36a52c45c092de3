//! The example of `docs/outputs.md`, as it stands there.

use crate::place::Place;

#[test]
fn the_example_of_the_page_does_what_it_says() {
    let page = include_str!("../../../../docs/outputs.md");
    let block = |language: &str| {
        let begin = format!("```{language}\n");
        page.split(&begin).nth(1).unwrap().split("```").next().unwrap()
    };
    let place = Place::with(block("yaml"));
    place.write("summary.schema.json", block("json"));
    let script = place.write("report.py", block("python"));
    place.ok(&["enqueue", "report", "--id", "good"]);
    place.ok(&["run", "--drain"]);
    let good = place.show("good");
    assert_eq!(good["state"], "completed", "{good}");
    assert_eq!(good["attempts"][0]["quality"], 95, "{good}");
    assert_eq!(good["attempts"][0]["checks"]["failed"], 0, "{good}");
    let broken = block("python").replace("{\"pages\": 2}, file", "{\"pages\": 0}, file");
    std::fs::write(script, broken).unwrap();
    place.ok(&["enqueue", "report", "--id", "broken"]);
    place.ok(&["run", "--drain"]);
    let broken = place.show("broken");
    let attempt = &broken["attempts"][0];
    assert_eq!(attempt["checks"]["failures"][0]["check"], "schema", "{broken}");
    assert!(
        attempt["sentence"].as_str().unwrap().contains("summary.json is not as its schema says: /pages"),
        "{broken}"
    );
}
