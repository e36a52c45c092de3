//! Measures the built program against the limits of the machine: `cargo xtask bench`.

mod clock;
mod fill;
mod ground;
mod machine;
mod measures;
mod place;
mod quiet;
mod raw;
mod report;
mod stamps;
mod stats;
mod store;
mod trouble;
mod usage;
mod wal;
mod wish;
mod worker;

use ground::Ground;
use machine::Machine;
use quiet::Quiet;
use std::io::Write;
use std::process::ExitCode;
use trouble::Trouble;
use wish::{Format, Wish};

fn main() -> ExitCode {
    let began = clock::now();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [word, act, stamps] if word == worker::WORKER => {
            worker::play(act, stamps, began).map_err(Trouble::from)
        }
        [word, database] if word == raw::COMMITTER => raw::commit_lines(database.as_ref()),
        arguments => Wish::read(arguments)
            .map_err(Trouble::from)
            .and_then(|wish| wish.map_or_else(help, |wish| measure(&wish))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing more can be said where standard error itself is gone.
            writeln!(std::io::stderr(), "{error}").ok();
            ExitCode::FAILURE
        }
    }
}

fn help() -> Result<(), Trouble> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", wish::HELP)?;
    for measure in measures::ALL {
        writeln!(out, "  {:<10} {}", measure.name, measure.what)?;
    }
    Ok(())
}

fn measure(wish: &Wish) -> Result<(), Trouble> {
    std::fs::create_dir_all(&wish.dir)?;
    let dir = tempfile::TempDir::with_prefix_in("bench-", &wish.dir)?;
    let ground = Ground {
        program: std::fs::canonicalize(&wish.program)?,
        own: std::env::current_exe()?,
        dir: dir.path().canonicalize()?,
        scale: wish.scale,
        quiet: Quiet::new(wish.patience),
    };
    // Whatever a killed host leaves comes here, so that its use is counted among ours.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let mut out = std::io::stdout().lock();
    if wish.format == Format::Table {
        writeln!(out, "{}\n{}", Machine::look(&ground.dir, &ground.program)?, report::HEAD)?;
    }
    for measure in &wish.measures {
        let rows = (measure.run)(&ground).map_err(|error| format!("{}: {error}", measure.name))?;
        reap()?;
        let others = ground.quiet.worst();
        for row in rows {
            let row = row.others(others);
            match wish.format {
                Format::Table => writeln!(out, "{row}")?,
                Format::Json => writeln!(out, "{}", row.json())?,
            }
        }
        out.flush()?;
    }
    Ok(())
}

/// Waits for processes that were left behind.
fn reap() -> Result<(), Trouble> {
    use rustix::io::Errno;
    use rustix::process::{WaitOptions, wait};
    loop {
        match wait(WaitOptions::empty()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::CHILD) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
