//! The hosts, and whether they are alive as far as anybody can tell.

use crate::failure::{Tried, damaged};
use crate::hosts::slots::Slots;
use crate::record;
use rusqlite::Connection;
use wh_domain::id::HostId;
use wh_domain::time::{StoreInstant, Timestamp};
use wh_ports::reader::HostView;

/// The hosts that have joined and not been forgotten, newest first.
pub(crate) fn hosts(connection: &Connection, slots: &Slots, now: StoreInstant) -> Tried<Vec<HostView>> {
    let mut find = connection.prepare_cached(
        "SELECT uuid, name, pid, version, joined_at, standing, slot, lease_boot, lease_until, workers \
         FROM host ORDER BY no DESC",
    )?;
    let mut rows = find.query(())?;
    let mut hosts = Vec::new();
    while let Some(row) = rows.next()? {
        let uuid: String = row.get(0)?;
        let lease = StoreInstant { boot: row.get::<_, i64>(7)?.cast_unsigned(), millis: row.get(8)? };
        let is_member = row.get::<_, i64>(5)? == 0;
        let alive = is_member && !lease.lease_is_over(now) && !slots.is_free_of(row.get(6)?, &uuid)?;
        let workers = row.get::<_, Option<String>>(9)?;
        hosts.push(HostView {
            host: HostId::new(uuid).map_err(damaged)?,
            name: row.get(1)?,
            pid: row.get(2)?,
            version: row.get(3)?,
            joined_at: Timestamp::from_millis(row.get(4)?),
            alive,
            workers: workers.as_deref().map(record::read_reports).transpose()?.unwrap_or_default(),
        });
    }
    Ok(hosts)
}
