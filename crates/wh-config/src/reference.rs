//! The reference for people, made from the table of keys.

use crate::assemble::MOST_NESTING;
use crate::load::MOST_BYTES;
use crate::overrides;
use crate::size::format_size;
use crate::table::{self, Effect, Fallback, Key, Section};

const INTRODUCTION: &str = "\
# Configuration

<!-- Written by wh-config from its table of keys; `WH_BLESS=1 cargo test -p wh-config` writes it anew. -->

One file, in YAML or in JSON, with the same keys. A name that ends in `.yaml` or `.yml` is read as YAML, any other
as JSON. `workerhost config check` tells every mistake at once, `workerhost config show --origin` tells what holds
and why, `workerhost config schema` prints the JSON Schema for editors.

```yaml
workers:
  - name: video
    command: [python3, worker.py]
    task_types: [\"Media.Video.*\"]
    timeout: 15m
```

## How values are written

| value | examples |
|---|---|
| duration | `300` (seconds), `300s`, `5m`, `1h30m`, `15_minutes`, `1.5h`, `500ms`, `7d` |
| size | `1048576` (bytes), `10MB` (10 million bytes), `1MiB` (2^20 bytes), `1.5GiB` |
| share | `80%` |
| path | relative ones start at the directory of the file |
| `${NAME}` | the environment variable; one that is not set is an error |
| `${NAME:-default}` | the same, or the default where it is not set or empty |
| `$${` | the two characters `${` |

Variables are filled in after the file has been read, inside single values, so that no value can add a key. Values
that came out of a variable, and values under keys that look secret (`api_key`, `token`, `password`, …), are never
printed: they show as `<redacted>`.

Unknown keys are errors. So are keys that stand twice, anchors, aliases, tags, and a second document.
";

/// The reference as Markdown, as it stands in `docs/config.md`.
pub fn reference_markdown() -> String {
    let size = format_size(u64::try_from(MOST_BYTES).unwrap_or(u64::MAX));
    let mut out = format!(
        "{INTRODUCTION}A file has at most {size} and {MOST_NESTING} levels of nesting. It is UTF-8; a byte order mark, \
         tabs inside lines and Windows line ends do no harm.\n\n## Keys\n"
    );
    for section in table::all_sections() {
        one_section(section, &mut out);
    }
    variables(&mut out);
    out
}

fn one_section(section: &Section, out: &mut String) {
    let title = match section.path {
        "" => "The top of the file".to_owned(),
        path => format!("`{path}`"),
    };
    for part in ["\n### ", &title, "\n\n", section.doc, "\n\n"] {
        out.push_str(part);
    }
    out.push_str("| key | value | default | since | |\n|---|---|---|---|---|\n");
    for key in section.keys {
        out.push_str(&row(key));
    }
}

fn row(key: &Key) -> String {
    let doc = match key.effect {
        Effect::Works if key.example.is_empty() => key.doc.to_owned(),
        Effect::Works => format!("{} Example: `{}`.", key.doc, key.sample()),
        Effect::Alias(target) => format!("Another name of `{target}`."),
        Effect::Later => format!("{} *No effect in this version.*", key.doc),
    };
    let default = match key.fallback {
        Fallback::None | Fallback::Section => String::new(),
        Fallback::Required => "*required*".to_owned(),
        Fallback::Value(value) => format!("`{value}`"),
        Fallback::Words(words) => words.to_owned(),
    };
    let kind = key.kind.expected();
    format!("| `{}` | {kind} | {default} | {} | {doc} |\n", key.name, key.since)
}

fn variables(out: &mut String) {
    out.push_str(
        "\n## Environment variables that win over the file\n\n\
         An empty variable counts as one that is not set, and relative paths start at the directory of the file, \
         too. Other variables that begin with `WORKERHOST_` draw a warning; those that the host gives to workers \
         (`WORKERHOST_TASK_ID` and so on) are never read as configuration.\n\n| variable | key |\n|---|---|\n",
    );
    let rows = overrides::overrides().map(|(name, path)| format!("| `{name}` | `{path}` |\n"));
    out.extend(rows);
}
