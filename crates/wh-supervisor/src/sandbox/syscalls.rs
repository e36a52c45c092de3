//! What a worker may not ask of the kernel: what changes the machine, looks into other processes, or makes more of the
//! kernel reachable than any worker needs.
//!
//! A list of what is denied, not of what is allowed: workers are written in any language, and what a kernel gets new next year
//! must not end those of today. The list follows what container engines deny by default.

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, sock_filter,
};
use std::collections::BTreeMap;
use wh_domain::isolation::Network;

/// `open_tree_attr`, of which the library does not know yet; its number is the same on every machine.
const OPEN_TREE_ATTR: libc::c_long = 467;

/// Refused with `EPERM`.
const DENIED: [libc::c_long; 53] = [
    // Into other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_process_madvise,
    // Other namespaces, other roots, other file systems.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    // The machine.
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    // Doors into the kernel that have let people in before.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
    OPEN_TREE_ATTR,
];

/// With these, a new process would be in a namespace of its own.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// A connection that is made with the first bytes that are sent; Landlock looks at `connect` only.
const FAST_OPEN: u32 = libc::MSG_FASTOPEN.cast_unsigned();

/// Calls with x32's numbers have this bit: the same calls once more, which the filters would take for others.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

/// The filters, in any order.
pub(super) fn filters(network: &Network) -> Result<Vec<BpfProgram>, BackendError> {
    let mut denied: BTreeMap<i64, Vec<SeccompRule>> =
        DENIED.iter().map(|number| (*number, Vec::new())).collect();
    let namespaces = NAMESPACES.iter().map(|flag| rule([has(0, flag.cast_unsigned())]));
    denied.insert(libc::SYS_clone, namespaces.collect::<Result<_, _>>()?);
    // The limits of another process: a limit on processor time ends it.
    denied.insert(libc::SYS_prlimit64, vec![rule([is_not(0, 0)])?]);
    match network {
        Network::Any => {}
        Network::None => {
            let outward = [is_not(0, libc::AF_UNIX), is_not(0, libc::AF_NETLINK)];
            denied.insert(libc::SYS_socket, vec![rule(outward)?]);
        }
        Network::Ports(_) => {
            let other = |family| {
                let stream = masked(1, SOCKET_TYPE, libc::SOCK_STREAM.cast_unsigned());
                rule([is(0, family), stream, is_not(2, 0), is_not(2, libc::IPPROTO_TCP)])
            };
            denied.insert(libc::SYS_socket, vec![other(libc::AF_INET)?, other(libc::AF_INET6)?]);
            for (call, flags) in [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)] {
                denied.insert(call, vec![rule([has(flags, FAST_OPEN)])?]);
            }
        }
    }
    // Its flags lie in memory, where no filter sees them. Who is told that there is no such call uses `clone`.
    let unknown = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(unused_mut, reason = "one more follows on one machine only")
    )]
    let mut filters = vec![filter(denied, libc::EPERM)?, filter(unknown, libc::ENOSYS)?];
    #[cfg(target_arch = "x86_64")]
    filters.push(without_x32());
    Ok(filters)
}

/// The bits of a socket's type that are no flags.
const SOCKET_TYPE: u32 = 0xf;

type Condition = Result<SeccompCondition, BackendError>;

/// Holds where all conditions hold.
fn rule<const N: usize>(conditions: [Condition; N]) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.into_iter().collect::<Result<_, _>>()?)
}

fn has(argument: u8, flag: u32) -> Condition {
    masked(argument, flag, flag)
}

fn masked(argument: u8, mask: u32, value: u32) -> Condition {
    let masked = SeccompCmpOp::MaskedEq(mask.into());
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, masked, value.into())
}

fn is(argument: u8, value: libc::c_int) -> Condition {
    let value = value.cast_unsigned().into();
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn is_not(argument: u8, value: libc::c_int) -> Condition {
    let value = value.cast_unsigned().into();
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

fn filter(calls: BTreeMap<i64, Vec<SeccompRule>>, error: libc::c_int) -> Result<BpfProgram, BackendError> {
    let refuse = SeccompAction::Errno(error.cast_unsigned());
    let machine = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(calls, SeccompAction::Allow, refuse, machine)?.try_into()
}

/// Says that there are no such calls, as most kernels do.
#[cfg(target_arch = "x86_64")]
fn without_x32() -> BpfProgram {
    let code = |code: u32| u16::try_from(code).unwrap_or(u16::MAX);
    let step = |operation: u32, jt, jf, k| sock_filter { code: code(operation), jt, jf, k };
    vec![
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 0, 1, X32),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned()),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]
}
