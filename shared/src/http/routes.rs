//! The routes of one endpoint group in one contract, remembered as they are added so that the deployment's
//! routes can be compared with them.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};

use super::{About, App, Contract, Handles, Listing, Verb};
use crate::contracts;
use crate::openapi::{Inputs, Output};

/// Endpoint groups: each is a function of its own, with its own memory, throttle and permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Sign in and out.
    Login,
    /// Register, verify e-mail, forgot and reset password: everything public that sends mail.
    Register,
    /// Refresh, verify a token, published keys and pictures: what others call often.
    Refresh,
    /// Everything a signed-in person does to their own account.
    Profile,
    /// The administrator's side.
    Admin,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Login, Self::Register, Self::Refresh, Self::Profile, Self::Admin];

    /// The name of its function.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Register => "register",
            Self::Refresh => "refresh",
            Self::Profile => "profile",
            Self::Admin => "admin",
        }
    }

    /// What its endpoints are for.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Login => "Sign in and out",
            Self::Register => "Register, prove an address, recover a password",
            Self::Refresh => "Refresh, verify a token, published keys, pictures",
            Self::Profile => "What a signed-in person does to their own account",
            Self::Admin => "The administrator's side",
        }
    }
}

/// The routes of one group. A value for each group instead of one function over all of them, so that a function that
/// serves one group links no other's handlers.
#[derive(Debug, Clone, Copy)]
pub struct Endpoints {
    /// Which group.
    pub group: Group,
    pub(super) of: fn(Contract) -> Routes,
    pub(super) service: fn() -> Routes,
}

impl Endpoints {
    /// [`Group::Login`]'s.
    pub const LOGIN: Self = Self { group: Group::Login, of: contracts::login, service: Routes::new };
    /// [`Group::Register`]'s.
    pub const REGISTER: Self = Self { group: Group::Register, of: contracts::register, service: Routes::new };
    /// [`Group::Refresh`]'s, and what belongs to the service as a whole.
    pub const REFRESH: Self = Self { group: Group::Refresh, of: contracts::refresh, service: contracts::service };
    /// [`Group::Profile`]'s.
    pub const PROFILE: Self = Self { group: Group::Profile, of: contracts::profile, service: Routes::new };
    /// [`Group::Admin`]'s.
    pub const ADMIN: Self = Self { group: Group::Admin, of: contracts::admin, service: Routes::new };
    /// All of them.
    pub const ALL: [Self; 5] = [Self::LOGIN, Self::REGISTER, Self::REFRESH, Self::PROFILE, Self::ADMIN];

    /// A group's.
    pub fn of_group(group: Group) -> Self {
        match group {
            Group::Login => Self::LOGIN,
            Group::Register => Self::REGISTER,
            Group::Refresh => Self::REFRESH,
            Group::Profile => Self::PROFILE,
            Group::Admin => Self::ADMIN,
        }
    }
}

/// Routes and their paths.
#[derive(Debug, Default)]
pub struct Routes {
    pub(super) router: Router<App>,
    pub(super) paths: Vec<&'static str>,
}

impl Listing for Routes {
    fn new() -> Self {
        Self::default()
    }

    fn and(mut self, others: Self) -> Self {
        self.paths.extend(others.paths);
        Self { router: self.router.merge(others.router), paths: self.paths }
    }

    fn on<H, T, I, O>(mut self, verb: Verb, path: &'static str, handler: H, _: About) -> Self
    where
        H: Handler<T, App> + Handles<I, O>,
        T: 'static,
        I: Inputs,
        O: Output,
    {
        let filter = match verb {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
            Verb::Put => MethodFilter::PUT,
            Verb::Delete => MethodFilter::DELETE,
        };
        self.paths.push(path);
        Self { router: self.router.route(path, on(filter, handler)), paths: self.paths }
    }
}
