//! The fields of a frame, as bytes: numbers in little endian, lists behind their counts.

use super::{Access, Garbled, Grant, Sandbox};
use std::ffi::{CStr, CString};
use std::time::Duration;
use wh_domain::attempt::Usage;
use wh_domain::isolation::{Enforcement, Gap, Level, Network, Restriction};
use wh_domain::limits::{Breach, Limits, Resource};

/// Counts and lengths are below [`MAX_FRAME`] in every frame that is sent; one that is not is refused as a whole.
pub(super) fn put_count(to: &mut Vec<u8>, count: usize) {
    to.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

pub(super) fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put_count(to, bytes.len());
    to.extend_from_slice(bytes);
}

pub(super) fn put_strings(to: &mut Vec<u8>, strings: &[CString]) {
    put_count(to, strings.len());
    for string in strings {
        put_bytes(to, string.as_bytes_with_nul());
    }
}

pub(super) fn put_sandbox(to: &mut Vec<u8>, sandbox: Option<&Sandbox>) {
    let Some(sandbox) = sandbox else { return to.push(b'n') };
    to.push(if sandbox.required { b'r' } else { b's' });
    put_count(to, sandbox.grants.len());
    for grant in &sandbox.grants {
        to.push(grant.access.code());
        put_bytes(to, grant.path.as_bytes_with_nul());
    }
    match &sandbox.network {
        Network::Any => to.push(b'a'),
        Network::None => to.push(b'n'),
        Network::Ports(ports) => {
            to.push(b'p');
            put_count(to, ports.len());
            for port in ports {
                to.extend_from_slice(&port.to_le_bytes());
            }
        }
    }
}

pub(super) fn put_enforcement(to: &mut Vec<u8>, report: &Enforcement) {
    put_bytes(to, report.level.as_str().as_bytes());
    to.push(report.landlock.unwrap_or(0));
    to.push(report.cgroup.unwrap_or(0));
    put_count(to, report.enforced.len());
    report.enforced.iter().for_each(|restriction| put_bytes(to, restriction.as_str().as_bytes()));
    put_count(to, report.missing.len());
    for gap in &report.missing {
        put_bytes(to, gap.restriction.as_str().as_bytes());
        put_bytes(to, gap.why.as_bytes());
    }
}

/// Nothing, or a number.
pub(super) fn put_maybe(to: &mut Vec<u8>, number: Option<u64>) {
    to.push(number.is_some().into());
    to.extend_from_slice(&number.unwrap_or(0).to_le_bytes());
}

pub(super) fn put_limits(to: &mut Vec<u8>, limits: &Limits) {
    put_maybe(to, limits.memory);
    to.extend_from_slice(&limits.grow_memory.to_le_bytes());
    put_maybe(to, limits.cpu_percent.map(u64::from));
    put_maybe(to, limits.processes.map(u64::from));
    put_maybe(to, limits.open_files);
    for number in [limits.file_size, limits.workspace, limits.inodes, limits.output] {
        put_maybe(to, number);
    }
}

pub(super) fn put_breach(to: &mut Vec<u8>, breach: Option<Breach>) {
    let Some(breach) = breach else { return to.push(b'n') };
    to.push(match breach.resource {
        Resource::Memory => b'm',
        Resource::MachineMemory => b'a',
        Resource::Processes => b'p',
        Resource::FileSize => b'f',
        Resource::Workspace => b'w',
        Resource::Inodes => b'i',
        Resource::Output => b'o',
    });
    to.extend_from_slice(&breach.limit.to_le_bytes());
    to.extend_from_slice(&breach.used.to_le_bytes());
}

pub(super) fn put_usage(to: &mut Vec<u8>, usage: &Usage) {
    put_duration(to, usage.user);
    put_duration(to, usage.system);
    for number in [usage.max_rss_kib, usage.disk_read_kib, usage.disk_written_kib] {
        to.extend_from_slice(&number.to_le_bytes());
    }
    to.extend_from_slice(&usage.oom_kills.to_le_bytes());
}

fn put_duration(to: &mut Vec<u8>, duration: Duration) {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    to.extend_from_slice(&micros.to_le_bytes());
}

/// What is left to read of a frame.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Garbled> {
        let (array, rest) = self.0.split_first_chunk::<N>().ok_or(Garbled)?;
        self.0 = rest;
        Ok(*array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Garbled> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Garbled> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Garbled> {
        self.array().map(u64::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, Garbled> {
        self.array().map(u32::from_le_bytes)
    }

    fn maybe(&mut self) -> Result<Option<u64>, Garbled> {
        let (is_there, number) = (self.byte()? == 1, self.u64()?);
        Ok(is_there.then_some(number))
    }

    fn maybe_u32(&mut self) -> Result<Option<u32>, Garbled> {
        self.maybe()?.map(|number| u32::try_from(number).map_err(|_| Garbled)).transpose()
    }

    pub(super) fn limits(&mut self) -> Result<Limits, Garbled> {
        Ok(Limits {
            memory: self.maybe()?,
            grow_memory: self.u32()?,
            cpu_percent: self.maybe_u32()?,
            processes: self.maybe_u32()?,
            open_files: self.maybe()?,
            file_size: self.maybe()?,
            workspace: self.maybe()?,
            inodes: self.maybe()?,
            output: self.maybe()?,
        })
    }

    pub(super) fn breach(&mut self) -> Result<Option<Breach>, Garbled> {
        let resource = match self.byte()? {
            b'n' => return Ok(None),
            b'm' => Resource::Memory,
            b'a' => Resource::MachineMemory,
            b'p' => Resource::Processes,
            b'f' => Resource::FileSize,
            b'w' => Resource::Workspace,
            b'i' => Resource::Inodes,
            b'o' => Resource::Output,
            _ => return Err(Garbled),
        };
        Ok(Some(Breach { resource, limit: self.u64()?, used: self.u64()? }))
    }

    pub(super) fn usage(&mut self) -> Result<Usage, Garbled> {
        Ok(Usage {
            user: self.duration()?,
            system: self.duration()?,
            max_rss_kib: self.u64()?,
            disk_read_kib: self.u64()?,
            disk_written_kib: self.u64()?,
            oom_kills: self.u32()?,
        })
    }

    fn duration(&mut self) -> Result<Duration, Garbled> {
        self.u64().map(Duration::from_micros)
    }

    fn count(&mut self) -> Result<usize, Garbled> {
        self.array().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Garbled> {
        let length = self.count()?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Garbled)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn string(&mut self) -> Result<CString, Garbled> {
        CStr::from_bytes_with_nul(self.bytes()?).map(CStr::to_owned).map_err(|_| Garbled)
    }

    pub(super) fn text(&mut self) -> Result<Box<str>, Garbled> {
        std::str::from_utf8(self.bytes()?).map(Box::from).map_err(|_| Garbled)
    }

    pub(super) fn strings(&mut self) -> Result<Vec<CString>, Garbled> {
        self.many(Self::string)
    }

    /// Items behind their count. The count is not trusted with memory: each item takes bytes of the frame.
    pub(super) fn many<T>(
        &mut self,
        item: impl Fn(&mut Self) -> Result<T, Garbled>,
    ) -> Result<Vec<T>, Garbled> {
        (0..self.count()?).map(|_| item(self)).collect()
    }

    pub(super) fn sandbox(&mut self) -> Result<Option<Sandbox>, Garbled> {
        let required = match self.byte()? {
            b'n' => return Ok(None),
            b's' => false,
            b'r' => true,
            _ => return Err(Garbled),
        };
        let grants = self.many(Self::grant)?;
        let network = match self.byte()? {
            b'a' => Network::Any,
            b'n' => Network::None,
            b'p' => Network::Ports(self.many(|fields| fields.array().map(u16::from_le_bytes))?),
            _ => return Err(Garbled),
        };
        Ok(Some(Sandbox { required, grants, network }))
    }

    pub(super) fn grant(&mut self) -> Result<Grant, Garbled> {
        let code = self.byte()?;
        let access =
            [Access::List, Access::Read, Access::Use, Access::Write].into_iter().find(|it| it.code() == code);
        Ok(Grant { access: access.ok_or(Garbled)?, path: self.string()? })
    }

    pub(super) fn enforcement(&mut self) -> Result<Enforcement, Garbled> {
        let level = Level::parse(&self.text()?).ok_or(Garbled)?;
        let landlock = Some(self.byte()?).filter(|abi| *abi > 0);
        let cgroup = Some(self.byte()?).filter(|version| *version > 0);
        let enforced = self.many(Self::restriction)?;
        let gap = |fields: &mut Self| Ok(Gap { restriction: fields.restriction()?, why: fields.text()? });
        Ok(Enforcement { level, landlock, cgroup, enforced, missing: self.many(gap)? })
    }

    pub(super) fn restriction(&mut self) -> Result<Restriction, Garbled> {
        Restriction::parse(&self.text()?).ok_or(Garbled)
    }

    pub(super) fn end(self) -> Result<(), Garbled> {
        if self.0.is_empty() { Ok(()) } else { Err(Garbled) }
    }
}
