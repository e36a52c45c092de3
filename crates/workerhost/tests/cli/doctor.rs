//! `doctor`: what it finds, and that each mend works when it is applied as it is printed.

use crate::place::{Place, Said, until_so};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// A project whose configuration is JSON, so that a test can set its keys, and the home of its user.
struct Project {
    place: Place,
    home: tempfile::TempDir,
}

/// One thing that is wrong: which check finds it, how bad it is, and some of its words.
type Ill = (&'static str, &'static str, &'static str);

impl Project {
    fn with(configuration: &Value) -> Self {
        let place = Place::with("");
        place.write("workerhost.json", configuration.to_string());
        Self { place, home: tempfile::tempdir().unwrap() }
    }

    /// One worker, `w`, which takes the type `t` and whose script is this.
    fn of(script: &str, more: &Value) -> Self {
        let mut worker =
            json!({"name": "w", "command": ["sh", "w.sh"], "task_types": ["t"], "protocol": "raw"});
        let keys = worker.as_object_mut().unwrap();
        keys.extend(more.as_object().unwrap().clone());
        let project = Self::with(&json!({"workers": [worker]}));
        project.place.write("w.sh", script);
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        self.around(&mut command);
        command
    }

    /// A command of a shell that finds this program where people have it.
    fn shell(&self, words: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", words]).current_dir(self.place.path()).env_clear();
        self.around(&mut command);
        command
    }

    fn around(&self, command: &mut Command) {
        let own = Path::new(env!("CARGO_BIN_EXE_workerhost")).parent().unwrap();
        let tools = self.path("tools");
        let path = format!("{}:{}:{}", tools.display(), own.display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("HOME", self.home.path());
        command.stdin(std::process::Stdio::null());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    }

    fn ok(&self, arguments: &[&str]) -> Said {
        let said = Place::said(&mut self.command(arguments));
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        said
    }

    fn enqueue(&self, task_type: &str, count: usize) {
        for at in 0..count {
            self.ok(&[
                "enqueue",
                task_type,
                "--id",
                &format!("{task_type}-{at}"),
                "--params",
                &at.to_string(),
            ]);
        }
    }

    fn run(&self) -> Host {
        Host(self.command(&["run"]).spawn().unwrap())
    }

    /// Everything that is found; the code says whether an error is among it.
    fn findings(&self) -> Vec<Value> {
        findings(&mut self.command(&["doctor", "--json"]))
    }

    /// The mend of something that is wrong.
    fn mend_of(&self, ill: Ill) -> Value {
        let found = self.findings();
        find(&found, ill).unwrap_or_else(|| panic!("{ill:?} is not among {found:#?}"))["mend"].clone()
    }

    fn is_healed(&self, ill: Ill) {
        let found = self.findings();
        assert_eq!(find(&found, ill), None, "{found:#?}");
    }

    /// Applies a mend as it is printed.
    fn apply(&self, mend: &Value) {
        if let Some(words) = mend["run"].as_str() {
            let said = Place::said(&mut self.shell(words));
            assert_eq!(said.code, Some(0), "{words}: {said:?}");
            return;
        }
        let set = &mend["set"];
        let (Some(key), Some(value)) = (set["key"].as_str(), set["value"].as_str()) else {
            panic!("only a person could do that: {mend}");
        };
        let file = self.place.path().join(set["file"].as_str().unwrap());
        let mut configuration: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let mut at = match set["worker"].as_str() {
            None => &mut configuration,
            Some(name) => {
                let workers = configuration["workers"].as_array_mut().unwrap();
                workers.iter_mut().find(|worker| worker["name"] == name).unwrap()
            }
        };
        for part in key.split('.') {
            at = &mut at[part];
        }
        *at = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        fs::write(&file, configuration.to_string()).unwrap();
    }

    /// Finds it, applies its mend, and finds it no more.
    fn heals(&self, ill: Ill) {
        let mend = self.mend_of(ill);
        self.apply(&mend);
        self.is_healed(ill);
    }
}

/// A host that is ended with its test.
struct Host(Child);

impl Host {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        for signal in [Signal::CONT, Signal::QUIT] {
            kill_process(self.pid(), signal).ok();
        }
        self.0.wait().ok();
    }
}

fn findings(command: &mut Command) -> Vec<Value> {
    let said = Place::said(command);
    let found = said.objects();
    let is_ill = found.iter().any(|finding| finding["level"] == "error");
    assert_eq!(said.code, Some(if is_ill { 13 } else { 0 }), "{said:?}");
    for finding in &found {
        assert_eq!(
            finding["level"] == "ok",
            finding.get("mend").is_none(),
            "what is wrong has a mend: {finding}"
        );
    }
    found
}

fn find(found: &[Value], (check, level, words): Ill) -> Option<&Value> {
    found.iter().find(|finding| {
        let says = finding["message"].as_str().is_some_and(|message| message.contains(words));
        finding["check"] == check && finding["level"] == level && says
    })
}

const ECHO: &str = "cat";

#[test]
fn a_healthy_project_has_no_error_and_tells_what_was_looked_at() {
    let project = Project::of(ECHO, &json!({}));
    project.enqueue("t", 3);
    project.ok(&["run", "--drain"]);
    let found = project.findings();
    let checks: Vec<&str> = found.iter().map(|finding| finding["check"].as_str().unwrap()).collect();
    for check in [
        "configuration",
        "program",
        "isolation",
        "user",
        "directory",
        "store",
        "machine",
        "clock",
        "host",
        "backlog",
        "attempts",
    ] {
        assert!(checks.contains(&check), "{check}: {found:#?}");
    }
    assert!(found.iter().all(|finding| finding["level"] != "error"), "{found:#?}");
    let page = project.ok(&["doctor"]).out;
    assert!(page.contains("ok       store          ") && page.ends_with(".\n"), "{page}");
}

#[test]
fn a_wrong_configuration_is_told_with_every_problem() {
    let project = Project::with(&json!({"workers": [{"name": "w"}], "hst": {}}));
    let found = project.findings();
    let problems = found.iter().filter(|finding| finding["check"] == "configuration");
    assert!(problems.count() >= 2, "{found:#?}");
    assert!(find(&found, ("configuration", "error", "hst")).is_some(), "{found:#?}");
}

#[test]
fn a_program_that_is_not_executable() {
    let project = Project::of(ECHO, &json!({"command": ["./w.sh"]}));
    project.place.write("w.sh", "#!/bin/sh\ncat\n");
    project.heals(("program", "error", "w.sh is not executable"));
}

#[test]
fn a_script_that_is_missing() {
    let project = Project::of(ECHO, &json!({"command": ["sh", "other.sh"]}));
    let ill = ("program", "error", "other.sh, which is not there or cannot be read");
    assert!(
        project.mend_of(ill)["words"]
            .as_str()
            .unwrap()
            .contains("bring it, or correct worker w in workerhost.json")
    );
    project.place.write("other.sh", ECHO);
    project.is_healed(ill);
}

#[test]
fn tasks_of_a_type_that_no_worker_takes() {
    let project = Project::of(ECHO, &json!({}));
    project.enqueue("u.deep", 2);
    project.heals(("backlog", "error", "2 tasks of type u.deep wait, and no worker takes it"));
    project.ok(&["run", "--drain"]);
    assert_eq!(project.ok(&["show", "u.deep-1", "--json"]).objects()[0]["state"], "completed");
}

#[test]
fn tasks_that_wait_for_a_host() {
    let project = Project::of(ECHO, &json!({}));
    project.enqueue("t", 1);
    let ill = ("host", "error", "1 task waits, and no host is running");
    let mend = project.mend_of(ill);
    let _host = Host(project.shell(&format!("exec {}", mend["run"].as_str().unwrap())).spawn().unwrap());
    until_so("a host has come", || find(&project.findings(), ill).is_none());
}

#[test]
fn a_worker_that_is_put_aside() {
    let project = Project::of("test -e mended || exit 78; cat", &json!({}));
    project.enqueue("t", 3);
    let _host = project.run();
    let ill = ("host", "error", "worker w is put aside");
    until_so("it is put aside", || find(&project.findings(), ill).is_some());
    let mend = project.mend_of(ill);
    let command = mend["words"].as_str().unwrap().strip_prefix("mend that, and then: ").unwrap();
    project.place.write("mended", "");
    assert_eq!(Place::said(&mut project.shell(command)).code, Some(0));
    until_so("it is at work", || find(&project.findings(), ill).is_none());
}

#[test]
fn tasks_that_a_host_took_to_its_grave() {
    let project = Project::of("echo > begun; cat; sleep 60", &json!({"isolation": "none"}));
    project.enqueue("t", 1);
    let host = project.run();
    project.place.until_there("begun");
    kill_process(host.pid(), Signal::KILL).unwrap();
    let ill = ("host", "error", "1 task was being carried when the host died, and no host is running");
    until_so("it is told", || find(&project.findings(), ill).is_some());
    assert_eq!(project.mend_of(ill)["run"], "workerhost run");
}

#[test]
fn a_host_that_has_been_stopped() {
    let project = Project::of(ECHO, &json!({}));
    project.enqueue("t", 1);
    let host = project.run();
    until_so("it has done something", || {
        project.ok(&["show", "t-0", "--json"]).objects()[0]["state"] == "completed"
    });
    kill_process(host.pid(), Signal::STOP).unwrap();
    let ill = ("host", "error", "has been stopped by a signal");
    until_so("it stands", || find(&project.findings(), ill).is_some());
    project.heals(ill);
}

#[test]
fn a_watermark_above_what_the_machine_has() {
    let worker = json!({"name": "w", "command": ["cat"], "task_types": ["t"], "protocol": "raw"});
    let ill = ("machine", "error", "iB in all");
    Project::with(&json!({"workers": [&worker], "host": {"min_free_memory": "1000TiB"}})).heals(ill);
    Project::with(&json!({"workers": [&worker], "host": {"min_free_disk": "1000TiB"}})).heals(ill);
}

#[test]
fn a_watermark_above_what_is_free_is_no_reason_to_lower_it() {
    let free = rustix::fs::statvfs("/tmp").map(|disk| disk.f_bavail * disk.f_frsize).unwrap();
    let size = rustix::fs::statvfs("/tmp").map(|disk| disk.f_blocks * disk.f_frsize).unwrap();
    let between = format!("{}MiB", u64::midpoint(free, size) >> 20);
    let project =
        Project::with(&json!({"workers": [], "data_dir": "kept", "host": {"min_free_disk": between}}));
    let mend = project.mend_of(("machine", "error", "`host.min_free_disk` is"));
    assert!(mend["words"].as_str().unwrap().starts_with("free space on the disk of"), "{mend}");
}

#[test]
fn a_data_directory_that_others_may_look_into() {
    let project = Project::of(ECHO, &json!({}));
    project.enqueue("t", 1);
    let kept = fs::canonicalize(project.path(".workerhost")).unwrap();
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o755)).unwrap();
    project.heals(("directory", "warning", "is open to other users (mode 755)"));
}

#[test]
fn a_data_directory_that_was_copied_with_its_project() {
    let (project, original) = (Project::of(ECHO, &json!({})), Project::of(ECHO, &json!({})));
    original.enqueue("t", 1);
    symlink(fs::canonicalize(original.path(".workerhost")).unwrap(), project.path(".workerhost")).unwrap();
    project.heals(("store", "error", "leads to the data directory of"));
}

#[test]
fn too_few_descriptors_for_the_streams() {
    let project = Project::with(&json!({"workers": [], "host": {"streams": 100}}));
    let under = |most: &str| {
        findings(&mut project.shell(&format!("ulimit -S -n {most} && workerhost doctor --json")))
    };
    let ill = ("user", "warning", "may open 200 files, and 100 streams need 1664");
    let found = under("200");
    let finding = find(&found, ill).unwrap_or_else(|| panic!("{found:#?}"));
    assert!(finding["mend"]["words"].as_str().unwrap().contains("ulimit -n 1664"), "{finding}");
    assert_eq!(find(&under("1664"), ("user", "warning", "may open")), None);
}

#[test]
fn a_service_that_ends_its_host_too_early() {
    let project = Project::of(ECHO, &json!({}));
    let units = project.home.path().join(".config/systemd/user");
    fs::create_dir_all(&units).unwrap();
    fs::create_dir(project.path("tools")).unwrap();
    // It only says that it was called.
    project.place.write("tools/systemctl", "#!/bin/sh\necho \"$*\" >> called\n");
    fs::set_permissions(project.path("tools/systemctl"), fs::Permissions::from_mode(0o755)).unwrap();
    let unit = format!(
        "[Service]\nWorkingDirectory={}\nExecStart=/usr/bin/workerhost -c workerhost.json run\nTimeoutStopSec=10\n",
        project.place.path().display()
    );
    fs::write(units.join("jobs.service"), unit).unwrap();
    fs::write(units.join("others.service"), "[Service]\nExecStart=/usr/bin/workerhost run\n").unwrap();
    project.heals(("service", "warning", "jobs.service: it is killed 10.0 s after it was to stop"));
    assert_eq!(fs::read_to_string(project.path("called")).unwrap(), "--user daemon-reload\n");
    let found = project.findings();
    assert!(find(&found, ("service", "ok", "jobs.service lets its host finish")).is_some(), "{found:#?}");
    assert_eq!(find(&found, ("service", "warning", "")), None, "of others nothing is said");
    // What a first mend has written is still there after a second one.
    let text = fs::read_to_string(project.path("workerhost.json")).unwrap();
    project.place.write("workerhost.json", text.replacen('{', "{\"host\": {\"drain\": \"90s\"}, ", 1));
    project.heals(("service", "warning", "jobs.service: it is killed 40.0 s after it was to stop"));
}

#[test]
fn the_service_of_the_documentation_is_fine() {
    let page = include_str!("../../../../docs/operating.md");
    let unit = page.split("```ini\n").nth(1).unwrap().split("```").next().unwrap();
    let project = Project::of(ECHO, &json!({}));
    let units = project.home.path().join(".config/systemd/user");
    fs::create_dir_all(&units).unwrap();
    fs::write(units.join("jobs.service"), unit.replace("/srv/jobs", project.place.path().to_str().unwrap()))
        .unwrap();
    let found = project.findings();
    assert!(find(&found, ("service", "ok", "jobs.service lets its host finish")).is_some(), "{found:#?}");
}

#[test]
fn attempts_that_reach_a_limit_of_time_that_is_too_short() {
    let script = "read -r n; if [ \"$n\" = 0 ]; then sleep 1.6; else sleep 4; fi; echo \"$n\"";
    let project = Project::of(script, &json!({"timeout": "3s", "streams": 3, "retry": {"attempts": 1}}));
    project.enqueue("t", 3);
    project.ok(&["run", "--drain"]);
    project.heals(("attempts", "error", "2 of the last 3 attempts of worker w reached their limit of 3.0 s"));
    project.ok(&["retry", "--poisoned"]);
    project.ok(&["run", "--drain"]);
    assert_eq!(project.ok(&["show", "t-2", "--json"]).objects()[0]["state"], "completed");
}

#[test]
fn attempts_that_run_out_of_memory() {
    let script = "cat > /dev/null; x=$(head -c 20000000 /dev/zero | tr '\\0' x); echo ${#x}";
    let project = Project::of(script, &json!({"limits": {"memory_mb": 32}, "retry": {"attempts": 2}}));
    project.enqueue("t", 1);
    project.ok(&["run", "--drain"]);
    project.heals(("attempts", "error", "2 of the last 2 attempts of worker w ran out of memory"));
    project.ok(&["retry", "--poisoned"]);
    project.ok(&["run", "--drain"]);
    assert_eq!(project.ok(&["show", "t-0", "--json"]).objects()[0]["state"], "completed");
}

#[test]
fn attempts_that_fail_are_told_by_what_most_of_them_say() {
    let script = "echo 'no such host: api.example' >&2; exit 1";
    let project = Project::of(script, &json!({"retry": {"attempts": 2, "base": "0s"}}));
    project.enqueue("t", 2);
    project.ok(&["run", "--drain"]);
    let found = project.findings();
    let ill = ("attempts", "error", "4 of the last 4 attempts of worker w ended as failed, most often:");
    let finding = find(&found, ill).unwrap_or_else(|| panic!("{found:#?}"));
    assert!(finding["message"].as_str().unwrap().contains("no such host: api.example"), "{finding}");
    let shown = Place::said(&mut project.shell(finding["mend"]["run"].as_str().unwrap()));
    assert!(shown.out.contains("no such host"), "{shown:?}");
    project.place.write("w.sh", ECHO);
    project.enqueue("t", 7);
    project.ok(&["run", "--drain"]);
    project.is_healed(ill);
}

#[test]
fn tasks_that_wait_long_for_the_only_stream() {
    let project = Project::of("cat; until test -e done; do sleep 0.05; done", &json!({}));
    for id in ["one", "two"] {
        project.ok(&["enqueue", "t", "--id", id, "--at", "2020-01-01T00:00:00Z"]);
    }
    let back = "import sqlite3; c = sqlite3.connect('.workerhost/tasks.db'); \
                c.execute('UPDATE task SET created_at = created_at - 3600000'); c.commit()";
    let said = Command::new("python3").args(["-c", back]).current_dir(project.place.path()).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    let _host = project.run();
    let ill = ("backlog", "warning", "the first for 1 h 0 min: the only stream of worker w is at work");
    until_so("all are at work", || find(&project.findings(), ill).is_some());
    let mend = project.mend_of(ill);
    project.apply(&mend);
    until_so("there are more", || find(&project.findings(), ill).is_none());
    project.place.write("done", "");
}

#[test]
fn isolation_that_is_required_and_cannot_be_had() {
    let more = json!({"isolation": {"required": true}, "limits": {"cpu_percent": 50}});
    let project = Project::of(ECHO, &more);
    let without_groups = "umount -R -l /sys/fs/cgroup && exec workerhost doctor --json";
    let blind = || project.shell(&format!("exec unshare -m sh -c '{without_groups}'"));
    if Place::said(&mut project.shell("unshare -m true")).code != Some(0) {
        // Only root may hide them.
        return;
    }
    let found = findings(&mut blind());
    // In the host's own control groups it may be to be had.
    let ill = ("isolation", "warning", "and `cpu` cannot be had, started from here: ");
    let mend = find(&found, ill).unwrap_or_else(|| panic!("{found:#?}"))["mend"].clone();
    assert!(mend.get("set").is_none(), "nobody is told to ask for less: {mend}");
    assert!(find(&found, ("limits", "warning", "measured")).is_some(), "{found:#?}");
    // Its host has told otherwise.
    project.enqueue("t", 1);
    project.ok(&["run", "--drain"]);
    let said = project.ok(&["show", "t-0", "--json"]).objects().remove(0);
    if said["attempts"][0]["isolation"]["enforced"].as_array().unwrap().contains(&json!("cpu")) {
        let found = findings(&mut blind());
        assert_eq!(find(&found, ("isolation", "warning", "cpu")), None, "{found:#?}");
        assert_eq!(find(&found, ("limits", "warning", "")), None, "{found:#?}");
    }
}

#[test]
fn what_came_from_outside_is_not_told() {
    let project = Project::of(ECHO, &json!({"command": ["sh", "./${SCRIPT}"]}));
    let said = Place::said(project.command(&["doctor"]).env("SCRIPT", "canary-4711.sh"));
    assert!(
        said.out.contains("names <redacted>, which is not there")
            || said.out.contains("<redacted>, which is"),
        "{said:?}"
    );
    assert!(!format!("{said:?}").contains("canary"), "{said:?}");
}

#[test]
fn a_configuration_that_cannot_be_used_hides_nothing_of_its_store() {
    let project = Project::of(ECHO, &json!({}));
    project.enqueue("t", 2);
    let text = fs::read_to_string(project.path("workerhost.json")).unwrap();
    project.place.write("workerhost.json", text.replacen('{', "{\"hst\": {}, ", 1));
    let found = project.findings();
    assert!(find(&found, ("configuration", "error", "hst")).is_some(), "{found:#?}");
    assert!(find(&found, ("host", "error", "2 tasks wait, and no host is running")).is_some(), "{found:#?}");
}

#[test]
fn a_home_in_which_nothing_can_be_made_does_no_harm() {
    let place = Place::with("workers: []\n");
    let found = findings(&mut place.command(&["doctor", "--json"]));
    let ill = ("directory", "ok", ".workerhost is not there yet; the first task makes it");
    assert!(find(&found, ill).is_some(), "{found:#?}");
    place.ok(&["enqueue", "t"]);
}

#[test]
fn a_data_directory_that_cannot_be_made() {
    let place = Place::with("data_dir: file/data\nworkers: []\n");
    place.write("file", "");
    let found = findings(&mut place.command(&["doctor", "--json"]));
    assert!(find(&found, ("directory", "error", "this user can make nothing in")).is_some(), "{found:#?}");
}
