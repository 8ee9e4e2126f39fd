//! The only code that talks to AWS: the table behind the core's store, the mail service behind its mailer, and
//! the way in from Lambda.

pub mod bounces;
pub mod client;
pub mod dynamodb;
pub mod events;
pub mod fetch;
pub mod lambda;
mod meter;
pub mod secrets;
pub mod ses;
