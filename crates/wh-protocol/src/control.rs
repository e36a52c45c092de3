//! What the host says on the channel: one JSON object per line.

use serde_json::json;
use std::time::Duration;

/// One thing that the host says to a running worker.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Control<'a> {
    /// The soft limit was reached: wrap up.
    SoftTimeout {
        /// Until the hard limit.
        remaining: Duration,
    },
    /// Memory runs short: clear caches.
    MemoryHigh {
        /// What the tree uses, in MiB.
        used_mb: u64,
        /// What it may use, in MiB.
        limit_mb: u64,
    },
    /// Somebody no longer wants the task: stop.
    Cancel {
        /// Why.
        reason: &'a str,
    },
    /// The host is going down: finish or checkpoint.
    Drain,
    /// A leased credential, at the beginning and after a rotation.
    Credential {
        /// A JSON object; its members stand beside `control`.
        members: &'a str,
    },
}

impl std::fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A credential must not reach a log by way of a debug print.
        f.debug_struct("Control").field("control", &self.word()).finish_non_exhaustive()
    }
}

impl Control<'_> {
    /// The value of the field `control`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::SoftTimeout { .. } => "soft_timeout",
            Self::MemoryHigh { .. } => "memory_high",
            Self::Cancel { .. } => "cancel",
            Self::Drain => "drain",
            Self::Credential { .. } => "credential",
        }
    }

    /// Appends the line, with its line end, to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let word = self.word();
        let line = match self {
            Self::SoftTimeout { remaining } => {
                let remaining_ms = u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX);
                json!({"control": word, "remaining_ms": remaining_ms}).to_string()
            }
            Self::MemoryHigh { used_mb, limit_mb } => {
                json!({"control": word, "used_mb": used_mb, "limit_mb": limit_mb}).to_string()
            }
            Self::Cancel { reason } => json!({"control": word, "reason": reason}).to_string(),
            Self::Drain => json!({"control": word}).to_string(),
            Self::Credential { members } => with_members(word, members),
        };
        out.extend(line.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
        out.push(b'\n');
    }
}

fn with_members(word: &str, members: &str) -> String {
    let inner = members.trim().trim_start_matches('{').trim_start();
    let comma = if inner.starts_with('}') { "" } else { "," };
    format!(r#"{{"control":"{word}"{comma}{inner}"#)
}

#[cfg(test)]
mod tests {
    use super::Control;
    use std::time::Duration;

    #[test]
    fn every_control_is_one_line_of_json() {
        let rows = [
            (
                Control::SoftTimeout { remaining: Duration::from_secs(60) },
                r#"{"control":"soft_timeout","remaining_ms":60000}"#,
            ),
            (
                Control::MemoryHigh { used_mb: 410, limit_mb: 512 },
                r#"{"control":"memory_high","used_mb":410,"limit_mb":512}"#,
            ),
            (Control::Cancel { reason: "no\nmore" }, r#"{"control":"cancel","reason":"no\nmore"}"#),
            (Control::Drain, r#"{"control":"drain"}"#),
            (Control::Credential { members: "{}" }, r#"{"control":"credential"}"#),
            (Control::Credential { members: "{\n\"key\": \"k\"}" }, r#"{"control":"credential","key": "k"}"#),
        ];
        for (control, line) in rows {
            let mut out = Vec::new();
            control.write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{line}\n"));
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }

    #[test]
    fn a_credential_is_not_shown_by_a_debug_print() {
        let shown = format!("{:?}", Control::Credential { members: r#"{"key":"sekrit"}"# });
        assert!(!shown.contains("sekrit"), "{shown}");
    }
}
