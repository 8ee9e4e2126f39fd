//! Endpoints, listed once and read twice: into the router that serves them, and into the document that describes them.

use std::future::Future;

use axum::handler::Handler;

use super::App;
use crate::identity::Error;
use crate::openapi::{Inputs, Output};

/// A method that endpoints have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `GET`, and `HEAD` along with it.
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

/// What is said of an endpoint that its handler's types don't say.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// One line on what it does.
    pub summary: &'static str,
    /// The core's refusals that are this endpoint's own; those of its parameters are known from their types.
    pub refusals: fn() -> Vec<Error>,
    /// Whether the contract's document has it, or it was added to the native contract.
    pub documented: bool,
}

impl About {
    /// The same, with refusals.
    #[must_use]
    pub fn or(self, refusals: fn() -> Vec<Error>) -> Self {
        Self { refusals, ..self }
    }

    /// The same, of an endpoint that no document has.
    #[must_use]
    pub fn beyond_the_document(self) -> Self {
        Self { documented: false, ..self }
    }
}

/// Says what an endpoint does.
pub(crate) fn about(summary: &'static str) -> About {
    About { summary, refusals: Vec::new, documented: true }
}

/// A list of endpoints. A path may be listed once for each of its methods.
pub trait Listing: Sized {
    /// None yet.
    fn new() -> Self;

    /// These and those.
    #[must_use]
    fn and(self, others: Self) -> Self;

    /// Adds an endpoint: its path without a mount, and the handler for this method.
    #[must_use]
    fn on<H, T, I, O>(self, verb: Verb, path: &'static str, handler: H, about: About) -> Self
    where
        H: Handler<T, App> + Handles<I, O>,
        T: 'static,
        I: Inputs,
        O: Output;

    /// Adds a `GET`.
    #[must_use]
    fn get<H, T, I, O>(self, path: &'static str, handler: H, about: About) -> Self
    where
        H: Handler<T, App> + Handles<I, O>,
        T: 'static,
        I: Inputs,
        O: Output,
    {
        self.on(Verb::Get, path, handler, about)
    }

    /// Adds a `POST`.
    #[must_use]
    fn post<H, T, I, O>(self, path: &'static str, handler: H, about: About) -> Self
    where
        H: Handler<T, App> + Handles<I, O>,
        T: 'static,
        I: Inputs,
        O: Output,
    {
        self.on(Verb::Post, path, handler, about)
    }

    /// Adds a `PUT`.
    #[must_use]
    fn put<H, T, I, O>(self, path: &'static str, handler: H, about: About) -> Self
    where
        H: Handler<T, App> + Handles<I, O>,
        T: 'static,
        I: Inputs,
        O: Output,
    {
        self.on(Verb::Put, path, handler, about)
    }

    /// Adds a `DELETE`.
    #[must_use]
    fn delete<H, T, I, O>(self, path: &'static str, handler: H, about: About) -> Self
    where
        H: Handler<T, App> + Handles<I, O>,
        T: 'static,
        I: Inputs,
        O: Output,
    {
        self.on(Verb::Delete, path, handler, about)
    }
}

/// A function from parameters of the types `I` to an answer of the type `O`, which is what the document is made from.
pub trait Handles<I, O> {}

macro_rules! handlers {
    ($(($($input:ident),*),)*) => {$(
        impl<F, R, O, $($input),*> Handles<($($input,)*), O> for F
        where
            F: Fn($($input),*) -> R,
            R: Future<Output = O>,
        {
        }
    )*};
}

handlers! {
    (),
    (A),
    (A, B),
    (A, B, C),
    (A, B, C, D),
    (A, B, C, D, E),
    (A, B, C, D, E, G),
    (A, B, C, D, E, G, H),
}
