//! What `--help` prints, kept as it was last read by a person.

use super::{commands, name, repository};
use clap::Command;
use std::collections::BTreeSet;

/// Options of every command are kept once, with the program's own help.
fn without_global_options(command: &Command) -> Command {
    command.clone().mut_args(|argument| if argument.is_global_set() { argument.hide(true) } else { argument })
}

#[test]
fn the_help_of_every_command_is_as_it_was_last_read() {
    let directory = repository("crates/workerhost/tests/help");
    let mut kept = BTreeSet::new();
    for command in commands() {
        let name = name(&command).replace(' ', "-");
        let is_root = name == "workerhost";
        let mut shown = if is_root { command } else { without_global_options(&command) };
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&directory);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let help = shown.render_long_help().to_string();
        settings.bind(|| insta::assert_snapshot!(name.as_str(), help));
        kept.insert(format!("{name}.snap"));
    }
    let found: BTreeSet<String> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".snap.new"))
        .collect();
    assert_eq!(found, kept, "delete the snapshots of commands that are no more");
}

#[test]
fn every_help_has_an_example_and_fits_a_hundred_columns() {
    for mut command in commands() {
        let name = name(&command);
        let long = command.render_long_help().to_string();
        assert!(long.contains("Example"), "{name} shows no example");
        for line in command.get_after_help().map(ToString::to_string).unwrap_or_default().lines() {
            assert!(
                long.lines().any(|whole| whole == line),
                "{name}: an example is too long for its line: {line}"
            );
        }
        for help in [long, command.render_help().to_string()] {
            for line in help.lines() {
                assert!(line.chars().count() <= 100, "{name}: {line}");
            }
        }
    }
}

#[test]
fn every_argument_says_what_it_is_for() {
    for command in commands() {
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let told = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(!told.is_empty(), "{}: {}", name(&command), argument.get_id());
            assert!(!told.ends_with('.'), "{}: {told}", name(&command));
        }
    }
}
