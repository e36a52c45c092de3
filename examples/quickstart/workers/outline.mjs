// markdown.outline: the headings of a Markdown file, by Node and nothing else.

import { readFileSync, writeSync } from "node:fs";

/** The task itself is wrong, so that trying again cannot help. */
class Refused extends Error {}

function readParams() {
  let task;
  try {
    task = JSON.parse(readFileSync(0, "utf8"));
  } catch {
    throw new Refused("standard input is not JSON");
  }
  if (typeof task?.id !== "string") throw new Refused("the task has no id");
  if (task.type !== "markdown.outline") throw new Refused(`this worker does markdown.outline, not ${task.type}`);
  if (typeof task.params?.path !== "string") throw new Refused("params.path must be a path");
  return task.params;
}

function outline(text) {
  const headings = [];
  let fenced = false;
  for (const line of text.split("\n")) {
    // A line that begins with # between two fences is somebody's comment, no heading.
    if (line.startsWith("```")) fenced = !fenced;
    const heading = fenced ? null : /^(#{1,6}) +(.+?) *#*$/.exec(line);
    if (heading) headings.push({ level: heading[1].length, title: heading[2] });
  }
  return { headings };
}

function end(answer, code) {
  writeSync(1, JSON.stringify(answer) + "\n");
  process.exit(code);
}

try {
  const result = outline(readFileSync(readParams().path, "utf8"));
  end({ success: true, result }, 0);
} catch (error) {
  const refused = error instanceof Refused;
  const type = refused ? "Refused" : (error.code ?? error.name);
  end({ success: false, error: { type, message: error.message, retry_possible: !refused } }, refused ? 2 : 1);
}
