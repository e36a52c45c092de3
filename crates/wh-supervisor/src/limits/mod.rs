//! What keeps a worker's tree from using up the machine.
//!
//! `groups` makes control groups where this user may, `joined` speaks with those; `keeper` has them hold what they can,
//! measures the rest, and says what was reached. A guardian lives in the groups of its stream, so that whatever it starts is in them from birth: to put
//! each worker into them by itself costs milliseconds on an idle machine. What its files take is measured by the host (`workspace::space`).

mod groups;
mod joined;
pub(crate) mod keeper;
mod measure;
