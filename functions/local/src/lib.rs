//! Polygate's development server: the whole service behind one port, with its store and its mails.
//!
//! `cargo run` starts it for a person; tests start as many as they like, each with [`Server::start`].

mod api;
mod cli;
mod engine;
mod error;
mod folder;
mod guide;
mod lambda_env;
mod mail_page;
mod mailbox;
mod options;
mod pages;
mod server;
mod ses;
mod text;
mod web;

pub use cli::{Arguments, start_log, stop_signal};
pub use error::StartError;
pub use mailbox::LocalMail;
pub use options::{DataDir, Options, SETTINGS};
pub use server::Server;
