#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""A worker in the style of interpreters of long ago. Runs on Python 2.7 and on every Python 3 alike.

    echo '{"id": "1", "type": "example.words", "params": {"text": "to be or not to be"}}' | python2.7 worker_legacy.py

It does what worker.py does, without hearing the host's control lines. What differs is what 2.7 did not have: ValueError
stands for JSONDecodeError, `json.dumps` gets no keywords, and standard input is read as bytes by its number.
"""
from __future__ import print_function

import io
import json
import os
import signal
import sys
import time
import traceback


class Refused(Exception):
    """The task itself is wrong: trying again cannot help. Exit code 2."""


class Stopped(Exception):
    """The host ends the work before it is done. Exit code 143."""


class Words(object):
    """The work: counts the words of `params.text`. `params.pause_ms` stands for work that takes its time."""

    def __init__(self, params):
        text = params.get("text", u"")
        # There is no one name for "a text" in both generations, but there is for what a literal is.
        if not isinstance(text, type(u"")):
            raise Refused("params.text is not a string")
        self.words = text.split()
        self.done = 0
        self.pause = params.get("pause_ms", 0) / 1000.0

    def carry(self):
        """Works in ten batches at most, so that a long text makes no flood of events."""
        total = len(self.words)
        batch = (total + 9) // 10
        while self.done < total:
            time.sleep(self.pause)
            self.done = min(self.done + batch, total)
            tell({"event": "progress", "current": self.done, "total": total})

    def result(self):
        """What is known so far."""
        counts = {}
        order = []
        for word in self.words[: self.done]:
            if word not in counts:
                order.append(word)
            counts[word] = counts.get(word, 0) + 1
        # Dictionaries had no order yet; of two words equally common the first one wins.
        most_common = max(order, key=counts.get) if order else None
        return {"words": self.done, "distinct": len(order), "most_common": most_common}


def tell(event):
    """Sends an event to the host; without a channel, or without anybody listening, nothing happens."""
    channel = os.environ.get("WORKERHOST_CHANNEL_FD")
    if channel is None:
        return
    try:
        os.write(int(channel), (json.dumps(event) + "\n").encode("ascii"))
    except (IOError, OSError):
        pass


def read_params():
    """The parameters of the task on standard input, which ends where the task ends."""
    with io.open(0, "rb", closefd=False) as stdin:
        data = stdin.read()
    try:
        task = json.loads(data.decode("utf-8"))
    except ValueError:
        raise Refused("standard input is not JSON")
    if not isinstance(task, dict):
        raise Refused("the task is not an object")
    if not isinstance(task.get("id"), type(u"")):
        raise Refused("the task has no id")
    if task.get("type") != "example.words":
        raise Refused(u"this worker does no tasks of type %s" % task.get("type"))
    if not isinstance(task.get("params"), dict):
        raise Refused("params is not an object")
    return task["params"]


def on_sigterm(_signal, _frame):
    raise Stopped()


def failure(kind, message, retry_possible):
    return {"success": False, "error": {"type": kind, "message": message, "retry_possible": retry_possible}}


def attempt():
    """One attempt: the answer and the exit code."""
    work = None
    try:
        work = Words(read_params())
        work.carry()
        return {"success": True, "result": work.result()}, 0
    except Refused as refused:
        return failure("Refused", refused.args[0], False), 2
    except Stopped:
        answer = failure("Interrupted", "stopped before the work was done", True)
        if work is not None:
            # The host keeps this for whoever asks, marked as partial.
            answer["partial"] = work.result()
        return answer, 143
    except Exception as error:
        answer = failure(type(error).__name__, repr(error), True)
        answer["error"]["traceback"] = traceback.format_exc()
        return answer, 1


def main():
    signal.signal(signal.SIGTERM, on_sigterm)
    answer, code = attempt()
    # From here on a signal could only cut the answer in two.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Without keywords `dumps` writes ASCII, which every terminal and every old `print` can carry.
    print(json.dumps(answer))
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
