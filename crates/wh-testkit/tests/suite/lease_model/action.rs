//! What can happen, and what it does.

use super::state::{HOSTS, Letter, Process, Standing, State, TASKS, Work};

/// The rules that a store may lack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// A settlement must carry the task's fence.
    pub(super) fence_on_settle: bool,
    /// A take-over gives a new fence.
    pub(super) fence_grows_on_take_over: bool,
    /// Only a claimed task can be settled.
    pub(super) state_on_settle: bool,
    /// Claims of hosts that are dead or silent can be taken over.
    pub(super) take_over: bool,
}

/// What becomes of the answer to a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Heard,
    Lost,
}

/// One event. The first number is the host, the second the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Claim(usize, usize),
    /// The attempt is over, or an adopted claim is to be given back: a settlement is sent.
    Send(usize, usize, bool),
    /// A settlement reaches the store; if the answer gets lost, the host sends it again.
    Arrive(usize, usize, Answer),
    TakeOver {
        by: usize,
        from: usize,
        task: usize,
    },
    Expire(usize),
    /// The host renews; one that is out learns of it, ends its attempts and joins anew.
    Renew(usize),
    Crash(usize),
    Restart(usize),
    Pause(usize),
    Resume(usize),
}

/// Everything that could happen next.
pub(super) fn all() -> impl Iterator<Item = Action> {
    let of_hosts = (0..HOSTS).flat_map(|host| {
        [
            Action::Expire(host),
            Action::Renew(host),
            Action::Crash(host),
            Action::Restart(host),
            Action::Pause(host),
            Action::Resume(host),
        ]
    });
    let of_tasks = (0..HOSTS).flat_map(|host| {
        (0..TASKS).flat_map(move |task| {
            [
                Action::Claim(host, task),
                Action::Send(host, task, true),
                Action::Send(host, task, false),
                Action::Arrive(host, task, Answer::Heard),
                Action::Arrive(host, task, Answer::Lost),
            ]
        })
    });
    let take_overs = (0..HOSTS).flat_map(|by| {
        (0..HOSTS).flat_map(move |from| (0..TASKS).map(move |task| Action::TakeOver { by, from, task }))
    });
    of_hosts.chain(of_tasks).chain(take_overs)
}

impl Action {
    /// What becomes of `state`; `None` if this cannot happen in it.
    pub(super) fn on(self, mut state: State, rules: Rules) -> Option<State> {
        let done = match self {
            Self::Claim(host, task) => claim(&mut state, host, task),
            Self::Send(host, task, ends) => send(&mut state, host, task, ends),
            Self::Arrive(host, task, answer) => arrive(&mut state, host, task, answer, rules),
            Self::TakeOver { by, from, task } => take_over(&mut state, by, from, task, rules),
            Self::Expire(host) => {
                let host = &mut state.hosts[host];
                !std::mem::replace(&mut host.expired, true) && !host.out
            }
            Self::Renew(host) => renew(&mut state, host),
            Self::Crash(host) => {
                become_(&mut state, host, &[Process::Running, Process::Paused], Process::Crashed)
            }
            Self::Restart(host) => restart(&mut state, host),
            Self::Pause(host) => become_(&mut state, host, &[Process::Running], Process::Paused),
            Self::Resume(host) => become_(&mut state, host, &[Process::Paused], Process::Running),
        };
        done.then_some(state)
    }
}

fn number(host: usize) -> u8 {
    u8::try_from(host).unwrap_or(u8::MAX)
}

fn claim(state: &mut State, host: usize, task: usize) -> bool {
    let (host_no, host, task_row) = (number(host), &mut state.hosts[host], &mut state.tasks[task]);
    // A host that works for a task knows it, so it asks for no other attempt at it.
    let can = host.process == Process::Running && !host.out && host.work[task] == Work::Nothing;
    if !can || host.letters[task].is_some() || task_row.standing != Standing::Pending {
        return false;
    }
    task_row.fence += 1;
    task_row.standing = Standing::Claimed { by: host_no };
    host.work[task] = Work::Carries(task_row.fence);
    true
}

fn send(state: &mut State, host: usize, task: usize, ends: bool) -> bool {
    let host = &mut state.hosts[host];
    let fence = match host.work[task] {
        Work::Carries(fence) => fence,
        Work::Adopted(fence) if !ends => fence,
        Work::Adopted(_) | Work::Nothing => return false,
    };
    if host.process != Process::Running || host.letters[task].is_some() {
        return false;
    }
    host.work[task] = Work::Nothing;
    host.letters[task] = Some(Letter { fence, ends });
    true
}

fn arrive(state: &mut State, host: usize, task: usize, answer: Answer, rules: Rules) -> bool {
    let Some(letter) = state.hosts[host].letters[task] else { return false };
    if answer == Answer::Heard {
        state.hosts[host].letters[task] = None;
    }
    let row = &mut state.tasks[task];
    let claimed = matches!(row.standing, Standing::Claimed { .. });
    let accepted =
        (claimed || !rules.state_on_settle) && (row.fence == letter.fence || !rules.fence_on_settle);
    if accepted {
        let by_holder = row.standing == Standing::Claimed { by: number(host) } && row.fence == letter.fence;
        row.usurped |= !by_holder;
        row.ends += u8::from(letter.ends);
        row.standing = if letter.ends { Standing::Ended } else { Standing::Pending };
    }
    true
}

fn take_over(state: &mut State, by: usize, from: usize, task: usize, rules: Rules) -> bool {
    let (reaper, dead) = (state.hosts[by], state.hosts[from]);
    let is_dead = dead.out || dead.expired || dead.process == Process::Crashed;
    let can = rules.take_over && by != from && reaper.process == Process::Running && !reaper.out && is_dead;
    let row = &mut state.tasks[task];
    if !can || reaper.letters[task].is_some() || row.standing != (Standing::Claimed { by: number(from) }) {
        return false;
    }
    row.fence += u8::from(rules.fence_grows_on_take_over);
    row.standing = Standing::Claimed { by: number(by) };
    state.hosts[by].work[task] = Work::Adopted(row.fence);
    state.hosts[from].out = true;
    true
}

/// Renews, or, if the host is out, joins anew. It does so under a fresh name, so what others have not taken yet is not
/// its own; that it waits for them stands for that.
fn renew(state: &mut State, host: usize) -> bool {
    let holds = holds(state, host);
    let host = &mut state.hosts[host];
    if host.process != Process::Running || !(host.out || host.expired) || (host.out && holds) {
        return false;
    }
    if std::mem::replace(&mut host.out, false) {
        host.work = [Work::Nothing; TASKS];
    }
    host.expired = false;
    true
}

fn holds(state: &State, host: usize) -> bool {
    state.tasks.iter().any(|task| task.standing == Standing::Claimed { by: number(host) })
}

fn become_(state: &mut State, host: usize, from: &[Process], to: Process) -> bool {
    let host = &mut state.hosts[host];
    if !from.contains(&host.process) {
        return false;
    }
    host.process = to;
    if to == Process::Crashed {
        host.work = [Work::Nothing; TASKS];
    }
    true
}

/// A new process in the place of a crashed one; it waits as one that joins anew does.
fn restart(state: &mut State, host: usize) -> bool {
    let holds = holds(state, host);
    let host = &mut state.hosts[host];
    if host.process != Process::Crashed || holds {
        return false;
    }
    (host.process, host.out, host.expired) = (Process::Running, false, false);
    true
}
