#!/usr/bin/env python3
"""A worker in Python 3.8 or later, with the standard library alone. Copy it and put your work in place of `Words`.

    echo '{"id": "1", "type": "example.words", "params": {"text": "to be or not to be"}}' | ./worker.py

It reads one task from standard input, writes one result to standard output, and leaves with a code that says whether
trying again may help. Whatever it writes to standard error is the task's log.
"""

import collections
import json
import os
import select
import signal
import sys
import time
import traceback


class Refused(Exception):
    """The task itself is wrong: trying again cannot help. Exit code 2."""


class Stopped(Exception):
    """The work ends before it is done: by a signal (143) or because its time runs short (3)."""

    def __init__(self, kind, code):
        super().__init__(kind)
        self.kind = kind
        self.code = code


class Words:
    """The work: counts the words of `params.text`. `params.pause_ms` stands for work that takes its time."""

    def __init__(self, params):
        text = params.get("text", "")
        if not isinstance(text, str):
            raise Refused("params.text is not a string")
        self.words = text.split()
        self.done = 0
        self.pause = params.get("pause_ms", 0) / 1000

    def carry(self, channel):
        """Works in ten batches at most, so that a long text makes no flood of events."""
        total = len(self.words)
        batch = -(-total // 10)
        while self.done < total:
            channel.rest(self.pause)
            self.done = min(self.done + batch, total)
            channel.tell("progress", current=self.done, total=total)

    def result(self):
        """What is known so far."""
        counter = collections.Counter(self.words[: self.done])
        commonest = counter.most_common(1)
        return {
            "words": self.done,
            "distinct": len(counter),
            "most_common": commonest[0][0] if commonest else None,
        }


class Channel:
    """The line to the host: events out, control in. Where there is none, telling does nothing and resting rests."""

    def __init__(self):
        number = os.environ.get("WORKERHOST_CHANNEL_FD")
        self.fd = None if number is None else int(number)
        self.unread = b""

    def tell(self, event, **fields):
        """Sends one event."""
        if self.fd is None:
            return
        try:
            os.write(self.fd, json.dumps({"event": event, **fields}).encode() + b"\n")
        except OSError:
            # Nobody reads what we say, yet the work is worth finishing all the same.
            self.fd = None

    def rest(self, seconds):
        """Rests so long, and reads meanwhile what the host says."""
        end = time.monotonic() + seconds
        while self.fd is not None:
            left = max(0, end - time.monotonic())
            if not select.select([self.fd], [], [], left)[0]:
                return
            self.hear()
        time.sleep(max(0, end - time.monotonic()))

    def hear(self):
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        if not data:
            self.fd = None
        *lines, self.unread = (self.unread + data).split(b"\n")
        for line in lines:
            # Anything else the host may say is for workers that can use it.
            if json.loads(line).get("control") == "soft_timeout":
                raise Stopped("OutOfTime", 3)


def read_params():
    """The parameters of the task on standard input, which ends where the task ends."""
    try:
        task = json.load(sys.stdin.buffer)
    except ValueError:
        raise Refused("standard input is not JSON") from None
    if not isinstance(task, dict):
        raise Refused("the task is not an object")
    if not isinstance(task.get("id"), str):
        raise Refused("the task has no id")
    if task.get("type") != "example.words":
        raise Refused(f"this worker does no tasks of type {task.get('type')}")
    if not isinstance(task.get("params"), dict):
        raise Refused("params is not an object")
    return task["params"]


def on_sigterm(_signal, _frame):
    raise Stopped("Interrupted", 143)


def failure(kind, message, retry_possible, **more):
    error = {"type": kind, "message": message, "retry_possible": retry_possible, **more}
    return {"success": False, "error": error}


def attempt():
    """One attempt: the answer and the exit code."""
    work = None
    try:
        work = Words(read_params())
        work.carry(Channel())
        return {"success": True, "result": work.result()}, 0
    except Refused as refused:
        return failure("Refused", str(refused), False), 2
    except Stopped as stopped:
        answer = failure(stopped.kind, "stopped before the work was done", True)
        if work is not None:
            # The host keeps this for whoever asks, marked as partial.
            answer["partial"] = work.result()
        return answer, stopped.code
    except Exception as error:
        return failure(type(error).__name__, str(error), True, traceback=traceback.format_exc()), 1


def main():
    signal.signal(signal.SIGTERM, on_sigterm)
    answer, code = attempt()
    # From here on a signal could only cut the answer in two.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
