//! Conversations over HTTP with the whole service on the real store engine, one module per contract and one per
//! thing that crosses them. Answers are kept whole, as snapshots.

mod admin;
mod avatars;
mod closed;
mod crossing;
mod events;
mod kite;
mod mcphub;
mod races;
mod refusals;
mod restart;
mod sproutgate;
mod structure;
mod support;
mod zeaya;
