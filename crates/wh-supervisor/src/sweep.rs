//! Deletes kept workspaces: the old ones, and the oldest where they take too much.

use crate::workspace::finished::{Kept, delete, list};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// Deletes kept workspaces that are older than `keep`, then the oldest until all take at most `most_bytes`; answers
/// how many went. What cannot be deleted is tried again the next time. Needs no runner, and does no harm to one that
/// sweeps at the same moment.
pub async fn sweep(data_dir: PathBuf, keep: Duration, most_bytes: u64) -> u64 {
    let swept = tokio::task::spawn_blocking(move || {
        let Ok(kept) = list(&data_dir) else { return 0 };
        let doomed = doomed(kept, SystemTime::now(), keep, most_bytes);
        doomed.iter().filter(|kept| delete(&data_dir, &kept.name).is_ok()).map(|_| 1).sum()
    });
    swept.await.unwrap_or(0)
}

/// Which have to go.
fn doomed(mut kept: Vec<Kept>, now: SystemTime, keep: Duration, most_bytes: u64) -> Vec<Kept> {
    kept.sort_by_key(|kept| kept.since);
    let mut bytes: u64 = kept.iter().map(|kept| kept.bytes).sum();
    kept.retain(|kept| {
        let is_old = now.duration_since(kept.since).is_ok_and(|age| age > keep);
        let must_go = is_old || bytes > most_bytes;
        if must_go {
            bytes -= kept.bytes;
        }
        must_go
    });
    kept
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn the_old_go_and_then_the_oldest_until_the_rest_fits() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let kept = |age: u64, bytes: u64| Kept {
            name: std::ffi::CString::new(age.to_string()).unwrap(),
            since: now - Duration::from_secs(age),
            bytes,
        };
        let all = || vec![kept(10, 5), kept(300, 1), kept(20, 5), kept(30, 5)];
        let gone = |keep: u64, most: u64| -> Vec<String> {
            let doomed = doomed(all(), now, Duration::from_secs(keep), most);
            doomed.iter().map(|kept| kept.name.to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(gone(1_000, 16), [""; 0]);
        assert_eq!(gone(300, 16), [""; 0], "exactly as old as allowed");
        assert_eq!(gone(299, 16), ["300"]);
        assert_eq!(gone(1_000, 15), ["300"]);
        assert_eq!(gone(1_000, 10), ["300", "30"]);
        assert_eq!(gone(0, 0), ["300", "30", "20", "10"]);
    }
}
