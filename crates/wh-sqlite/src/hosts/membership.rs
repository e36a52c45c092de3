//! Joining, renewing, leaving, and finding out who is gone.

use crate::failure::{Tried, damaged};
use crate::hosts::slots::Slots;
use crate::policy::Policy;
use crate::tx::Tx;
use rusqlite::{OptionalExtension, named_params};
use std::os::fd::OwnedFd;
use std::time::Duration;
use wh_domain::id::HostId;
use wh_domain::time::{StoreInstant, millis};
use wh_ports::claims::Introduction;
use wh_ports::store::StoreError;

/// A host that has joined and has not been given up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    /// Its number in the file.
    pub(crate) no: i64,
    lease: StoreInstant,
    amnesty_until: i64,
}

/// Gives a host a slot and its first lease. The slot is taken for as long as the descriptor is open. A host that has
/// only just come cannot tell a dead host from one that slept along with the machine, so it judges no lease before
/// its own first one would be over.
pub(crate) fn join(
    tx: &Tx<'_>,
    introduction: &Introduction,
    policy: &Policy,
    slots: &Slots,
) -> Tried<(u32, OwnedFd)> {
    let (slot, token) = slots.take(&introduction.host)?;
    let lease = tx.instant.after(policy.lease.length);
    tx.prepare(
        "INSERT INTO host (uuid, name, pid, version, slot, standing, joined_at, changed_at, lease_boot, lease_until, \
         amnesty_until) VALUES (:uuid, :name, :pid, :version, :slot, 0, :now, :now, :boot, :until, :until) \
         ON CONFLICT (uuid) DO UPDATE SET slot = :slot, standing = 0, changed_at = :now, lease_boot = :boot, \
         lease_until = :until, amnesty_until = :until",
    )?
    .execute(named_params! {
        ":uuid": introduction.host.as_str(),
        ":name": &*introduction.name,
        ":pid": introduction.pid,
        ":version": &*introduction.version,
        ":slot": slot,
        ":now": tx.wall.as_millis(),
        ":boot": lease.boot.cast_signed(),
        ":until": lease.millis,
    })?;
    Ok((slot, token))
}

/// The host of that id, if it still counts.
pub(crate) fn member(tx: &Tx<'_>, host: &HostId) -> Tried<Member> {
    let found: Option<Member> = tx
        .prepare(
            "SELECT no, lease_boot, lease_until, amnesty_until FROM host WHERE uuid = ?1 AND standing = 0",
        )?
        .query_row([host.as_str()], |row| {
            let boot: i64 = row.get(1)?;
            Ok(Member {
                no: row.get(0)?,
                lease: StoreInstant { boot: boot.cast_unsigned(), millis: row.get(2)? },
                amnesty_until: row.get(3)?,
            })
        })
        .optional()?;
    found.ok_or_else(|| StoreError::Expelled.into())
}

/// Pushes the lease forward.
pub(crate) fn renew(tx: &Tx<'_>, host: &HostId, policy: &Policy) -> Tried<()> {
    let member = member(tx, host)?;
    let lease = tx.instant.after(policy.lease.length);
    tx.prepare("UPDATE host SET lease_boot = ?2, lease_until = ?3, amnesty_until = ?4 WHERE no = ?1")?
        .execute((member.no, lease.boot.cast_signed(), lease.millis, amnesty(tx, &member, policy)))?;
    Ok(())
}

/// Until when this host takes nothing over on the ground of a lease: after an outage of its own, which may have been
/// everybody's, all others get one lease's time to show that they live.
fn amnesty(tx: &Tx<'_>, member: &Member, policy: &Policy) -> i64 {
    let renewed_at = member.lease.millis.saturating_sub(millis(policy.lease.length));
    let expected = renewed_at.saturating_add(millis(policy.lease.renew_every));
    let late = u64::try_from(tx.instant.millis.saturating_sub(expected)).unwrap_or(0);
    let was_away =
        member.lease.boot != tx.instant.boot || policy.lease.needs_amnesty(Duration::from_millis(late));
    if was_away { tx.instant.after(policy.lease.length).millis } else { member.amnesty_until }
}

/// Ends a membership. What is still claimed may be taken over at once.
pub(crate) fn leave(tx: &mut Tx<'_>, host: &HostId) -> Tried<()> {
    tx.prepare(
        "UPDATE host SET standing = 1, changed_at = ?2, workers = NULL WHERE uuid = ?1 AND standing = 0",
    )?
    .execute((host.as_str(), tx.wall.as_millis()))?;
    tx.ring();
    Ok(())
}

/// Publishes how a host's workers are doing.
pub(crate) fn report(tx: &Tx<'_>, host: &HostId, workers: &str) -> Tried<()> {
    tx.prepare("UPDATE host SET workers = ?2 WHERE uuid = ?1 AND standing = 0")?
        .execute((host.as_str(), workers))?;
    Ok(())
}

/// The numbers of hosts whose claims may be taken over; those found dead only now are marked so.
pub(crate) fn gone_hosts(
    tx: &mut Tx<'_>,
    reaper: &Member,
    policy: &Policy,
    slots: &Slots,
) -> Tried<Vec<i64>> {
    give_up_the_dead(tx, reaper, policy, slots)?;
    let mut find = tx.prepare(
        "SELECT no FROM host WHERE standing <> 0 \
         AND EXISTS (SELECT 1 FROM task INDEXED BY task_claimed WHERE stage = 2 AND task.host = host.no)",
    )?;
    let gone = find.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(gone)
}

fn give_up_the_dead(tx: &mut Tx<'_>, reaper: &Member, policy: &Policy, slots: &Slots) -> Tried<()> {
    let until = amnesty(tx, reaper, policy);
    if until != reaper.amnesty_until {
        tx.prepare("UPDATE host SET amnesty_until = ?2 WHERE no = ?1")?.execute((reaper.no, until))?;
    }
    let leases_count = until <= tx.instant.millis;
    let others: Vec<(i64, String, i64, i64, i64)> = tx
        .prepare("SELECT no, uuid, slot, lease_boot, lease_until FROM host WHERE standing = 0 AND no <> ?1")?
        .query_map([reaper.no], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?
        .collect::<Result<_, _>>()?;
    for (no, uuid, slot, boot, until) in others {
        let lease = StoreInstant { boot: boot.cast_unsigned(), millis: until };
        let slot = u32::try_from(slot).map_err(damaged)?;
        let is_dead = (leases_count && lease.lease_is_over(tx.instant)) || slots.is_free_of(slot, &uuid)?;
        if is_dead {
            tx.prepare("UPDATE host SET standing = 2, changed_at = ?2 WHERE no = ?1")?
                .execute((no, tx.wall.as_millis()))?;
            tx.ring();
        }
    }
    Ok(())
}
