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

/// Calls of x86-64 with x32's numbers have this bit: the same calls once more, which the filter would take for others. No other
/// machine has such numbers.
const X32: u32 = 0x4000_0000;

/// The filter: one, because each worker has it compiled anew.
pub(super) fn filter(network: &Network) -> Result<BpfProgram, BackendError> {
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
    let refuse = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let machine = std::env::consts::ARCH.try_into()?;
    let denied: BpfProgram = SeccompFilter::new(denied, SeccompAction::Allow, refuse, machine)?.try_into()?;
    Ok(unknown().into_iter().chain(denied).collect())
}

/// What comes first: of some calls it is said that the kernel has none. `clone3` has its flags in memory, where no filter sees
/// them, and who is told so uses `clone`; and most kernels have no x32.
fn unknown() -> [sock_filter; 5] {
    let clone3 = u32::try_from(libc::SYS_clone3).unwrap_or(u32::MAX);
    let no_such_call = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
    [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, (0, 0), 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, (2, 0), clone3),
        step(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, (1, 0), X32),
        step(libc::BPF_JMP | libc::BPF_JA, (0, 0), 1),
        step(libc::BPF_RET | libc::BPF_K, (0, 0), no_such_call),
    ]
}

/// An instruction; jumps are counted from the next one.
fn step(operation: u32, (jt, jf): (u8, u8), k: u32) -> sock_filter {
    sock_filter { code: u16::try_from(operation).unwrap_or(u16::MAX), jt, jf, k }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_jump_of_what_comes_first_leads_to_the_refusal_or_past_it() {
        let first = unknown();
        let target = |at: usize, by: u32| at + 1 + usize::try_from(by).unwrap();
        assert_eq!((target(1, first[1].jt.into()), target(1, first[1].jf.into())), (4, 2));
        assert_eq!((target(2, first[2].jt.into()), target(2, first[2].jf.into())), (4, 3));
        assert_eq!(target(3, first[3].k), first.len(), "to the list of what is denied");
    }

    #[test]
    fn a_filter_of_every_network_is_short_enough_for_the_kernel() {
        for network in [Network::Any, Network::None, Network::Ports(vec![443])] {
            let length = filter(&network).unwrap().len();
            assert!(length < 4_096, "{network:?}: {length}");
        }
    }
}
