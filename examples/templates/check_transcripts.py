#!/usr/bin/env python3
"""Replays the frozen transcripts of protocol version 1 against the worker templates beside this file.

    check_transcripts.py               every template whose interpreter is here; the others are named and skipped
    check_transcripts.py node perl     these, and it is an error if their interpreter is missing

A transcript is a file of JSON lines: what the host does and what the worker must answer, in the order of time. What
the host sends is exact; what the worker sends is compared as JSON, because two languages space and order it apart.
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Long enough for a busy machine; every wait here ends as soon as the worker answers.
PATIENCE_SECONDS = 30

# Name: the template, its interpreter, how to ask whether that works, and the transcripts beyond what it can do.
TEMPLATES = {
    "python": ("worker.py", "python3", ["-c", ""], set()),
    "python-legacy": ("worker_legacy.py", "python3", ["-c", ""], {"soft-timeout"}),
    "python-2.7": ("worker_legacy.py", "python2.7", ["-c", ""], {"soft-timeout"}),
    "node": ("worker.mjs", "node", ["-e", ""], set()),
    "perl": ("worker.pl", "perl", ["-e", ""], set()),
    "sh": ("worker.sh", "sh", ["-c", ""], {"soft-timeout", "escaped-text"}),
}


class Mismatch(Exception):
    """The worker did something else than the transcript says."""


class Replay:
    """One worker process and our end of its channel."""

    def __init__(self, command, variables, scratch):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(PATIENCE_SECONDS)
        self.lines = self.socket.makefile("rb")
        has_channel = "WORKERHOST_CHANNEL_FD" in variables
        # Like the host: a clean environment. No LANG either, so that nothing leans on a lucky locale.
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**kept, "TMPDIR": scratch, **variables},
            preexec_fn=(lambda: os.dup2(theirs.fileno(), 3)) if has_channel else None,
            pass_fds=(3,) if has_channel else (),
        )
        theirs.close()

    def do(self, step):
        """One step of the host, or the check of one of the worker's."""
        if step.get("host") == "stdin":
            # A worker may leave without reading all of it; what it answers is checked all the same.
            try:
                self.process.stdin.write(step["text"].encode())
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        elif step.get("host") == "channel":
            self.socket.sendall(json.dumps(step["line"]).encode() + b"\n")
        elif step.get("host") == "signal":
            self.process.send_signal(signal.Signals[step["name"]])
        elif step.get("host") == "hang-up":
            self.lines.close()
            self.socket.close()
        elif step.get("worker") == "channel":
            expect("event", step["line"], parsed(self.lines.readline()))
        elif step.get("worker") == "stdout":
            expect("result", step["result"], parsed(self.process.stdout.read()))
        elif step.get("worker") == "exit":
            expect("exit code", step["code"], self.process.wait(PATIENCE_SECONDS))
            expect("rest of the channel", b"", b"" if self.lines.closed else self.lines.read())
        else:
            raise ValueError(f"unknown step: {step}")

    def close(self):
        """Leaves nothing behind, however far the replay came."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.lines.close()
        self.socket.close()


def parsed(line):
    try:
        return json.loads(line)
    except ValueError:
        raise Mismatch(f"not JSON: {line!r}") from None


def expect(what, wanted, got):
    if got != wanted:
        raise Mismatch(f"{what}\n    wanted {wanted}\n    got    {got}")


def replay(command, transcript):
    """Why the worker does not pass this transcript; `None` where it does."""
    steps = [json.loads(line) for line in transcript.read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as scratch:
        worker = Replay(command, steps[0]["variables"], scratch)
        try:
            for step in steps[1:]:
                worker.do(step)
        except Mismatch as mismatch:
            return str(mismatch)
        except (socket.timeout, subprocess.TimeoutExpired):
            return f"no answer within {PATIENCE_SECONDS} s"
        finally:
            worker.close()
        left = os.listdir(scratch)
        return f"it left files behind: {left}" if left else None


def works(interpreter, probe):
    try:
        return subprocess.run([interpreter, *probe], stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


def main(names):
    unknown = set(names) - TEMPLATES.keys()
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(TEMPLATES)}")
    passed = failed = 0
    for name in names or TEMPLATES:
        template, interpreter, probe, beyond = TEMPLATES[name]
        if not works(interpreter, probe):
            print(f"{'FAILED' if names else 'skipped':<7} {name}: {interpreter} was not found")
            failed += bool(names)
            continue
        for transcript in sorted((HERE / "transcripts").glob("*.jsonl")):
            if transcript.stem in beyond:
                print(f"skipped {name} {transcript.stem}: the template says that it cannot do this")
                continue
            trouble = replay([interpreter, str(HERE / template)], transcript)
            print(f"FAILED  {name} {transcript.stem}: {trouble}" if trouble else f"ok      {name} {transcript.stem}")
            passed, failed = passed + (not trouble), failed + bool(trouble)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
