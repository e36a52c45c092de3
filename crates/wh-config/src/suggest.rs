//! "Did you mean …?": the nearest of some words.

/// Longer words are nobody's slip of a key.
const LONGEST: usize = 64;

/// The word that was probably meant, if one is near enough.
pub(crate) fn nearest<'w>(typed: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let typed = bare(typed);
    if typed.is_empty() || typed.len() > LONGEST {
        return None;
    }
    let most = (typed.len() / 3).clamp(1, 4);
    words
        .into_iter()
        .map(|word| (distance(&typed, &bare(word)), word))
        .filter(|(distance, _)| *distance <= most && *distance < typed.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// A word without case and without the signs that join its parts.
fn bare(word: &str) -> Vec<char> {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ' | '.')).flat_map(char::to_lowercase).collect()
}

/// Insertions, deletions, changes and swaps of neighbours between two words (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *y && b[j - 1] == *x {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_their_word_and_strangers_find_none() {
        let words = ["timeout", "task_types", "streams", "max_attempts", "env"];
        let check = |typed: &str, word: Option<&str>| assert_eq!(nearest(typed, words), word, "{typed}");
        check("tiemout", Some("timeout"));
        check("taskTypes", Some("task_types"));
        check("task-type", Some("task_types"));
        check("stream", Some("streams"));
        check("maxattempt", Some("max_attempts"));
        check("enb", Some("env"));
        check("colour", None);
        check("", None);
        check("t", None);
        check(&"x".repeat(10_000), None);
    }
}
