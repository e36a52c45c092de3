//! A measurement that could not be made says so.

use std::process::Command;

/// Those that start the program; `depth` uses the store alone.
const OF_THE_PROGRAM: [&str; 5] = ["carrying", "intake", "latency", "deaths", "idling"];

#[test]
fn a_program_that_does_nothing_has_no_numbers() {
    let dir = tempfile::tempdir().unwrap();
    for name in OF_THE_PROGRAM {
        let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
        bench.args([name, "--quick", "--program", "/bin/true", "--dir"]).arg(dir.path());
        let said = bench.output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        assert!(!said.status.success() && err.starts_with(name), "{name}: {said:?}");
        assert!(!out.contains("| P"), "{name}: {out}");
    }
}
