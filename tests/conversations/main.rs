//! Conversations over HTTP with the whole service on the real store engine, one module per contract and one per
//! thing that crosses them. Answers are kept whole, as snapshots.

mod addresses;
mod admin;
mod api_tokens;
mod avatars;
mod bounces;
mod contract_pages;
mod contracts;
mod crossing;
mod documents;
mod edges;
mod email_change;
mod emails;
mod events;
mod keys;
mod kite;
mod mailing;
mod mcphub;
mod openapi;
mod password_policy;
mod people;
mod races;
mod redaction;
mod refusals;
mod restart;
mod round_trips;
mod rows;
mod second_factor;
mod sessions;
mod sign_in_limits;
mod source_limits;
mod sproutgate;
mod structure;
mod support;
mod words;
mod zeaya;
