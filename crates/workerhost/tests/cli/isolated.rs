//! Programs as people have them run under the isolation that is the default, without a change.

use crate::place::Place;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A project with its data directory where it lies when nobody chose a place for it, and the user's home.
struct Project {
    place: Place,
    home: tempfile::TempDir,
}

impl Project {
    fn with(configuration: &str) -> Self {
        Self { place: Place::with(configuration), home: tempfile::tempdir().unwrap() }
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        if let Some(directory) = Path::new(name).parent() {
            fs::create_dir_all(self.place.path().join(directory)).unwrap();
        }
        self.place.write(name, content)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        command.env("HOME", self.home());
        command
    }

    /// What becomes of one task.
    fn task(&self, params: &str) -> Value {
        for arguments in [&["enqueue", "t", "--id", "a", "--params", params][..], &["run", "--drain"]] {
            let said = Place::said(&mut self.command(arguments));
            assert_eq!(said.code, Some(0), "{said:?}");
        }
        Place::said(&mut self.command(&["show", "a", "--json"])).objects().remove(0)
    }

    /// Its result, isolated without a gap.
    fn result(&self, params: &str) -> Value {
        let mut task = self.task(params);
        let attempt = &task["attempts"][0];
        assert_eq!(attempt["isolation"]["level"], "strict", "{task}");
        assert_eq!(attempt["isolation"]["missing"], Value::Array(Vec::new()), "{task}");
        assert_eq!(task["state"], "completed", "{task}");
        task["result"].take()
    }
}

/// Whether a program can be run here; what is not there proves nothing.
fn has(program: &str, argument: &str) -> bool {
    let mut probe = Command::new(program);
    probe.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let is_there = probe.status().is_ok_and(|status| status.success());
    if !is_there {
        let words = format!("SKIP: there is no {program} here\n");
        std::io::stderr().write_all(words.as_bytes()).unwrap();
    }
    is_there
}

const ANSWER: &str = "import json, sys\nprint(json.dumps({'success': True, 'result': answer(json.load(sys.stdin)['params'])}))\n";

#[test]
fn a_python_project_with_its_modules_beside_the_script_and_its_configuration_runs_by_default() {
    for command in ["python3, worker.py", "python3, -m, worker", "python3, -m, package.inside"] {
        let project =
            Project::with(&format!("workers:\n  - {{name: w, command: [{command}], task_types: [t]}}\n"));
        project.write("helper.py", "def answer(params):\n    return params['n'] + 1\n");
        project.write("worker.py", &format!("from helper import answer\n{ANSWER}"));
        project.write("package/__init__.py", "");
        project.write("package/inside.py", &format!("from helper import answer\n{ANSWER}"));
        assert_eq!(project.result("{\"n\": 41}"), 42, "{command}");
        let link = project.place.path().join(".workerhost");
        let kept = project.home().join(".local/state/workerhost");
        assert!(fs::canonicalize(link).unwrap().starts_with(fs::canonicalize(kept).unwrap()));
    }
}

#[test]
fn a_worker_without_a_workspace_has_a_home_and_room_for_temporary_files_which_the_next_task_finds_empty() {
    let project = Project::with(
        "workers:\n  - {name: w, command: [sh, worker.sh], task_types: [t], protocol: raw, workspace: none}\n",
    );
    project.write(
        "worker.sh",
        "cat > /dev/null; ls -A \"$HOME\"; touch \"$TMPDIR/left\"; mkdir -p ~/.config/tool; mktemp > /dev/null && echo made\n",
    );
    for id in ["a", "b"] {
        for arguments in [&["enqueue", "t", "--id", id][..], &["run", "--drain"]] {
            assert_eq!(Place::said(&mut project.command(arguments)).code, Some(0));
        }
        let task = Place::said(&mut project.command(&["show", id, "--json"])).objects().remove(0);
        assert_eq!(task["result"], "made\n", "{task}");
    }
}

#[test]
fn a_virtual_environment_outside_of_the_project_runs_unchanged() {
    if !has("python3", "--version") {
        return;
    }
    let outside = tempfile::tempdir().unwrap();
    let venv = outside.path().join("venv");
    let made = Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(&venv).status();
    assert!(made.unwrap().success());
    let python = venv.join("bin/python");
    let site = Command::new(&python).args(["-c", "import site; print(site.getsitepackages()[0])"]).output();
    let site = String::from_utf8(site.unwrap().stdout).unwrap();
    fs::write(Path::new(site.trim()).join("installed.py"), "def answer(params):\n    return 'installed'\n")
        .unwrap();
    let project = Project::with(&format!(
        "workers:\n  - {{name: w, command: [{}, worker.py], task_types: [t]}}\n",
        python.display()
    ));
    project.write("worker.py", &format!("from installed import answer\n{ANSWER}"));
    assert_eq!(project.result("{}"), "installed");
}

#[test]
fn a_model_in_the_users_cache_is_read_where_paths_grant_it_and_not_otherwise() {
    let configuration = |isolation: &str| {
        format!(
            "workers:\n  - {{name: w, command: [sh, -c, 'cat $MODEL'], task_types: [t], protocol: raw{isolation}"
        )
    };
    for (grant, state) in
        [("isolation: {paths: {read: [~/.cache/models]}}, ", "completed"), ("max_attempts: 1, ", "poisoned")]
    {
        let project = Project::with("");
        let model = project.home().join(".cache/models/small");
        fs::create_dir_all(model.parent().unwrap()).unwrap();
        fs::write(&model, "weights").unwrap();
        let rest = format!(", {grant}env: {{MODEL: {}}}}}\n", model.display());
        project.write("workerhost.yaml", &configuration(&rest));
        let task = project.task("{}");
        assert_eq!(task["state"], state, "{task}");
        assert!(state == "poisoned" || task["result"] == "weights", "{task}");
        let page = Place::said(&mut project.command(&["show", "a"])).out;
        assert_eq!(page.contains("more where `isolation.paths` names it"), state == "poisoned", "{page}");
    }
}

#[test]
fn a_client_of_https_finds_its_server_by_name_and_checks_its_certificate() {
    if !has("python3", "--version") || !has("openssl", "version") {
        return;
    }
    let project = Project::with(
        "workers:\n  - {name: w, command: [python3, client.py], task_types: [t], timeout: 30s}\n",
    );
    project.write(
        "client.py",
        &format!(
            "import os, ssl, urllib.request\n\
             def answer(params):\n    \
                 context = ssl.create_default_context()\n    \
                 context.load_verify_locations('certificate.pem')\n    \
                 url = 'https://localhost:%d/' % params['port']\n    \
                 return urllib.request.urlopen(url, context=context, timeout=20).read().decode()\n{ANSWER}"
        ),
    );
    let outside = tempfile::tempdir().unwrap();
    let key = outside.path().join("key.pem");
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(project.place.path().join("certificate.pem"))
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    let server = "import http.server, ssl, sys\n\
        class Handler(http.server.BaseHTTPRequestHandler):\n    \
            def do_GET(self):\n        \
                self.send_response(200)\n        self.end_headers()\n        self.wfile.write(b'hello')\n    \
            def log_message(self, *words):\n        pass\n\
        server = http.server.HTTPServer(('127.0.0.1', 0), Handler)\n\
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n\
        context.load_cert_chain(sys.argv[1], sys.argv[2])\n\
        server.socket = context.wrap_socket(server.socket, server_side=True)\n\
        print(server.server_port, flush=True)\n\
        server.serve_forever()\n";
    let mut serving = Command::new("python3")
        .args(["-c", server])
        .arg(project.place.path().join("certificate.pem"))
        .arg(&key)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(serving.stdout.take().unwrap()), &mut port)
        .unwrap();
    let result = project.result(&format!("{{\"port\": {}}}", port.trim()));
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert_eq!(result, "hello");
}

/// Every file below a directory that is there.
fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

#[test]
fn a_secret_reaches_its_worker_and_nothing_that_anybody_reads() {
    const SECRET: &str = "sk-CANARY/4711+né";
    const FORMS: &str = r"
import base64, json, os, sys, time, urllib.parse
secret = os.environ['MODE']
for text in (secret, base64.b64encode(('user:' + secret).encode()).decode(), urllib.parse.quote(secret, safe=''), json.dumps(secret)):
    print('using', text, file=sys.stderr)
os.write(2, b'half of it: ' + secret.encode()[:7]); time.sleep(0.05); os.write(2, secret.encode()[7:] + b'\n')
with open(os.environ['WORKERHOST_WORKING_DIR'] + '/ready', 'w') as file: pass
time.sleep(float(json.load(sys.stdin)['params']))
print(json.dumps({'success': False, 'error': {'type': 'Refused', 'message': 'the key ' + secret + ' was refused', 'retry_possible': False}}))
print(len(secret), file=sys.stderr)
sys.exit(1)
";
    let project = Project::with(
        "logging: {file: host.log, capture_worker_output: true}\nworkers:\n  - {name: w, command: [python3, w.py], task_types: [t], \
         env: {MODE: '${CANARY}'}}\n",
    );
    project.write("w.py", FORMS);
    let command = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.env("CANARY", SECRET);
        command
    };
    assert_eq!(Place::said(&mut command(&["enqueue", "t", "--id", "a", "--params", "0.5"])).code, Some(0));
    let host = command(&["run", "--drain"]).spawn().unwrap();
    let data = project.place.path().join(".workerhost");
    crate::place::until_so("the worker runs", || {
        fs::canonicalize(&data).is_ok_and(|data| {
            let mut found = Vec::new();
            files(&data.join("work"), &mut found);
            found.iter().any(|path| path.ends_with("working/ready"))
        })
    });
    let holders = processes_with(SECRET);
    let said = crate::place::Said::of(host);
    let mut heard = vec![("what the host said".to_owned(), said.out + &said.err)];
    for arguments in [
        &["show", "a"][..],
        &["show", "a", "--json"],
        &["logs", "a"],
        &["list", "--json"],
        &["config", "show"],
    ] {
        let said = Place::said(&mut command(arguments));
        heard.push((format!("{arguments:?}"), said.out + &said.err));
    }
    let mut kept = vec![project.place.path().join("host.log")];
    files(&fs::canonicalize(&data).unwrap(), &mut kept);
    for path in kept {
        let content = String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
        heard.push((path.display().to_string(), content));
    }
    let shown = &heard[1].1;
    assert!(
        shown.contains("17\n") && shown.contains("the key <redacted> was refused"),
        "it reached the worker: {shown}"
    );
    for (where_, text) in &heard {
        for form in ["CANARY", "sk-CAN", "c2stQ0FOQVJZ", "stQ0FOQVJZ", "tQ0FOQVJZ", "sk-CANARY%2F"] {
            assert!(!text.contains(form), "{form} stands in {where_}: {text}");
        }
    }
    // Whoever starts a host has its variables; besides the host only the worker has this one.
    assert!(holders.iter().all(|name| name == "workerhost" || name.starts_with("python")), "{holders:?}");
    assert!(holders.iter().any(|name| name.starts_with("python")), "{holders:?}");
}

/// The names of processes with a text in their command lines or variables.
fn processes_with(text: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().map(Result::unwrap);
    let has = |path: &Path| {
        ["cmdline", "environ"].iter().any(|name| {
            let bytes = fs::read(path.join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).contains(text)
        })
    };
    let own = std::process::id().to_string();
    entries
        .filter(|entry| entry.file_name().to_str() != Some(&own) && has(&entry.path()))
        .map(|entry| fs::read_to_string(entry.path().join("comm")).unwrap_or_default().trim().to_owned())
        .collect()
}

#[test]
fn the_stores_of_other_projects_are_closed_to_a_worker_that_may_read_all_around_them() {
    let project = Project::with("");
    let others = project.home().join(".local/state/workerhost/other");
    let share = project.home().join(".local/share");
    for directory in [&others, &share] {
        fs::create_dir_all(directory).unwrap();
        fs::write(directory.join("file"), "content").unwrap();
    }
    let configuration = format!(
        "workers:\n  - {{name: w, command: [sh, w.sh], task_types: [t], protocol: raw, isolation: {{paths: {{read: [~/.local]}}}}, \
         env: {{OTHERS: {}, SHARE: {}}}}}\n",
        others.display(),
        share.display()
    );
    project.write("workerhost.yaml", &configuration);
    project.write("w.sh", "cat > /dev/null; cat $SHARE/file; cat $OTHERS/file 2> /dev/null || echo; ls $OTHERS 2> /dev/null || echo denied\n");
    assert_eq!(project.result("{}"), "content\ndenied\n");
}

#[test]
fn a_link_to_a_data_directory_that_is_gone_is_told_to_whoever_looks_and_whoever_enqueues() {
    let project = Project::with("workers: []\n");
    assert_eq!(Place::said(&mut project.command(&["enqueue", "t", "--id", "a"])).code, Some(0));
    let data = fs::canonicalize(project.place.path().join(".workerhost")).unwrap();
    fs::rename(&data, project.home().join("aside")).unwrap();
    for arguments in [&["list"][..], &["show", "a"], &["enqueue", "t"]] {
        let said = Place::said(&mut project.command(arguments));
        assert_ne!(said.code, Some(0), "{said:?}");
        assert!(said.err.contains("which is not there, and with it the tasks that were in it"), "{said:?}");
    }
    fs::rename(project.home().join("aside"), &data).unwrap();
    assert_eq!(Place::said(&mut project.command(&["show", "a"])).code, Some(0));
}
