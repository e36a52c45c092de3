//! What host and guardian say to each other, as bytes: frames of a length, a kind and its fields.

mod fields;

use fields::{
    Fields, put_breach, put_bytes, put_count, put_enforcement, put_limits, put_sandbox, put_strings,
    put_usage,
};
use std::ffi::CString;
use wh_domain::attempt::Usage;
use wh_domain::isolation::{Enforcement, Network};
use wh_domain::limits::{Breach, Limits};

/// The longest frame, in bytes; longer command lines and environments are refused before anything is sent. The
/// kernel itself takes less.
pub(crate) const MAX_FRAME: usize = 4 << 20;

/// The part of a start that stays the same from attempt to attempt; sent once and kept by the guardian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// What is executed: a path.
    pub(crate) path: CString,
    /// Its arguments, with its name.
    pub(crate) argv: Vec<CString>,
    /// Where it starts.
    pub(crate) directory: CString,
    /// Variables of every attempt, as `NAME=value`.
    pub(crate) env: Vec<CString>,
    /// What it is to be kept within; `None` for one without isolation.
    pub(crate) sandbox: Option<Sandbox>,
}

/// What a worker is kept within.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sandbox {
    /// Whether nothing is to be started where any of it cannot be had.
    pub(crate) required: bool,
    /// What it may reach of the file system: all that is below these.
    pub(crate) grants: Vec<Grant>,
    /// Whom it may connect to.
    pub(crate) network: Network,
}

/// A file or a directory that a worker may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) path: CString,
    pub(crate) access: Access,
}

/// What a worker may do with what it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// List directories.
    List,
    /// Read, list and execute.
    Read,
    /// Read and write what is there: devices.
    Use,
    /// Everything but making devices.
    Write,
}

impl Access {
    const fn code(self) -> u8 {
        match self {
            Self::List => b'l',
            Self::Read => b'r',
            Self::Use => b'u',
            Self::Write => b'w',
        }
    }
}

/// What the host tells a guardian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// The program of all starts to come.
    Program(Program),
    /// Start it, with these variables besides, and within these limits. Comes with descriptors 0 to 3 of the new process.
    Start(Vec<CString>, Limits),
    /// Send this signal to the worker alone.
    Signal(i32),
    /// Send SIGTERM to the whole tree, and leave what then remains to the host.
    Terminate,
    /// End the whole tree with SIGKILL.
    Kill,
}

/// What a guardian tells the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// It is there; holds its process id.
    Hello(i32),
    /// What the next worker is kept within, and what of it does not hold. Comes before its start where it has changed.
    Entered(Enforcement),
    /// The program could not be executed: an error number.
    NotStarted(i32),
    /// It was not executed, because its isolation is required and has gaps: those of [`Notice::Entered`].
    NotIsolated,
    /// The tree uses most of its memory: so much, of so much, in bytes.
    MemoryHigh { used: u64, limit: u64 },
    /// The worker has ended but processes of its own live on; [`Notice::Ended`] follows when they do no more.
    Exited(i32),
    /// The tree is empty.
    Ended(Ended),
}

/// The end of a process tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ended {
    /// How the worker ended, as the kernel packs it.
    pub(crate) status: i32,
    /// What all of the tree used.
    pub(crate) usage: Usage,
    /// Command lines of processes that outlived the worker by more than their grace.
    pub(crate) leaked: Vec<Box<str>>,
    /// The limit for which some of its processes were ended.
    pub(crate) breach: Option<Breach>,
    /// Whether it could not make more processes, because it had as many as it may.
    pub(crate) is_crowded: bool,
    /// Memory that outlived all its processes, in bytes, where it is worth mentioning.
    pub(crate) left: u64,
}

/// Why bytes are no frame. The other side is not what it should be: give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Garbled;

/// Reads whole frames out of a stream of bytes.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    read: usize,
}

impl Inbox {
    /// Takes what has arrived.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.read == self.bytes.len() {
            self.bytes.clear();
            self.read = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next command, if all of it has arrived.
    pub(crate) fn command(&mut self) -> Result<Option<Command>, Garbled> {
        self.frame().map_or(Ok(None), |frame| Command::decode(frame?).map(Some))
    }

    /// The next notice, if all of it has arrived.
    pub(crate) fn notice(&mut self) -> Result<Option<Notice>, Garbled> {
        self.frame().map_or(Ok(None), |frame| Notice::decode(frame?).map(Some))
    }

    fn frame(&mut self) -> Option<Result<&[u8], Garbled>> {
        let unread = self.bytes.get(self.read..)?;
        let (head, rest) = unread.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*head) as usize;
        if length > MAX_FRAME {
            return Some(Err(Garbled));
        }
        let frame = rest.get(..length)?;
        self.read += 4 + length;
        Some(Ok(frame))
    }
}

impl Command {
    /// Appends the command's frame; `None`, with nothing appended, where it is longer than [`MAX_FRAME`].
    pub(crate) fn encode(&self, to: &mut Vec<u8>) -> Option<()> {
        framed(to, |to| match self {
            Self::Program(program) => {
                to.push(b'p');
                put_bytes(to, program.path.as_bytes_with_nul());
                put_strings(to, &program.argv);
                put_bytes(to, program.directory.as_bytes_with_nul());
                put_strings(to, &program.env);
                put_sandbox(to, program.sandbox.as_ref());
            }
            Self::Start(env, limits) => {
                to.push(b's');
                put_strings(to, env);
                put_limits(to, limits);
            }
            Self::Signal(number) => {
                to.push(b'n');
                to.extend_from_slice(&number.to_le_bytes());
            }
            Self::Terminate => to.push(b't'),
            Self::Kill => to.push(b'k'),
        })
    }

    fn decode(frame: &[u8]) -> Result<Self, Garbled> {
        let mut fields = Fields(frame);
        let command = match fields.byte()? {
            b'p' => Self::Program(Program {
                path: fields.string()?,
                argv: fields.strings()?,
                directory: fields.string()?,
                env: fields.strings()?,
                sandbox: fields.sandbox()?,
            }),
            b's' => Self::Start(fields.strings()?, fields.limits()?),
            b'n' => Self::Signal(fields.i32()?),
            b't' => Self::Terminate,
            b'k' => Self::Kill,
            _ => return Err(Garbled),
        };
        fields.end().map(|()| command)
    }
}

impl Notice {
    /// Appends the notice's frame.
    pub(crate) fn encode(&self, to: &mut Vec<u8>) -> Option<()> {
        framed(to, |to| match self {
            Self::Hello(pid) => {
                to.push(b'h');
                to.extend_from_slice(&pid.to_le_bytes());
            }
            Self::NotStarted(error) => {
                to.push(b'x');
                to.extend_from_slice(&error.to_le_bytes());
            }
            Self::NotIsolated => to.push(b'i'),
            Self::Entered(report) => {
                to.push(b'w');
                put_enforcement(to, report);
            }
            Self::MemoryHigh { used, limit } => {
                to.push(b'm');
                to.extend_from_slice(&used.to_le_bytes());
                to.extend_from_slice(&limit.to_le_bytes());
            }
            Self::Exited(status) => {
                to.push(b'q');
                to.extend_from_slice(&status.to_le_bytes());
            }
            Self::Ended(ended) => {
                to.push(b'e');
                to.extend_from_slice(&ended.status.to_le_bytes());
                put_usage(to, &ended.usage);
                put_count(to, ended.leaked.len());
                ended.leaked.iter().for_each(|line| put_bytes(to, line.as_bytes()));
                put_breach(to, ended.breach);
                to.push(ended.is_crowded.into());
                to.extend_from_slice(&ended.left.to_le_bytes());
            }
        })
    }

    fn decode(frame: &[u8]) -> Result<Self, Garbled> {
        let mut fields = Fields(frame);
        let notice = match fields.byte()? {
            b'h' => Self::Hello(fields.i32()?),
            b'x' => Self::NotStarted(fields.i32()?),
            b'i' => Self::NotIsolated,
            b'w' => Self::Entered(fields.enforcement()?),
            b'm' => Self::MemoryHigh { used: fields.u64()?, limit: fields.u64()? },
            b'q' => Self::Exited(fields.i32()?),
            b'e' => Self::Ended(Ended {
                status: fields.i32()?,
                usage: fields.usage()?,
                leaked: fields.many(Fields::text)?,
                breach: fields.breach()?,
                is_crowded: fields.byte()? == 1,
                left: fields.u64()?,
            }),
            _ => return Err(Garbled),
        };
        fields.end().map(|()| notice)
    }
}

fn framed(to: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) -> Option<()> {
    let start = to.len();
    to.extend_from_slice(&[0; 4]);
    body(to);
    let length = to.len() - start - 4;
    if length > MAX_FRAME {
        to.truncate(start);
        return None;
    }
    let head = u32::try_from(length).ok()?.to_le_bytes();
    to.get_mut(start..start + 4)?.copy_from_slice(&head);
    Some(())
}

#[cfg(test)]
mod unit {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;
    use wh_domain::isolation::{Gap, Level, Restriction};
    use wh_domain::limits::Resource;

    fn strings() -> impl Strategy<Value = Vec<CString>> {
        proptest::collection::vec(
            proptest::collection::vec(1..=255_u8, 0..40).prop_map(|bytes| CString::new(bytes).unwrap()),
            0..6,
        )
    }

    fn sandbox() -> impl Strategy<Value = Option<Sandbox>> {
        let access =
            prop_oneof![Just(Access::List), Just(Access::Read), Just(Access::Use), Just(Access::Write)];
        let grant = |(path, access)| Grant { path, access };
        let grants = (strings(), access)
            .prop_map(move |(paths, access)| paths.into_iter().map(|path| grant((path, access))).collect());
        let ports = proptest::collection::vec(any::<u16>(), 0..4).prop_map(Network::Ports);
        let network = prop_oneof![Just(Network::Any), Just(Network::None), ports];
        let sandbox = (any::<bool>(), grants, network);
        proptest::option::of(sandbox.prop_map(|(required, grants, network)| Sandbox {
            required,
            grants,
            network,
        }))
    }

    fn limits() -> impl Strategy<Value = Limits> {
        let numbers =
            (any::<Option<u64>>(), any::<u32>(), any::<[Option<u32>; 2]>(), any::<[Option<u64>; 2]>());
        numbers.prop_map(|(memory, grow_memory, [cpu_percent, processes], [open_files, file_size])| Limits {
            memory,
            grow_memory,
            cpu_percent,
            processes,
            open_files,
            file_size,
            workspace: open_files,
            inodes: file_size,
            output: memory,
        })
    }

    fn command() -> impl Strategy<Value = Command> {
        prop_oneof![
            (strings(), strings(), sandbox()).prop_map(|(argv, env, sandbox)| {
                Command::Program(Program {
                    path: c"/bin/cat".into(),
                    argv,
                    directory: c"/".into(),
                    env,
                    sandbox,
                })
            }),
            (strings(), limits()).prop_map(|(env, limits)| Command::Start(env, limits)),
            any::<i32>().prop_map(Command::Signal),
            Just(Command::Terminate),
            Just(Command::Kill),
        ]
    }

    proptest! {
        #[test]
        fn commands_arrive_as_they_were_sent_however_the_bytes_are_cut(
            commands in proptest::collection::vec(command(), 1..5),
            cut in 1..64_usize,
        ) {
            let mut bytes = Vec::new();
            for command in &commands {
                command.encode(&mut bytes).unwrap();
            }
            let mut inbox = Inbox::default();
            let mut arrived = Vec::new();
            for piece in bytes.chunks(cut) {
                inbox.push(piece);
                while let Some(command) = inbox.command().unwrap() {
                    arrived.push(command);
                }
            }
            prop_assert_eq!(arrived, commands);
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut inbox = Inbox::default();
            inbox.push(&bytes);
            while let Ok(Some(_)) = inbox.command() {}
            let mut inbox = Inbox::default();
            inbox.push(&bytes);
            while let Ok(Some(_)) = inbox.notice() {}
        }
    }

    #[test]
    fn notices_arrive_as_they_were_sent() {
        let usage = Usage {
            user: Duration::from_micros(3),
            system: Duration::from_secs(4),
            max_rss_kib: 5,
            disk_read_kib: 6,
            disk_written_kib: 7,
            oom_kills: 8,
        };
        let leaked = vec!["sleep 100".into(), "".into()];
        let entered = Enforcement {
            level: Level::Strict,
            landlock: Some(7),
            cgroup: Some(2),
            enforced: vec![Restriction::Files, Restriction::Umask],
            missing: vec![Gap { restriction: Restriction::Signals, why: "refused".into() }],
        };
        for notice in [
            Notice::Hello(77),
            Notice::Entered(Enforcement { landlock: None, ..entered.clone() }),
            Notice::Entered(entered),
            Notice::NotIsolated,
            Notice::NotStarted(2),
            Notice::Exited(256),
            Notice::MemoryHigh { used: 1 << 40, limit: 3 },
            Notice::Ended(Ended { status: 9, usage, leaked, breach: None, is_crowded: true, left: 9 }),
            Notice::Ended(Ended {
                breach: Some(Breach { resource: Resource::Memory, limit: 5, used: 6 }),
                ..Ended::default()
            }),
        ] {
            let mut bytes = Vec::new();
            notice.encode(&mut bytes).unwrap();
            let mut inbox = Inbox::default();
            inbox.push(&bytes);
            assert_eq!(inbox.notice(), Ok(Some(notice)));
        }
    }

    #[test]
    fn a_frame_beyond_the_bound_is_neither_sent_nor_read() {
        let mut bytes = vec![1, 2, 3];
        let start = |env| Command::Start(env, Limits::NONE);
        let mut least = Vec::new();
        start(Vec::new()).encode(&mut least).unwrap();
        // Besides what it takes without a variable: the frame's own length is not counted, the variable's is.
        let most = MAX_FRAME - (least.len() - 4) - 4 - 1;
        let of = |length: usize| start(vec![CString::new(vec![b'x'; length]).unwrap()]);
        assert_eq!(of(most).encode(&mut Vec::new()), Some(()));
        assert_eq!(of(most + 1).encode(&mut bytes), None);
        assert_eq!(bytes, [1, 2, 3], "nothing of it may be sent");
        let mut inbox = Inbox::default();
        inbox.push(&u32::try_from(MAX_FRAME + 1).unwrap().to_le_bytes());
        assert_eq!(inbox.command(), Err(Garbled));
    }
}
