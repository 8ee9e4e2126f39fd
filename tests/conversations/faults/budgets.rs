//! What every endpoint costs at the table, by its scene without a fault. It is kept in `docs/budgets-endpoints.json`, which
//! `scripts/growth.py` tells; `UPDATE_BUDGETS=1` writes it anew.

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::{StreamExt as _, stream};
use polygate_shared::http::paths;
use polygate_shared::settings::environment;
use serde_json::Value;

#[path = "../../budgets/meter.rs"]
mod meter;

use super::AT_ONCE;
use super::scenes::scene;
use super::stage::{Circumstances, Stage};
use crate::rows::table::{ROWS, Row};
use crate::support::World;
use meter::{Meter, Spent};

/// In a process that has its keys, and has answered nothing yet.
async fn measure(row: &'static Row) -> (String, Spent) {
    let Row { contract, method, path, .. } = row;
    let mut world = World::start().await;
    let play = scene(&mut world, contract, method, path, "").await;
    let function = paths().get(path).and_then(|groups| groups.first().copied());
    let mut stage = Stage::of(world, function.expect("a function with that path")).await;
    let meter = Meter::start(stage.world.server.dynamodb_url()).await;
    stage.reach_by(meter.endpoint());
    let (process, _seam) = stage.process(Circumstances::default()).await;
    meter.read();
    let told = process.answer(&play.request).await;
    let named = format!("{contract} {method} {path}");
    assert!(told.is_fine(), "{named}: {} {}", told.status, told.body);
    (named, meter.read())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_every_endpoint_costs_is_kept() {
    let measured = stream::iter(ROWS).map(measure).buffer_unordered(AT_ONCE);
    let measured: BTreeMap<_, _> = measured.collect().await;
    assert_eq!(measured.len(), ROWS.len(), "two rows of one name");
    let measured = serde_json::to_value(measured).expect("JSON");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/budgets-endpoints.json");
    if environment()("UPDATE_BUDGETS").is_some() {
        let text = serde_json::to_string_pretty(&measured).expect("JSON");
        std::fs::write(&path, format!("{text}\n")).expect("written");
        return;
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("the budgets")).expect("JSON");
    let again = "UPDATE_BUDGETS=1 cargo test --test conversations what_every_endpoint_costs keeps what is measured now";
    assert_eq!(measured, kept, "{again}");
}
