//! Polygate's development server: the whole service behind one port, with its store and its mails; and beside it the
//! commands by which an operator looks after a pool, the server's own or a deployed one.
//!
//! `cargo run` starts it for a person; tests start as many as they like, each with [`Server::start`].

mod api;
mod cli;
mod command;
mod connections;
mod engine;
mod error;
mod folder;
mod guide;
mod lambda_env;
mod load;
mod mail_page;
mod mailbox;
mod operator;
mod options;
mod pages;
mod server;
mod ses;
mod text;
mod web;

pub use command::Arguments;
pub use error::StartError;
pub use mailbox::LocalMail;
pub use operator::run;
pub use options::{Bounds, DataDir, Options, SETTINGS};
pub use server::Server;
