//! Between the wire and the contracts: which contract, routing, a request's circumstances, bodies and refusals.

mod answer;
mod body;
mod checks;
mod context;
mod contract;
mod cors;
pub(crate) mod credentials;
mod failure;
mod front;
mod listing;
mod query;
mod routes;
mod segment;
mod upload;

pub use answer::Answer;
pub use body::{Field, Json, MOST_JSON, Nullable, Required};
pub use checks::Checks;
pub use checks::is_web_address;
pub(crate) use context::query_value;
pub use context::{Arrival, Context};
pub use contract::{Contract, HostMap, Place, choose};
pub use failure::{Failure, Render};
pub(crate) use failure::{axum_json, in_own_words};
pub use front::{App, Front, take_in_body};
pub(crate) use listing::about;
pub use listing::{About, Handles, Listing, Verb};
pub use query::Query;
pub use routes::{Endpoints, Group, Routes};
pub(crate) use segment::Segment;
pub use upload::Upload;

use std::collections::BTreeMap;

/// Every path of every contract (without mounts) and the group that serves it. A path belongs to one group,
/// whichever contract it is asked in, since the gateway routes by path alone.
pub fn paths() -> BTreeMap<&'static str, Vec<Group>> {
    let mut all = BTreeMap::<_, Vec<Group>>::new();
    for Endpoints { group, of, service } in Endpoints::ALL {
        let contracts = Contract::ALL.into_iter().map(of);
        for path in contracts.chain([service()]).flat_map(|routes| routes.paths) {
            let groups = all.entry(path).or_default();
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
    }
    all
}
