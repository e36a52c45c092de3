//! The numbers that writing needs, from the options.

use crate::options::Options;
use wh_domain::lease::LeasePolicy;
use wh_domain::priority::Ageing;

/// What the options say about writing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) max_pending: u64,
    pub(crate) ageing: Ageing,
    pub(crate) lease: LeasePolicy,
    pub(crate) inline_params: u64,
    pub(crate) inline_result: u64,
}

impl From<&Options> for Policy {
    fn from(options: &Options) -> Self {
        Self {
            max_pending: options.max_pending,
            ageing: options.ageing,
            lease: options.lease,
            inline_params: options.inline_params,
            inline_result: options.inline_result,
        }
    }
}
