//! Polygate's common crate: one pool of accounts behind four wire contracts.
//!
//! [`identity`] is the core and knows nothing of the rest; `contracts` map wire formats onto it, [`http`] gets
//! requests to them, and [`aws`] is the only code that talks to AWS.

pub mod aws;
mod contracts;
pub mod http;
pub mod identity;
pub mod log;
pub mod mail_templates;
mod messages;
pub mod openapi;
pub mod settings;
