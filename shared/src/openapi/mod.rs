//! OpenAPI 3.1 documents of the contracts, made from the very types that their handlers take and give.
//!
//! The listing of an endpoint (see [`Listing`](crate::http::Listing)) names its handler; the types of the handler's
//! parameters ([`Input`]) and of its answer ([`Output`]) say the rest. Nothing of this is linked into a function:
//! a router reads the same listing without looking at it.

mod description;
mod document;
mod inputs;
mod operation;

pub(crate) use description::Description;
pub(crate) use document::shape_of;
pub use document::{documents, text_of};
pub(crate) use operation::{Operation, Scheme};

use schemars::SchemaGenerator;

/// A parameter of a handler: what it takes from a request, and what it refuses.
pub trait Input {
    /// Writes that down.
    fn describe(operation: &mut Operation, schemas: &mut SchemaGenerator);
}

/// What a handler answers with.
pub trait Output {
    /// Writes down the statuses and shapes.
    fn describe(operation: &mut Operation, schemas: &mut SchemaGenerator);
}

/// The parameters of a handler together.
pub trait Inputs {
    /// Writes down each.
    fn describe(operation: &mut Operation, schemas: &mut SchemaGenerator);
}

impl Inputs for () {
    fn describe(_: &mut Operation, _: &mut SchemaGenerator) {}
}

macro_rules! tuples {
    ($(($($input:ident),*),)*) => {$(
        impl<$($input: Input),*> Inputs for ($($input,)*) {
            fn describe(operation: &mut Operation, schemas: &mut SchemaGenerator) {
                $($input::describe(operation, schemas);)*
            }
        }
    )*};
}

tuples! {
    (A),
    (A, B),
    (A, B, C),
    (A, B, C, D),
    (A, B, C, D, E),
    (A, B, C, D, E, F),
    (A, B, C, D, E, F, G),
}
