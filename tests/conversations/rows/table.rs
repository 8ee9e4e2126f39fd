//! The rows: which test shows which endpoint. What the routers serve is asked of them, so that neither a route nor a
//! row is without its test.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::events::fits;
use crate::structure::{read, rust_files};
use crate::support::World;

pub(crate) struct Row {
    pub(crate) contract: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// The test that shows it.
    pub(crate) test: &'static str,
}

const fn row(contract: &'static str, method: &'static str, path: &'static str, test: &'static str) -> Row {
    Row { contract, method, path, test }
}

/// A row of that contract.
const fn kite(method: &'static str, path: &'static str, test: &'static str) -> Row {
    row("kite", method, path, test)
}

const fn zeaya(method: &'static str, path: &'static str, test: &'static str) -> Row {
    row("zeaya", method, path, test)
}

const fn sproutgate(method: &'static str, path: &'static str, test: &'static str) -> Row {
    row("sproutgate", method, path, test)
}

const fn mcphub(method: &'static str, path: &'static str, test: &'static str) -> Row {
    row("mcphub", method, path, test)
}

pub(crate) const ROWS: &[Row] = &[
    kite("POST", "/api/v1/auth/login", "kite_post_auth_login"),
    kite("POST", "/api/v1/auth/register", "kite_post_auth_register"),
    kite("POST", "/api/v1/auth/refresh", "kite_post_auth_refresh"),
    kite("POST", "/api/v1/auth/logout", "kite_post_auth_logout"),
    kite("GET", "/api/v1/profile", "kite_get_profile"),
    kite("PUT", "/api/v1/profile", "kite_put_profile"),
    kite("POST", "/api/v1/auth/change-password", "kite_post_auth_change_password"),
    kite("POST", "/api/v1/auth/first-login-reset", "kite_post_auth_first_login_reset"),
    kite("GET", "/api/v1/tokens", "kite_get_tokens"),
    kite("POST", "/api/v1/tokens", "kite_post_tokens"),
    kite("DELETE", "/api/v1/tokens/{id}", "kite_delete_token"),
    kite("POST", "/api/v1/auth/email-change/request", "kite_post_auth_email_change_request"),
    kite("POST", "/api/v1/auth/email-change/confirm", "kite_post_auth_email_change_confirm"),
    kite("GET", "/api/v1/auth/options", "kite_get_auth_options"),
    kite("POST", "/api/v1/auth/password-reset/request", "kite_post_auth_password_reset_request"),
    kite("POST", "/api/v1/auth/password-reset/confirm", "kite_post_auth_password_reset_confirm"),
    kite("GET", "/api/v1/admin/users", "kite_get_admin_users"),
    kite("POST", "/api/v1/admin/users", "kite_post_admin_users"),
    kite("PUT", "/api/v1/admin/users/{id}", "kite_put_admin_user"),
    kite("DELETE", "/api/v1/admin/users/{id}", "kite_delete_admin_user"),
    kite("GET", "/api/v1/health", "kite_get_health"),
    kite("POST", "/api/v1/admin/usage", "added_to_and_set_and_seen_in_every_contract"),
    kite("GET", "/api/v1/admin/users/{id}/usage", "added_to_and_set_and_seen_in_every_contract"),
    kite("GET", "/api/v1/admin/audit", "every_act_leaves_its_event_and_nothing_else_does"),
    kite("GET", "/api/v1/admin/keys", "another_key_takes_over_when_every_verifier_knows_it"),
    kite("POST", "/api/v1/admin/keys/rotate", "another_key_takes_over_when_every_verifier_knows_it"),
    kite("GET", "/api/v1/admin/settings", "registration_closes_and_opens_in_every_contract_at_the_next_request"),
    kite("PUT", "/api/v1/admin/settings", "registration_closes_and_opens_in_every_contract_at_the_next_request"),
    kite("POST", "/api/v1/admin/undeliverable/lift", "an_administrator_lets_mail_go_there_again"),
    kite("POST", "/api/v1/auth/2fa/setup", "set_up_turned_on_asked_for_and_turned_off"),
    kite("POST", "/api/v1/auth/2fa/enable", "set_up_turned_on_asked_for_and_turned_off"),
    kite("POST", "/api/v1/auth/2fa/disable", "set_up_turned_on_asked_for_and_turned_off"),
    kite("POST", "/api/v1/auth/2fa/verify", "set_up_turned_on_asked_for_and_turned_off"),
    kite("POST", "/api/v1/auth/2fa/recovery-codes", "recovery_codes_work_once_each"),
    kite("DELETE", "/api/v1/admin/users/{id}/sessions", "kite_delete_admin_users_sessions"),
    kite("POST", "/api/v1/admin/users/{id}/2fa/reset", "an_administrator_takes_it_away_from_who_lost_it"),
    kite("GET", "/api/v1/audit", "a_person_reads_what_happened_to_the_account"),
    kite("GET", "/api/v1/sessions", "listed_newest_first_and_ended_one_by_one"),
    kite("DELETE", "/api/v1/sessions", "all_others_end_together"),
    kite("DELETE", "/api/v1/sessions/{id}", "listed_newest_first_and_ended_one_by_one"),
    kite("GET", "/api/v1/emails", "added_promoted_and_removed"),
    kite("POST", "/api/v1/emails", "added_promoted_and_removed"),
    kite("POST", "/api/v1/emails/verify", "added_promoted_and_removed"),
    kite("POST", "/api/v1/emails/promote", "added_promoted_and_removed"),
    kite("POST", "/api/v1/emails/remove", "added_promoted_and_removed"),
    zeaya("POST", "/api/auth/register", "zeaya_post_register"),
    zeaya("POST", "/api/auth/login", "zeaya_post_login"),
    zeaya("POST", "/api/auth/logout", "zeaya_post_logout"),
    zeaya("GET", "/api/auth/user", "zeaya_get_user"),
    zeaya("PUT", "/api/auth/profile", "zeaya_put_profile"),
    zeaya("PUT", "/api/auth/password", "zeaya_put_password"),
    zeaya("POST", "/api/auth/avatar", "zeaya_post_avatar"),
    zeaya("GET", "/storage/avatars/{file}", "zeaya_get_storage_avatar"),
    sproutgate("POST", "/api/auth/login", "sproutgate_post_login"),
    sproutgate("POST", "/api/auth/verify", "sproutgate_post_verify"),
    sproutgate("GET", "/api/auth/verify", "sproutgate_get_verify"),
    sproutgate("GET", "/api/auth/me", "sproutgate_get_me"),
    sproutgate("PUT", "/api/auth/profile", "sproutgate_put_profile"),
    sproutgate("POST", "/api/auth/register", "sproutgate_post_register"),
    sproutgate("POST", "/api/auth/verify-email", "sproutgate_post_verify_email"),
    sproutgate("POST", "/api/auth/forgot-password", "sproutgate_post_forgot_password"),
    sproutgate("POST", "/api/auth/reset-password", "sproutgate_post_reset_password"),
    sproutgate("POST", "/api/auth/secondary-email/request", "sproutgate_post_secondary_email_request"),
    sproutgate("POST", "/api/auth/secondary-email/verify", "sproutgate_post_secondary_email_verify"),
    sproutgate("GET", "/api/admin/users", "sproutgate_get_admin_users"),
    sproutgate("POST", "/api/admin/users", "sproutgate_post_admin_users"),
    sproutgate("PUT", "/api/admin/users/{account}", "sproutgate_put_admin_user"),
    sproutgate("DELETE", "/api/admin/users/{account}", "sproutgate_delete_admin_user"),
    mcphub("POST", "/api/auth/login", "mcphub_post_login"),
    mcphub("POST", "/api/auth/register", "mcphub_post_register"),
    mcphub("GET", "/api/auth/user", "mcphub_get_user"),
    mcphub("POST", "/api/auth/change-password", "mcphub_post_change_password"),
];

/// Paths that every contract serves under its mount, since a picture's address carries it.
const COMMON: [&str; 1] = ["/storage/avatars/{file}"];

/// What the routers serve, as they tell it of a method that none of them has.
async fn served() -> BTreeSet<(String, String, String)> {
    let mut world = World::start().await;
    let mut served = BTreeSet::new();
    for path in polygate_shared::http::paths().keys() {
        let asked = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>();
        for contract in ["kite", "zeaya", "sproutgate", "mcphub"] {
            let answer = world.ask(Method::TRACE, &format!("/{contract}{}", asked.join("/"))).quietly().await;
            if answer.status == StatusCode::NOT_FOUND {
                continue;
            }
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{contract} {path}: {}", answer.body);
            let allowed = answer.headers["allow"].to_str().expect("methods").to_owned();
            for method in allowed.split(',').filter(|method| *method != "HEAD") {
                served.insert((contract.to_owned(), (*path).to_owned(), method.to_owned()));
            }
        }
    }
    served
}

#[tokio::test]
async fn every_route_has_a_row_and_every_row_a_route() {
    let rows: BTreeSet<_> =
        ROWS.iter().map(|row| (row.contract.to_owned(), row.path.to_owned(), row.method.to_owned())).collect();
    assert_eq!(rows.len(), ROWS.len(), "a row stands twice");
    let mut served = served().await;
    served.retain(|(contract, path, _)| contract == "zeaya" || !COMMON.contains(&path.as_str()));
    let without_test: Vec<_> = served.difference(&rows).collect();
    let without_route: Vec<_> = rows.difference(&served).collect();
    assert!(
        without_test.is_empty() && without_route.is_empty(),
        "no test: {without_test:#?}, no route: {without_route:#?}"
    );
}

#[test]
fn every_row_names_a_test() {
    let tests: String = rust_files("tests/conversations").iter().map(|file| read(file)).collect();
    for row in ROWS {
        let name = format!("#[tokio::test]\nasync fn {}()", row.test);
        assert!(tests.contains(&name), "{} {} {}: no test is called {}", row.contract, row.method, row.path, row.test);
    }
}

/// Every answer in the snapshots of a folder: method, path and status.
fn shown(folder: &str) -> Vec<(String, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversations").join(folder).join("snapshots");
    let mut shown = Vec::new();
    for file in std::fs::read_dir(folder).expect("snapshots") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("a snapshot");
        for block in text.split("▶ ").skip(1) {
            let Some((asked, answered)) = block.split_once("\n◀ ") else { continue };
            let Some((method, path)) = asked.lines().next().and_then(|line| line.split_once(' ')) else { continue };
            let path = path.split('?').next().expect("a path");
            shown.push((method.to_owned(), path.to_owned(), answered[..3].to_owned()));
        }
    }
    shown
}

#[test]
fn every_status_that_the_contracts_description_has_is_shown() {
    let beside = shown("rows");
    // What is beyond the documents is told by conversations about it, which may leave the mount out.
    let anywhere: Vec<_> = ["", "admin", "mailing", "rows"].into_iter().flat_map(shown).collect();
    for row in ROWS.iter().filter(|row| !COMMON.contains(&row.path)) {
        let own = row.test.starts_with(row.contract);
        let shown = if own { &beside } else { &anywhere };
        let described: Value =
            serde_json::from_str(&read(&format!("docs/openapi/{}.json", row.contract))).expect("JSON");
        let paths = described["paths"].as_object().expect("paths");
        let (_, methods) = paths.iter().find(|(path, _)| path.ends_with(row.path)).expect("the path");
        let answers = methods[row.method.to_lowercase()]["responses"].as_object().expect("answers");
        let route = format!("/{}{}", row.contract, row.path);
        // Accidents can befall every request: the outcomes' tests show them.
        for status in answers.keys().filter(|status| !status.starts_with('5')) {
            let is_it = |(method, path, told): &&(String, String, String)| {
                method == row.method && told == status && (fits(&route, path) || (!own && fits(row.path, path)))
            };
            assert!(shown.iter().any(|one| is_it(&one)), "{} {route}: {status} is nowhere shown", row.method);
        }
    }
}
