#!/usr/bin/env node
// A worker in Node 18 or later, with nothing installed. Copy it and put your work in place of `Words`.
//
//     echo '{"id": "1", "type": "example.words", "params": {"text": "to be or not to be"}}' | ./worker.mjs
//
// It reads one task from standard input, writes one result to standard output, and leaves with a code that says whether
// trying again may help. Log with console.error: standard error is the task's log, and standard output is not.

import { readFileSync, writeSync } from "node:fs";
import { Socket } from "node:net";

/** The task itself is wrong: trying again cannot help. Exit code 2. */
class Refused extends Error {}

/** The work ends before it is done: by a signal (143) or because its time runs short (3). */
class Stopped extends Error {
  constructor(kind, code) {
    super("stopped before the work was done");
    this.kind = kind;
    this.code = code;
  }
}

/** The work: counts the words of `params.text`. `params.pause_ms` stands for work that takes its time. */
class Words {
  constructor(params) {
    const text = params.text ?? "";
    if (typeof text !== "string") throw new Refused("params.text is not a string");
    this.words = text.split(/\s+/).filter(Boolean);
    this.done = 0;
    this.pause = params.pause_ms ?? 0;
  }

  /** Works in ten batches at most, so that a long text makes no flood of events. */
  async carry(channel, stop) {
    const total = this.words.length;
    const batch = Math.ceil(total / 10);
    while (this.done < total) {
      await rest(this.pause, stop);
      this.done = Math.min(this.done + batch, total);
      channel.tell("progress", { current: this.done, total });
    }
  }

  /** What is known so far. */
  result() {
    const counts = new Map();
    for (const word of this.words.slice(0, this.done)) counts.set(word, (counts.get(word) ?? 0) + 1);
    // The sort is stable and the map remembers its order: of two words equally common the first one wins.
    const commonest = [...counts].sort(([, a], [, b]) => b - a)[0];
    return { words: this.done, distinct: counts.size, most_common: commonest?.[0] ?? null };
  }
}

/** The line to the host: events out, control in. Where there is none, telling does nothing. */
class Channel {
  constructor(abort) {
    const number = process.env.WORKERHOST_CHANNEL_FD;
    if (number === undefined) return;
    try {
      this.socket = new Socket({ fd: Number(number) });
    } catch {
      // No socket but a file, as when somebody tries the worker by hand with 3>events: then without events.
      return;
    }
    // Nobody reads what we say, yet the work is worth finishing all the same.
    this.socket.on("error", () => {});
    let unread = "";
    this.socket.setEncoding("utf8").on("data", (text) => {
      const lines = (unread + text).split("\n");
      unread = lines.pop();
      // Anything else the host may say is for workers that can use it.
      const short = lines.some((line) => JSON.parse(line).control === "soft_timeout");
      if (short) abort.abort(new Stopped("OutOfTime", 3));
    });
  }

  tell(event, fields) {
    this.socket?.write(JSON.stringify({ event, ...fields }) + "\n");
  }

  /** Waits until the last event is out; an open socket would keep the process alive for ever. */
  close() {
    return new Promise((closed) => {
      if (!this.socket || this.socket.destroyed) return closed();
      this.socket.once("close", closed);
      this.socket.end(() => this.socket.destroy());
    });
  }
}

/** Rests so long; rejects at once where the work is stopped. */
function rest(milliseconds, stop) {
  return new Promise((rested, stopped) => {
    stop.throwIfAborted();
    const halt = () => {
      clearTimeout(timer);
      stopped(stop.reason);
    };
    const timer = setTimeout(() => {
      stop.removeEventListener("abort", halt);
      rested();
    }, milliseconds);
    stop.addEventListener("abort", halt, { once: true });
  });
}

/** The parameters of the task on standard input, which ends where the task ends. */
function readParams() {
  let task;
  try {
    task = JSON.parse(readFileSync(0, "utf8"));
  } catch {
    throw new Refused("standard input is not JSON");
  }
  if (!isObject(task)) throw new Refused("the task is not an object");
  if (typeof task.id !== "string") throw new Refused("the task has no id");
  if (task.type !== "example.words") throw new Refused(`this worker does no tasks of type ${task.type}`);
  if (!isObject(task.params)) throw new Refused("params is not an object");
  return task.params;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function failure(type, message, retry_possible, more) {
  return { success: false, error: { type, message, retry_possible, ...more } };
}

/** The answer and the exit code for an attempt that threw `error`. */
function understood(error, work) {
  if (error instanceof Refused) return [failure("Refused", error.message, false), 2];
  if (error instanceof Stopped) {
    const answer = failure(error.kind, error.message, true);
    // The host keeps what is under `partial` for whoever asks.
    return [work ? { ...answer, partial: work.result() } : answer, error.code];
  }
  return [failure(error.name, error.message, true, { traceback: error.stack }), 1];
}

const abort = new AbortController();
const channel = new Channel(abort);
let work;
let answer;
let code;
try {
  const params = readParams();
  // Not before: while the task is being read no handler can run, and the signal itself ends the process.
  process.on("SIGTERM", () => abort.abort(new Stopped("Interrupted", 143)));
  work = new Words(params);
  await work.carry(channel, abort.signal);
  [answer, code] = [{ success: true, result: work.result() }, 0];
} catch (error) {
  [answer, code] = understood(error, work);
}
await channel.close();
writeSync(1, JSON.stringify(answer) + "\n");
process.exit(code);
