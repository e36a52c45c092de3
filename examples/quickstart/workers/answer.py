"""What every Python worker of this example does alike: read one task, do it, write one result, leave with a code."""

import json
import os
import sys
import traceback


class Refused(Exception):
    """The task itself is wrong, so that trying again cannot help."""


def tell(event, **fields):
    """Sends an event to the host; without a channel, or without anybody listening, nothing happens."""
    channel = os.environ.get("WORKERHOST_CHANNEL_FD")
    if channel is None:
        return
    line = json.dumps({"event": event, **fields}) + "\n"
    try:
        os.write(int(channel), line.encode())
    except OSError:
        # Nobody reads what we say, yet the work is worth finishing all the same.
        pass


def path_of(params, name="path"):
    """The path that the parameter `name` holds."""
    path = params.get(name)
    if not isinstance(path, str):
        raise Refused(f"params.{name} must be a path")
    return path


def serve(task_type, work):
    """Carries the task on standard input with `work(params)` and ends the process."""
    try:
        result = work(read_task(task_type))
    except Refused as error:
        end({"success": False, "error": spoken(error, retry_possible=False)}, 2)
    except Exception as error:
        trouble = spoken(error, retry_possible=True, traceback=traceback.format_exc())
        end({"success": False, "error": trouble}, 1)
    end({"success": True, "result": result}, 0)


def read_task(task_type):
    """The parameters of the task on standard input."""
    try:
        task = json.load(sys.stdin.buffer)
    except ValueError:
        raise Refused("standard input is not JSON") from None
    if not isinstance(task, dict) or not isinstance(task.get("id"), str):
        raise Refused("the task has no id")
    if task.get("type") != task_type:
        raise Refused(f"this worker does {task_type}, not {task.get('type')}")
    params = task.get("params")
    if not isinstance(params, dict):
        raise Refused("params must be an object")
    return params


def spoken(error, **more):
    return {"type": type(error).__name__, "message": str(error), **more}


def end(answer, code):
    print(json.dumps(answer), flush=True)
    sys.exit(code)
