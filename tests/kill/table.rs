//! Whether the table is sound, as `polygate check` finds it.

use std::sync::Arc;

use polygate_shared::aws::client;
use polygate_shared::aws::dynamodb::{Defect, DynamoStore, Inspection};
use polygate_shared::identity::{Clock as _, Finding, SystemChance, SystemClock};

use crate::server::Running;

/// What is wrong with it.
pub(crate) async fn faults(server: &Running) -> Vec<String> {
    let config = client::connect_local(&server.engine).expect("a configuration");
    let store = DynamoStore::new(client::dynamodb(&config), "polygate", Arc::new(SystemChance::default()));
    let inspection = Inspection { repair: false, now: SystemClock.now() };
    let report = inspection.of(&store, &mut |_| {}).await.expect("a report");
    let defects = report.found.into_iter().map(|found| found.defect);
    // Sessions of deleted accounts go with their time. A picture is stored with its account or not at all.
    let harm =
        |defect: &Defect| !defect.is_leftover() || matches!(defect, Defect::Pool(Finding::PictureUnowned { .. }));
    defects.filter(harm).map(|defect| defect.to_string()).collect()
}
