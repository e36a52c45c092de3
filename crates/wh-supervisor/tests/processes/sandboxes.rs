//! What a worker can reach, at each level of isolation: what is denied at one must first succeed without any.

use crate::rig::{Rig, options, sh, skip};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use wh_domain::attempt::Outcome;
use wh_domain::ending::Exit;
use wh_domain::isolation::{Isolation, Level, Network, Restriction};
use wh_domain::worker::{Program, Protocol, Worker, Workspace};
use wh_ports::runner::Finished;
use wh_supervisor::{ProcessRunner, RunnerOptions};

/// What a probe came to, by its name.
type Seen = BTreeMap<String, String>;

/// Tries each and prints whether it went. Names that begin with `own` are a worker's own, those with `gap` go everywhere.
const PROBES: &str = include_str!("probes.py");

/// Those that some kernels allow nobody, whoever asks.
const RARE: [&str; 7] =
    ["new-kernel", "io-uring", "page-faults", "module", "accounting", "bpf", "user-namespace"];

/// And those that only root may do.
const ROOTS: [&str; 21] = [
    "priority-raised",
    "passwords",
    "device",
    "network-namespace",
    "mount-namespace",
    "enter-namespace",
    "namespace-by-clone",
    "mount",
    "chroot",
    "perf",
    "clock",
    "kernel-log",
    "file-watch",
    "host-name",
    "swap",
    "restart",
    "another-user",
    "victim-trace",
    "victim-descriptor",
    "victim-compare",
    "victim-advise",
];

/// A program that does nothing.
const TOOL: &str = "#!/bin/sh\n";

fn put(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
    if content == TOOL {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }
}

/// A project with the host's data directory and configuration in it, and things outside.
struct Ground {
    rig: Rig,
    outside: tempfile::TempDir,
    /// A process of somebody else.
    victim: std::process::Child,
    /// Whom sockets reach: by a name of the kernel's, by a file, by a port.
    listeners: (UnixListener, UnixListener, UdpSocket),
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.victim.kill().unwrap();
        self.victim.wait().unwrap();
    }
}

impl Ground {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let private = vec![dir.path().join("workerhost.yaml")];
        let data_dir = dir.path().join(".workerhost");
        std::fs::create_dir(&data_dir).unwrap();
        // What is started inherits it: as much as may be.
        let core = getrlimit(Resource::Core);
        setrlimit(Resource::Core, Rlimit { current: core.maximum, ..core }).unwrap();
        let runner = ProcessRunner::new(RunnerOptions { private, ..options(&data_dir) }).unwrap();
        for (name, content) in [
            ("module", "module"),
            ("below/module", "module"),
            ("workerhost.yaml", "secret"),
            (".workerhost/tasks.db", "secret"),
            (".workerhost/work/0/w/stream-10/input/secret", "secret"),
            (".workerhost/work/0/w/stream-10/input/spare", "spare"),
            (".workerhost/work/0/w/stream-10/input/spare-two", "spare"),
            (".workerhost/work/0/w/stream-10/input/tool", TOOL),
            ("probes.py", PROBES),
        ] {
            put(&dir.path().join(name), content);
        }
        let outside = tempfile::tempdir().unwrap();
        put(&outside.path().join("file"), "file");
        put(&outside.path().join("tool"), TOOL);
        let abstract_name = SocketAddr::from_abstract_name(outside.path().to_str().unwrap()).unwrap();
        let listeners = (
            UnixListener::bind_addr(&abstract_name).unwrap(),
            UnixListener::bind(outside.path().join("socket")).unwrap(),
            UdpSocket::bind("127.0.0.1:0").unwrap(),
        );
        let victim = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        Self { rig: Rig::of(runner, dir), outside, victim, listeners }
    }

    /// A program that becomes another user where that may be; only root can make one.
    fn with_a_setuid_program(self) -> Self {
        let path = self.project().join("setuid");
        std::fs::copy("/usr/bin/id", &path).unwrap();
        if std::os::unix::fs::chown(&path, Some(65_534), Some(65_534)).is_ok() {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o4755)).unwrap();
        }
        // The other user has to reach it.
        std::fs::set_permissions(self.project(), PermissionsExt::from_mode(0o755)).unwrap();
        self
    }

    fn project(&self) -> &Path {
        self.rig.dir.path()
    }

    /// A worker that runs `script` in the project.
    fn worker(&self, script: &str, isolation: Isolation) -> Worker {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let plain = sh(script);
        let env = vec![
            ("PROJECT".to_owned(), path(self.project())),
            ("DATA".to_owned(), path(&self.project().join(".workerhost"))),
            ("OUTSIDE".to_owned(), path(self.outside.path())),
            ("HOST".to_owned(), std::process::id().to_string()),
            ("VICTIM".to_owned(), self.victim.id().to_string()),
            ("ABSTRACT".to_owned(), path(self.outside.path())),
            ("UDP_PORT".to_owned(), self.listeners.2.local_addr().unwrap().port().to_string()),
        ];
        Worker {
            isolation,
            protocol: Protocol::Raw,
            workspace: Workspace::Full,
            program: Program { env, directory: self.project().to_owned(), ..plain.program },
            ..plain
        }
    }

    async fn run(&self, script: &str, isolation: Isolation) -> (Finished, String) {
        let done = self.rig.run(&self.worker(script, isolation), "null").await;
        let output = done.result().unwrap_or_else(|| panic!("{}", done.summary()));
        (done.finished, output)
    }

    async fn probe(&self, isolation: Isolation) -> (Finished, Seen) {
        let mut worker = self.worker("", isolation);
        worker.program.argv = ["python3", "probes.py"].map(str::to_owned).into();
        let done = self.rig.run(&worker, "null").await;
        let output = done.result().unwrap_or_else(|| panic!("{}", done.summary()));
        let finished = done.finished;
        let seen = output.lines().filter_map(|line| line.split_once(' '));
        (finished, seen.map(|(name, word)| (name.to_owned(), word.to_owned())).collect())
    }
}

fn strict() -> Isolation {
    Isolation { level: Level::Strict, required: true, ..Isolation::default() }
}

#[tokio::test]
async fn a_strict_worker_reaches_its_own_and_nothing_of_anybody_else() {
    let ground = Ground::new().with_a_setuid_program();
    let is_root = rustix::process::geteuid().is_root();
    let (finished, seen) = ground.probe(Isolation { level: Level::None, ..Isolation::default() }).await;
    assert_eq!(finished.isolation, None);
    let denied: Vec<&str> =
        seen.iter().filter(|(_, word)| *word != "ALLOW").map(|(name, _)| name.as_str()).collect();
    let is_rare = |name: &&str| RARE.contains(name) || (!is_root && ROOTS.contains(name));
    let (rare, broken): (Vec<&str>, Vec<&str>) = denied.into_iter().partition(is_rare);
    assert!(broken.is_empty(), "a probe that cannot succeed proves nothing: {broken:?}");
    if !rare.is_empty() {
        skip(&format!("this machine denies everybody {rare:?}"));
    }
    let count = seen.len();
    assert_eq!(count, 99);
    // What was done to the other stream is undone.
    put(&ground.project().join(".workerhost/work/0/w/stream-10/input/spare"), "spare");
    put(&ground.project().join(".workerhost/work/0/w/stream-10/input/spare-two"), "spare");
    let (finished, seen) = ground.probe(Isolation::default()).await;
    assert_eq!(seen.len(), count);
    for (name, word) in &seen {
        // Root inside has less power than root outside, and may not schedule it.
        let is_roots_gap = is_root && ["gap-affinity", "gap-priority"].contains(&name.as_str());
        let goes = name.starts_with("own-") || (name.starts_with("gap-") && !is_roots_gap);
        assert_eq!(word, if goes { "ALLOW" } else { "DENY" }, "{name}");
    }
    let isolation = finished.isolation.unwrap();
    assert_eq!((isolation.level, &isolation.missing[..]), (Level::Strict, &[][..]));
    use Restriction::{AbstractSockets, CoreDumps, Files, Privileges, Signals, Syscalls, Umask};
    let all_but_the_network = [Files, Signals, AbstractSockets, Privileges, Syscalls, CoreDumps, Umask];
    assert_eq!(isolation.enforced, all_but_the_network);
}

#[tokio::test]
async fn a_strict_worker_that_may_read_proc_learns_which_processes_there_are_and_nothing_else() {
    let ground = Ground::new();
    let isolation = Isolation { read: vec!["/proc".into()], ..strict() };
    let (_, seen) = ground.probe(isolation).await;
    let goes = |(name, word): &(&String, &String)| {
        *word == "ALLOW" && !name.starts_with("own-") && !name.starts_with("gap-")
    };
    let gone: Vec<&String> = seen.iter().filter(goes).map(|(name, _)| name).collect();
    // Of descriptors only the numbers.
    assert_eq!(gone, ["host-command-line", "host-descriptors"]);
}

#[tokio::test]
async fn a_stream_changes_its_isolation_with_its_worker_and_back() {
    let ground = Ground::new();
    let script = r#"cat "$DATA/tasks.db" 2>/dev/null || echo denied"#;
    for (level, output) in [
        (Level::None, "secret"),
        (Level::Strict, "denied\n"),
        (Level::None, "secret"),
        (Level::Strict, "denied\n"),
    ] {
        let isolation = Isolation { level, required: true, ..Isolation::default() };
        let (finished, said) = ground.run(script, isolation).await;
        assert_eq!(said, output, "{level:?}");
        assert_eq!(
            finished.isolation.map(|isolation| isolation.level),
            Some(level).filter(|it| *it != Level::None)
        );
        assert_eq!(finished.ending.exit, Exit::Code(0));
    }
}

#[tokio::test]
async fn what_a_strict_worker_leaves_running_is_ended_all_the_same() {
    let ground = Ground::new();
    let script = "setsid sh -c 'sleep 300' >/dev/null 2>&1 </dev/null & echo gone";
    let (finished, said) = ground.run(script, strict()).await;
    assert_eq!(said, "gone\n");
    assert!(finished.stuck.is_none());
    assert!(finished.leaked.iter().any(|line| line.contains("sleep 300")), "{:?}", finished.leaked);
}

#[tokio::test]
async fn a_strict_worker_reaches_what_its_configuration_grants_as_far_as_that_goes() {
    let ground = Ground::new();
    let [read, write] = ["read", "write"].map(|name| ground.outside.path().join(name));
    for directory in [&read, &write] {
        std::fs::create_dir(directory).unwrap();
        std::fs::write(directory.join("file"), "content").unwrap();
    }
    let script = r#"
        for name in read write; do
            cat "$OUTSIDE/$name/file" >/dev/null 2>&1 && echo "reads $name"
            echo x 2>/dev/null > "$OUTSIDE/$name/new" && echo "writes $name"
        done; true"#;
    let isolation = Isolation { read: vec![read], write: vec![write], ..strict() };
    let (_, said) = ground.run(script, isolation).await;
    assert_eq!(said, "reads read\nreads write\nwrites write\n");
}

#[tokio::test]
async fn a_strict_worker_connects_as_far_as_its_network_goes() {
    let ground = Ground::new();
    let open = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (granted, other, datagrams) = (open(), open(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let ports =
        [granted.local_addr(), other.local_addr(), datagrams.local_addr()].map(|at| at.unwrap().port());
    let script = format!(
        r#"cat > "$TMPDIR/probe.py" <<'END'
import socket
granted, other, datagrams = {ports:?}
def probe(name, act):
    try:
        act()
        print(name)
    except OSError:
        pass
probe("granted", lambda: socket.create_connection(("127.0.0.1", granted)))
probe("other", lambda: socket.create_connection(("127.0.0.1", other)))
probe("listen", lambda: socket.create_server(("127.0.0.1", 0)))
def fast():
    connection = socket.socket()
    connection.sendto(b"x", 0x20000000, ("127.0.0.1", other))
probe("fast", fast)
def several_paths():
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    connection.connect(("127.0.0.1", other))
probe("mptcp", several_paths)
probe("datagram", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", datagrams)))
probe("pair", lambda: socket.socketpair())
END
exec /usr/bin/python3 "$TMPDIR/probe.py""#
    );
    for (network, expected) in [
        (Network::Any, "granted other listen datagram pair"),
        (Network::Ports(vec![ports[0]]), "granted datagram pair"),
        (Network::None, "pair"),
    ] {
        let isolation = Isolation { network: network.clone(), ..strict() };
        let (_, said) = ground.run(&script, isolation).await;
        // Some machines know nothing of these two, whoever asks.
        let is_rare = |word: &&str| network == Network::Any && ["fast", "mptcp"].contains(word);
        let said: Vec<&str> = said.split_whitespace().filter(|word| !is_rare(word)).collect();
        assert_eq!(said.join(" "), expected, "{network:?}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_granted_is_explained_by_that() {
    let ground = Ground::new();
    let program = ground.outside.path().join("tool");
    std::fs::write(&program, "#!/bin/sh\necho ran\n").unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let mut worker = ground.worker("true", strict());
    worker.program.argv = vec!["/usr/bin/env".to_owned(), program.to_str().unwrap().to_owned()];
    let granted = ground.rig.run(&worker, "null").await;
    assert_eq!(granted.result().as_deref(), Some("ran\n"), "{}", granted.summary());
    worker.program.argv = vec![ground.project().join("link").to_str().unwrap().to_owned()];
    std::os::unix::fs::symlink(ground.project().join(".workerhost/tool"), ground.project().join("link"))
        .unwrap();
    std::fs::copy(&program, ground.project().join(".workerhost/tool")).unwrap();
    let denied = ground.rig.run(&worker, "null").await;
    let Exit::NotStarted(why) = &denied.finished.ending.exit else { panic!("{}", denied.summary()) };
    assert!(why.contains("is not among what its isolation grants"), "{why}");
    assert_eq!(denied.finished.isolation, None, "it never was inside");
}

/// Takes Landlock from this thread and what it starts, as if the kernel had none.
fn forget_landlock() {
    let landlock = [(libc::SYS_landlock_create_ruleset, Vec::new())].into_iter().collect();
    let unknown = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let machine = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(landlock, SeccompAction::Allow, unknown, machine).unwrap();
    seccompiler::apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
}

#[tokio::test]
async fn what_the_kernel_lacks_is_told_and_nothing_is_started_where_it_is_required() {
    forget_landlock();
    let ground = Ground::new();
    let script = r#"cat "$DATA/tasks.db"; echo ran > "$OUTSIDE/ran""#;
    let (finished, said) = ground.run(script, Isolation { required: false, ..strict() }).await;
    assert_eq!(said, "secret", "nothing keeps it from that");
    let isolation = finished.isolation.unwrap();
    let missing: Vec<_> = isolation.missing.iter().map(|gap| (gap.restriction.as_str(), &*gap.why)).collect();
    let none = "this kernel has no Landlock";
    assert_eq!(missing, [("files", none), ("signals", none), ("abstract_sockets", none)]);
    assert_eq!(isolation.landlock, None);
    assert!(isolation.enforced.contains(&Restriction::Syscalls), "{:?}", isolation.enforced);

    std::fs::remove_file(ground.outside.path().join("ran")).unwrap();
    let refused = ground.rig.run(&ground.worker(script, strict()), "null").await;
    assert_eq!(refused.finished.verdict.outcome, Outcome::WorkerBroken, "{}", refused.summary());
    assert!(refused.finished.verdict.sentence.contains("its isolation is required"), "{}", refused.summary());
    assert!(!ground.outside.path().join("ran").exists());
}

#[tokio::test]
async fn a_stream_that_changes_between_a_workspace_and_none_hands_nothing_on() {
    let ground = Ground::new();
    let list = r#"cat > /dev/null; ls -A "$TMPDIR"; touch "$TMPDIR/left-by-$WORKERHOST_ATTEMPT_ID""#;
    for workspace in [Workspace::Full, Workspace::None, Workspace::Full, Workspace::None] {
        let worker = Worker { workspace, ..ground.worker(list, strict()) };
        let done = ground.rig.run(&worker, "null").await;
        let said = done.result().unwrap_or_else(|| panic!("{}", done.summary()));
        // A workspace has a directory of its own in there.
        assert_eq!(said.replace("cache\n", ""), "", "{workspace:?}");
    }
}
