//! Which worker gets a task of which type.

use wh_domain::id::{BadName, TaskType};
use wh_domain::routing::{BadPattern, Route, TypePattern, candidates, route};

fn patterns(texts: &[&str]) -> Vec<TypePattern> {
    texts.iter().map(|text| TypePattern::parse(text).unwrap()).collect()
}

fn task_type(text: &str) -> TaskType {
    TaskType::new(text).unwrap()
}

#[test]
fn a_pattern_is_a_type_a_prefix_with_a_star_or_a_star() {
    for text in ["Media.YouTube.Video", "Media.*", "*", "a b", "Ünï.*"] {
        assert_eq!(TypePattern::parse(text).unwrap().to_string(), text);
    }
    for text in ["*.Video", "Media.*.Video", "Media*", ".*", "**", "Media.**", "M*dia"] {
        assert_eq!(TypePattern::parse(text), Err(BadPattern::Star), "{text}");
    }
    for (text, what) in [("", BadName::Empty), ("a\nb", BadName::Control(1))] {
        assert_eq!(TypePattern::parse(text), Err(BadPattern::Name(what)));
    }
}

#[test]
fn a_prefix_takes_what_is_below_it_and_nothing_beside_it() {
    let pattern = TypePattern::parse("Media.YouTube.*").unwrap();
    for (name, fits) in [
        ("Media.YouTube.Video", true),
        ("Media.YouTube.Video.Short", true),
        ("Media.YouTube", false),
        ("Media.YouTube.", false),
        ("Media.YouTubeMusic.Song", false),
        ("media.youtube.video", false),
    ] {
        assert_eq!(pattern.fit(&task_type(name)).is_some(), fits, "{name}");
    }
}

#[test]
fn the_exact_worker_comes_before_the_longest_prefix_and_that_before_the_fallback() {
    let workers: Vec<Vec<TypePattern>> =
        [&["*"][..], &["Media.*"], &["Media.YouTube.*"], &["Media.YouTube.Video"], &["Text.*"]]
            .map(patterns)
            .to_vec();
    for (name, best_first) in [
        ("Media.YouTube.Video", vec![3, 2, 1, 0]),
        ("Media.YouTube.Short", vec![2, 1, 0]),
        ("Media.Vimeo.Video", vec![1, 0]),
        ("Text.Book", vec![4, 0]),
        ("Other", vec![0]),
    ] {
        assert_eq!(candidates(&task_type(name), workers.iter().map(Vec::as_slice)), best_first, "{name}");
    }
}

#[test]
fn types_are_compared_letter_by_letter() {
    let workers = [patterns(&["Media.Video"])];
    assert_eq!(candidates(&task_type("media.video"), workers.iter().map(Vec::as_slice)), [0; 0]);
}

#[test]
fn among_equals_the_order_of_the_configuration_decides() {
    let workers = [patterns(&["A.*"]), patterns(&["B", "A.*"]), patterns(&["A.*", "*"])];
    assert_eq!(candidates(&task_type("A.x"), workers.iter().map(Vec::as_slice)), [0, 1, 2]);
}

#[test]
fn a_worker_that_is_put_aside_hands_over_to_its_equals_only() {
    let workers = [patterns(&["*"]), patterns(&["A"]), patterns(&["A"])];
    for (fit_to_run, expected) in [
        ([true, true, true], Route::To(1)),
        ([true, false, true], Route::To(2)),
        ([true, false, false], Route::Waiting),
        ([false, false, true], Route::To(2)),
    ] {
        let listed = workers.iter().map(Vec::as_slice).zip(fit_to_run);
        assert_eq!(route(&task_type("A"), listed), expected, "{fit_to_run:?}");
    }
    let nobody: [(&[TypePattern], bool); 0] = [];
    assert_eq!(route(&task_type("A"), nobody), Route::Nobody);
    assert_eq!(route(&task_type("B"), workers.iter().map(|it| (it.as_slice(), false))), Route::Waiting);
}
