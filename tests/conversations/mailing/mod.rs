//! Mailed codes while the mail service fails, is slow or throttles: the documented answer, one code in play, nobody stuck.

mod faults;
mod limits;
mod log;
mod repeats;
pub(crate) mod service;
