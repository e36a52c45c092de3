//! The host's log, as the configuration wants it.

use super::screen::Screen;
use crate::failure::Failure;
use crate::terminal::Terminal;
use std::io;
use wh_config::{LogConfig, LogLevel};
use wh_telemetry::{Format, Level, LogFile, LogObserver, LogOptions, LogStream, QUEUE, Rotation};

/// Opens the log and starts its writer. Above a screen it says a level less: what goes well is to be seen there.
pub(super) fn start(
    config: &LogConfig,
    terminal: &Terminal,
    screen: Option<&Screen>,
) -> Result<LogObserver, Failure> {
    let format = if config.structured { Format::Json } else { Format::Text };
    let rotation = Rotation { max_bytes: config.max_bytes, backups: config.backup_count };
    let verbosity = terminal.verbosity();
    let file = |path| LogFile { path, format, rotation, level: level(config.level, verbosity) };
    let stream = match screen {
        Some(screen) => {
            LogStream { to: screen.above(), format, level: level(config.level, verbosity.saturating_sub(1)) }
        }
        None => LogStream { to: Box::new(io::stderr()), format, level: level(config.level, verbosity) },
    };
    let options = LogOptions {
        worker_lines: config.capture_worker_output,
        file: config.file.clone().map(file),
        stream: Some(stream),
        queue: QUEUE,
    };
    LogObserver::start(options).map_err(|error| Failure::of_io("open the log", &error))
}

/// The configured level, moved by `-v` and `-q`.
fn level(configured: LogLevel, verbosity: i16) -> Level {
    const LEVELS: [Level; 5] = [Level::Error, Level::Warning, Level::Info, Level::Debug, Level::Trace];
    let place = match configured {
        LogLevel::Error => 0,
        LogLevel::Warning => 1,
        LogLevel::Info => 2,
        LogLevel::Debug => 3,
        LogLevel::Trace => 4,
    };
    let moved = usize::try_from((place + verbosity).clamp(0, 4)).unwrap_or(0);
    LEVELS.get(moved).copied().unwrap_or(Level::Info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v_and_q_move_the_level_and_stay_within_it() {
        assert_eq!(level(LogLevel::Info, 0), Level::Info);
        assert_eq!(level(LogLevel::Info, 1), Level::Debug);
        assert_eq!(level(LogLevel::Info, 9), Level::Trace);
        assert_eq!(level(LogLevel::Warning, -5), Level::Error);
    }
}
