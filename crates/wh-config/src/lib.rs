//! A configuration file, read whole, with every mistake told at once.
//!
//! [`load`] reads YAML or JSON into a tree whose every value knows its place, fills in `${NAME}`, lets the
//! environment override keys, holds the result against one table of keys, and builds domain values.

mod assemble;
mod build;
mod check;
mod config;
mod decimal;
mod duration;
mod hidden;
mod json;
mod load;
mod metadata;
mod overrides;
mod problem;
mod reference;
mod render;
mod report;
mod scalar;
mod schema;
mod secret;
mod show;
mod show_json;
mod signal;
mod size;
mod source;
mod substitute;
mod suggest;
mod table;
mod tree;
mod unknown;
mod value;
mod yaml;

pub use config::{Config, HostConfig, LogConfig, LogLevel, QueueConfig, Retention, StoreUrl};
pub use duration::{BadDuration, LONGEST, format_duration, parse_duration};
pub use load::{Loaded, MOST_BYTES, load, locate, parse};
pub use overrides::{STORE_OPTION, check_variables};
pub use problem::{Place, Problem, ProblemOrigin, Problems, Severity};
pub use reference::reference_markdown;
pub use schema::json_schema;
pub use show::show;
pub use show_json::show_json;
pub use size::{BadSize, format_size, parse_size};
