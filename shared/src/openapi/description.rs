//! The second reading of a listing of endpoints: what there is to say of each.

use axum::handler::Handler;
use schemars::SchemaGenerator;

use super::{Inputs, Operation, Output};
use crate::http::{About, App, Handles, Listing, Verb};

/// A listed endpoint.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) verb: Verb,
    pub(super) path: &'static str,
    pub(super) about: About,
    inputs: fn(&mut Operation, &mut SchemaGenerator),
    output: fn(&mut Operation, &mut SchemaGenerator),
}

impl Listed {
    /// What is known of it.
    pub(super) fn operation(&self, schemas: &mut SchemaGenerator) -> Operation {
        let mut operation = Operation::default();
        (self.inputs)(&mut operation, schemas);
        (self.output)(&mut operation, schemas);
        operation
    }
}

/// Endpoints as they are described.
#[derive(Debug, Default)]
pub(crate) struct Description(pub(super) Vec<Listed>);

impl Listing for Description {
    fn new() -> Self {
        Self::default()
    }

    fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    fn on<H, T, I, O>(mut self, verb: Verb, path: &'static str, _: H, about: About) -> Self
    where
        H: Handler<T, App> + Handles<I, O>,
        T: 'static,
        I: Inputs,
        O: Output,
    {
        self.0.push(Listed { verb, path, about, inputs: I::describe, output: O::describe });
        self
    }
}
