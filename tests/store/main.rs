//! The store against a real engine: every condition both ways, the races, and what is done about failures.

mod conditions;
mod engine;
mod failures;
mod races;
mod reads;
mod values;
