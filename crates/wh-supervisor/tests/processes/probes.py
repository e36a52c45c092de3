"""Tries what a worker should not be able to do, one thing after the other, and prints of each whether it went."""

import ctypes
import errno
import os
import resource
import signal
import socket
import stat
import subprocess
import time

libc = ctypes.CDLL(None, use_errno=True)
PROJECT, DATA, OUTSIDE = (os.environ[name] for name in ("PROJECT", "DATA", "OUTSIDE"))
HOST, VICTIM, UDP_PORT = (int(os.environ[name]) for name in ("HOST", "VICTIM", "UDP_PORT"))
ABSTRACT = os.environ["ABSTRACT"]
GUARDIAN = os.getppid()
OWN = os.environ["WORKERHOST_WORKING_DIR"]
SIBLING = DATA + "/work/0/w/stream-10/input"
SECRET = SIBLING + "/secret"
PROBES = []

# The generic table of numbers, as on aarch64, and the one of x86-64.
X86 = os.uname().machine == "x86_64"
NUMBERS = {
    "acct": (163, 89), "bpf": (321, 280), "chroot": (161, 51), "clock_settime": (227, 112), "clone": (56, 220),
    "fanotify_init": (300, 262), "io_uring_setup": (425, 425), "kcmp": (312, 272), "kexec_load": (246, 104),
    "keyctl": (250, 219), "init_module": (175, 105), "mount": (165, 40), "name_to_handle_at": (303, 264),
    "perf_event_open": (298, 241), "pidfd_getfd": (438, 438), "pidfd_open": (434, 434), "prlimit64": (302, 261),
    "process_madvise": (440, 440), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "ptrace": (101, 117), "reboot": (169, 142), "sethostname": (170, 161), "setns": (308, 268), "shmget": (29, 194),
    "swapon": (167, 224), "syslog": (103, 116), "unshare": (272, 97), "userfaultfd": (323, 282),
}


def call(name, *arguments):
    number = NUMBERS[name][0 if X86 else 1]
    answer = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


def reaches(name, *arguments):
    """The kernel looks at the arguments, which are wrong, instead of refusing the call itself."""
    try:
        call(name, *arguments)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOSYS, errno.EACCES):
            raise


def probe(name):
    def add(action):
        PROBES.append((name, action))
    return add


def simple(name, action):
    PROBES.append((name, action))


def read(path):
    with open(path, "rb") as file:
        content = file.read(1)
    if not content:
        # Some of the kernel's files are empty for those who may not read them.
        raise PermissionError("nothing is in " + path)
    return content


def write(path, flags=os.O_WRONLY | os.O_CREAT | os.O_APPEND):
    os.write(os.open(path, flags, 0o600), b"x")


# --- files of another stream ---
simple("sibling-read", lambda: read(SECRET))
simple("sibling-list", lambda: os.listdir(SIBLING))
simple("sibling-write", lambda: write(SECRET))
simple("sibling-truncate", lambda: os.truncate(SIBLING + "/spare", 0))
simple("sibling-unlink", lambda: os.unlink(SIBLING + "/spare"))
simple("sibling-create", lambda: write(SIBLING + "/planted"))
simple("sibling-directory", lambda: os.mkdir(SIBLING + "/directory-%d" % os.getpid()))
simple("sibling-symlink", lambda: os.symlink("/etc", SIBLING + "/link-%d" % os.getpid()))
simple("sibling-fifo", lambda: os.mkfifo(SIBLING + "/fifo-%d" % os.getpid()))
simple("sibling-hard-link", lambda: os.link(SECRET, OWN + "/hard"))
simple("sibling-by-dots", lambda: read(OWN + "/../../stream-10/input/secret"))
simple("sibling-execute", lambda: subprocess.run([SIBLING + "/tool"], check=True))
simple("sibling-rename-away", lambda: os.rename(SIBLING + "/spare-two", OWN + "/taken"))


@probe("sibling-rename-there")
def _():
    write(OWN + "/mine")
    os.rename(OWN + "/mine", SIBLING + "/mine")


@probe("sibling-by-symlink")
def _():
    os.symlink(SECRET, OWN + "/soft")
    read(OWN + "/soft")


@probe("sibling-by-descriptor")
def _():
    directory = os.open(SIBLING, os.O_PATH)
    os.read(os.open("secret", os.O_RDONLY, dir_fd=directory), 1)


@probe("sibling-by-race")
def _():
    # One process swaps a file of its own with a link to the other one's, the other reads.
    write(OWN + "/bait")
    os.symlink(SECRET, OWN + "/hook")
    child = os.fork()
    if child == 0:
        while True:
            for name in ("bait", "hook"):
                os.symlink(name, OWN + "/next")
                os.rename(OWN + "/next", OWN + "/raced")
    try:
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            try:
                if read(OWN + "/raced") == b"s":
                    return
            except OSError:
                pass
        raise PermissionError("never the other one's")
    finally:
        os.kill(child, signal.SIGKILL)


# --- what is the host's ---
simple("store-read", lambda: read(DATA + "/tasks.db"))
simple("store-list", lambda: os.listdir(DATA))
simple("store-write", lambda: write(DATA + "/tasks.db"))
simple("store-create", lambda: write(DATA + "/planted"))
simple("configuration-read", lambda: read(PROJECT + "/workerhost.yaml"))
simple("configuration-write", lambda: write(PROJECT + "/workerhost.yaml"))
simple("host-environment", lambda: read("/proc/%d/environ" % HOST))
simple("host-memory", lambda: os.open("/proc/%d/mem" % HOST, os.O_RDONLY))
simple("host-command-line", lambda: read("/proc/%d/cmdline" % HOST))
simple("host-descriptors", lambda: os.listdir("/proc/%d/fd" % HOST))
simple("host-directory", lambda: os.listdir("/proc/%d/cwd" % HOST))
simple("host-root", lambda: read("/proc/%d/root/%s" % (HOST, SECRET)))
simple("host-signal", lambda: os.kill(HOST, 0))
simple("host-limits", lambda: call("prlimit64", HOST, resource.RLIMIT_CORE, 0, ctypes.create_string_buffer(16)))
simple("guardian-signal", lambda: os.kill(GUARDIAN, 0))

# --- what is nobody's of a worker ---
simple("project-write", lambda: write(PROJECT + "/module"))
simple("project-create", lambda: write(PROJECT + "/planted"))
simple("outside-read", lambda: read(OUTSIDE + "/file"))
simple("outside-list", lambda: os.listdir(OUTSIDE))
simple("outside-write", lambda: write(OUTSIDE + "/planted"))
simple("outside-execute", lambda: subprocess.run([OUTSIDE + "/tool"], check=True))
simple("outside-by-proc", lambda: read("/proc/self/root/" + OUTSIDE + "/file"))
simple("tmp-write", lambda: (write("/tmp/planted-%d" % os.getpid()), os.unlink("/tmp/planted-%d" % os.getpid())))
simple("passwords", lambda: read("/etc/shadow"))
simple("device", lambda: os.mknod(OWN + "/device", 0o600 | stat.S_IFCHR, os.makedev(1, 3)))

# --- another worker's process ---
simple("victim-signal", lambda: os.kill(VICTIM, 0))
simple("victim-environment", lambda: read("/proc/%d/environ" % VICTIM))
simple("victim-memory", lambda: os.open("/proc/%d/mem" % VICTIM, os.O_RDONLY))
simple("victim-trace", lambda: call("ptrace", 0x4206, VICTIM, 0, 0))
simple("victim-compare", lambda: reaches("kcmp", VICTIM, VICTIM, 1, 0, 0))
simple("victim-advise", lambda: reaches("process_madvise", call("pidfd_open", VICTIM, 0), 0, 1, 20, 0))
simple("victim-descriptor", lambda: call("pidfd_getfd", call("pidfd_open", VICTIM, 0), 0, 0))
simple("victim-read", lambda: reaches("process_vm_readv", VICTIM, 0, 1, 0, 1, 0))
simple("victim-write", lambda: reaches("process_vm_writev", VICTIM, 0, 1, 0, 1, 0))

# --- the kernel ---
simple("user-namespace", lambda: call("unshare", 0x10000000))
simple("network-namespace", lambda: call("unshare", 0x40000000))
simple("mount-namespace", lambda: call("unshare", 0x00020000))
simple("enter-namespace", lambda: reaches("setns", 0, 0x40000000))
simple("mount", lambda: (call("mount", b"none", OWN.encode(), b"tmpfs", 0, 0), libc.umount2(OWN.encode(), 2)))
simple("chroot", lambda: call("chroot", OWN.encode()))
simple("bpf", lambda: reaches("bpf", 0, 0, 0))
simple("perf", lambda: reaches("perf_event_open", 0, 0, -1, -1, 0))
simple("keyring", lambda: reaches("keyctl", 0, -1, 1))
simple("module", lambda: reaches("init_module", 0, 0, b""))
simple("new-kernel", lambda: reaches("kexec_load", 0, 99, 0, 0))
simple("io-uring", lambda: reaches("io_uring_setup", 0, 0))
simple("page-faults", lambda: os.close(call("userfaultfd", 1)))
simple("clock", lambda: reaches("clock_settime", 0, 0))
simple("kernel-log", lambda: reaches("syslog", 10, 0, 0))
simple("file-handle", lambda: reaches("name_to_handle_at", -100, b"/usr", 0, 0, 0))
simple("file-watch", lambda: os.close(call("fanotify_init", 0, 0)))
simple("host-name", lambda: reaches("sethostname", 0, -1))
simple("accounting", lambda: reaches("acct", b"/no/such/file"))
simple("swap", lambda: reaches("swapon", b"/no/such/file", 0))
simple("restart", lambda: reaches("reboot", 0, 0, 0, 0))


@probe("namespace-by-clone")
def _():
    child = call("clone", 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


@probe("another-user")
def _():
    said = subprocess.run([PROJECT + "/setuid", "-u"], check=True, capture_output=True).stdout.strip()
    assert int(said) != os.getuid(), said


@probe("abstract-socket")
def _():
    socket.socket(socket.AF_UNIX).connect("\0" + ABSTRACT)


@probe("core-dump")
def _():
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] != 0


@probe("open-files")
def _():
    before = os.umask(0)
    assert before != 0o077


# What root could do, and root inside cannot.
simple("priority-raised", lambda: os.setpriority(os.PRIO_PROCESS, 0, -5))

# --- known gaps: they go at `strict` too, and docs/isolation.md says so ---
simple("gap-stat", lambda: os.stat(SECRET))
simple("gap-chmod", lambda: os.chmod(SECRET, 0o600))
simple("gap-utime", lambda: os.utime(SECRET, (1, 1)))
simple("gap-priority", lambda: os.setpriority(os.PRIO_PROCESS, VICTIM, 1))
simple("gap-affinity", lambda: os.sched_setaffinity(VICTIM, os.sched_getaffinity(VICTIM)))
simple("gap-shared-memory", lambda: libc.shmctl(call("shmget", 0, 4096, 0o600), 0, None))
simple("gap-path-socket", lambda: socket.socket(socket.AF_UNIX).connect(OUTSIDE + "/socket"))
simple("gap-udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", UDP_PORT)))

# --- what is a worker's own: it goes at every level ---
simple("own-write", lambda: write(os.environ["WORKERHOST_OUTPUT_DIR"] + "/file"))
simple("own-directory", lambda: os.mkdir(OWN + "/directory"))
simple("own-list", lambda: os.listdir(os.environ["WORKERHOST_WORKSPACE"]))
simple("own-temporary", lambda: write(os.environ["TMPDIR"] + "/file"))
simple("own-null", lambda: write("/dev/null", os.O_WRONLY))
simple("own-fifo", lambda: os.mkfifo(OWN + "/fifo"))
simple("own-symlink", lambda: os.symlink("file", OWN + "/own-link"))
simple("own-hard-link", lambda: (write(OWN + "/one"), os.link(OWN + "/one", OWN + "/two")))
simple("own-child-signal", lambda: own_child())
simple("own-system", lambda: os.listdir("/usr/bin"))
simple("own-project", lambda: read(PROJECT + "/module"))
simple("own-project-below", lambda: read(PROJECT + "/below/module"))
simple("own-pair", lambda: socket.socketpair())


def own_child():
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def main():
    for name, action in PROBES:
        # In a process of its own: whatever it does, the next one begins as this one did.
        child = os.fork()
        if child == 0:
            silence = os.open("/dev/null", os.O_RDWR)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            signal.alarm(10)
            try:
                action()
            except BaseException:
                os._exit(1)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        print(name, "ALLOW" if status == 0 else "DENY", flush=True)


main()
