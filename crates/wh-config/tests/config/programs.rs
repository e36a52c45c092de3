//! Which program a worker runs, where it is looked for, and which files it consists of.

use crate::messages;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use wh_config::{Loaded, parse};

fn tree() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for name in ["project/bin", "shared", "project/pkg/tool"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    for name in [
        "project/bin/near",
        "shared/far",
        "project/run.py",
        "project/pkg/one.py",
        "project/pkg/tool/__main__.py",
    ] {
        fs::write(root.join(name), "#!/bin/sh\n").unwrap();
    }
    for name in ["project/bin/near", "shared/far"] {
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    directory
}

fn read(root: &Path, lines: &str) -> Loaded {
    let text = format!("workers: [{{name: w, task_types: [T], project_path: project, {lines}}}]");
    let path = root.join("shared").display().to_string();
    let env = |name: &str| (name == "PATH").then(|| path.clone());
    parse("w.yaml", &text, root, &env).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

#[test]
fn a_program_is_looked_for_in_the_project_then_beside_the_file_then_on_path() {
    let directory = tree();
    let root = directory.path();
    let check = |lines: &str, argv: &str, files: &[&str]| {
        let loaded = read(root, lines);
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings.render(false));
        let worker = &loaded.config.workers[0];
        let shown = worker.program.argv.join(" ").replace(&root.display().to_string(), "");
        assert_eq!(shown, argv, "{lines}");
        let found: Vec<_> = files.iter().map(|file| root.join(file)).collect();
        assert_eq!(worker.files, found, "{lines}");
        assert_eq!(worker.program.directory, root.join("project"));
    };
    check("command: [bin/near, run.py]", "/project/bin/near run.py", &["project/bin/near", "project/run.py"]);
    check("command: [shared/far]", "/shared/far", &["shared/far"]);
    check("command: [far, -v]", "far -v", &["shared/far"]);
    check(
        "venv_python: bin/near, module: pkg.one, function: go",
        "/project/bin/near -m pkg.one go",
        &["project/bin/near", "project/pkg/one.py"],
    );
    check(
        "venv_python: bin/near, module: pkg.tool",
        "/project/bin/near -m pkg.tool",
        &["project/bin/near", "project/pkg/tool/__main__.py"],
    );
}

#[test]
fn a_program_that_is_not_there_is_a_warning_that_names_what_was_tried() {
    let directory = tree();
    let root = directory.path();
    let told = |lines: &str| {
        messages(&read(root, lines).warnings).join("\n").replace(&root.display().to_string(), "")
    };
    assert_eq!(told("command: [bin/none]"), "there is no program `/project/bin/none`, nor `/bin/none`");
    assert_eq!(told("command: [none]"), "there is no program `none` on PATH");
    assert_eq!(told("command: [./run.py]"), "`/project/./run.py` is no program that may be run");
    assert_eq!(
        told("venv_python: venv/bin/python, module: m"),
        "there is no program `/project/venv/bin/python`, nor `/venv/bin/python`"
    );
}

#[test]
fn a_missing_project_is_a_warning() {
    let env = |_: &str| None;
    let text = "workers: [{name: w, task_types: [T], project_path: gone, command: [/bin/sh]}]";
    let loaded = parse("w.yaml", text, Path::new("/nowhere"), &env).unwrap();
    assert_eq!(messages(&loaded.warnings), ["`project_path`: there is no directory `/nowhere/gone`"]);
}

#[test]
fn a_script_that_is_not_there_is_told_where_a_known_interpreter_is_to_run_it() {
    let directory = tree();
    let warnings = |command: &str| {
        let loaded = read(directory.path(), &format!("command: {command}"));
        messages(&loaded.warnings).into_iter().filter(|told| told.starts_with("there is no file")).count()
    };
    for missing in [
        "[python3, rum.py]",
        "[/usr/bin/python3.12, rum.py]",
        "[node, pkg/none.js]",
        "[sh, run.sh, x]",
        "[perl5.36, a.pl]",
    ] {
        assert_eq!(warnings(missing), 1, "{missing}");
    }
    for fine in [
        "[python3, run.py]",
        "[python3, -m, pkg]",
        "[python3]",
        "[sh, -c, exit]",
        "[sh, far]",
        "[cat, none]",
        "[bin/near, none]",
    ] {
        assert_eq!(warnings(fine), 0, "{fine}");
    }
    let root = directory.path().display();
    let told = messages(&read(directory.path(), "command: [sh, rum.sh]").warnings);
    assert!(told.contains(&format!("there is no file `{root}/project/rum.sh` for `sh` to run")), "{told:?}");
}
