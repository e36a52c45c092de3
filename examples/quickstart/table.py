#!/usr/bin/env python3
"""Prints what became of the quickstart's tasks, without anything that differs from run to run.

    table.py WORKERHOST CONFIGURATION
"""

import collections
import json
import pathlib
import subprocess
import sys

STATES = ("completed", "poisoned", "cancelled", "claimed", "pending")


def main(workerhost, configuration):
    def ask(*question):
        command = [workerhost, *question, "--config", configuration, "--json"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    lines = pathlib.Path(configuration).with_name("tasks.jsonl").read_text(encoding="utf-8").splitlines()
    tasks = [ask("show", json.loads(line)["id"]) for line in lines]
    blocks = [[summary(tasks)]]
    blocks += [[row(task) for task in tasks if task["state"] == state] for state in STATES]
    blocks += [[f"textkit {version} did {types}" for version, types in versions(tasks)]]
    print("\n\n".join("\n".join(lines) for lines in blocks if lines))


def summary(tasks):
    count = collections.Counter(task["state"] for task in tasks)
    states = ", ".join(f"{count[state]} {state}" for state in STATES if count[state])
    return f"{len(tasks)} tasks: {states}"


def row(task):
    tries = len(task["attempts"])
    attempts = f"{tries} attempt{'' if tries == 1 else 's'}"
    return f"{task['state']:<10} {task['id']:<20} {attempts:<11} {remark(task)}".rstrip()


def remark(task):
    """What is worth knowing of a task beyond its state."""
    remarks = []
    if task["state"] == "poisoned":
        remarks.append(task["sentence"])
    elif len(task["attempts"]) > 1:
        remarks.append(f"First: {task['attempts'][0]['sentence']}")
    if task["state"] == "pending" and not task["attempts"]:
        remarks.append(f"No worker here does {task['type']}.")
    if task.get("progress"):
        remarks.append(f"Reported progress, {task['progress']['total']:g} in all.")
    if task.get("partial"):
        remarks.append(f"Kept: {', '.join(task['result']['pages'])}.")
    return " ".join(remarks)


def versions(tasks):
    """Each version of textkit that was met, with the types of the tasks that it did."""
    types = collections.defaultdict(set)
    for task in tasks:
        result = task.get("result")
        if isinstance(result, dict) and "textkit" in result:
            types[result["textkit"]].add(task["type"])
    return [(version, ", ".join(sorted(done))) for version, done in sorted(types.items())]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
