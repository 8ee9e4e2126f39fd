//! The store against a real engine: every condition both ways, the races, and what is done about failures.

mod api_tokens;
mod attempts;
mod conditions;
mod engine;
mod events;
mod failures;
mod inspection;
mod mail_marks;
mod mails;
mod races;
mod reads;
mod search;
mod sessions;
mod usage;
mod values;
