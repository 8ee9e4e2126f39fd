//! Administrators and others in the same instant.

use polygate_shared::identity::{ClaimKind, Role};
use reqwest::Method;
use serde_json::{Value, json};

use super::create;
use crate::support::World;

#[tokio::test]
async fn of_two_administrators_who_remove_each_other_24_times_one_stays() {
    type Removal = fn(&str, &str) -> (Method, String, Value);
    let removals: [Removal; 4] = [
        |id, _| (Method::PUT, format!("/api/v1/admin/users/{id}"), json!({"role": "user"})),
        |id, _| (Method::PUT, format!("/api/v1/admin/users/{id}"), json!({"is_active": false})),
        |id, _| (Method::DELETE, format!("/api/v1/admin/users/{id}"), json!({})),
        |_, name| (Method::DELETE, format!("/sproutgate/api/admin/users/{name}"), json!({})),
    ];
    for (nth, removal) in removals.into_iter().enumerate() {
        let mut world = World::start().await;
        let boss = world.boss().await;
        let deputy_id = create(&mut world, &boss, "deputy", "admin").await;
        let deputy = world.sign_in("deputy", "secret123").await;
        let boss_id = world.get("/api/v1/profile").bearer(&boss).quietly().await.text("/data/id");
        let asked = (0..24).map(|nth| {
            let (by, id, name) = if nth % 2 == 0 { (&boss, &deputy_id, "deputy") } else { (&deputy, &boss_id, "boss") };
            let (method, path, body) = removal(id, name);
            (method, path, by.clone(), body)
        });
        let answers = world.all_at_once_by(asked.collect()).await;
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        // 401: the session ended with the role; 403: it is none any more; 404: it is gone.
        assert!(statuses.iter().all(|status| [200, 401, 403, 404, 409].contains(status)), "{nth}: {statuses:?}");
        assert!(statuses.contains(&200), "{nth}: {statuses:?}");
        let accounts = world.server.store().list_accounts(0, 10).await.expect("a list");
        let left = accounts.iter().filter(|account| account.active && account.role == Role::Admin).count();
        assert_eq!(left, 1, "{nth}: {statuses:?}");
        world.is_sound().await;
    }
}

#[tokio::test]
async fn of_24_accounts_of_one_name_made_at_once_one_is_made() {
    let world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    let asked = (0..24).map(|nth| {
        let name = if nth % 2 == 0 { "Winner" } else { "wINNER" };
        let body = json!({"account": name, "password": "demo123", "email": format!("user{nth}@example.com")});
        (Method::POST, "/sproutgate/api/admin/users".to_owned(), token.clone(), body)
    });
    let answers = world.all_at_once_by(asked.collect()).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 23));
    assert!(lost.iter().all(|answer| answer.status == 409), "{lost:?}");
    assert_eq!(world.server.store().count_accounts().await.expect("a count"), 2);
    world.is_sound().await;
}

#[tokio::test]
async fn of_24_accounts_that_want_one_further_address_one_gets_it() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    for nth in 0..6 {
        world.register(&format!("user{nth}"), "demo123").await;
    }
    let asked = (0..24).map(|nth| {
        let body = json!({"secondaryEmails": ["shared@example.com"]});
        (Method::PUT, format!("/sproutgate/api/admin/users/user{}", nth % 6), token.clone(), body)
    });
    let answers = world.all_at_once_by(asked.collect()).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    // The same account may ask again for what it has.
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    let accounts = world.server.store().list_accounts(0, 10).await.expect("a list");
    assert_eq!(accounts.iter().filter(|account| !account.secondary_emails.is_empty()).count(), 1);
    world.is_sound().await;
}

#[tokio::test]
async fn an_account_is_deleted_once_however_many_ask() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    world.register("alice", "secret123").await;
    let path = "/sproutgate/api/admin/users/alice".to_owned();
    let asked = vec![(Method::DELETE, path, token, json!({})); 24];
    let answers = world.all_at_once_by(asked).await;
    let (done, gone): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((done.len(), gone.len()), (1, 23));
    assert!(gone.iter().all(|answer| answer.status == 404), "{gone:?}");
    assert_eq!(world.server.store().count_accounts().await.expect("a count"), 1);
    world.is_sound().await;
}

#[tokio::test]
async fn who_signs_in_while_being_deleted_holds_nothing() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    world.register("alice", "secret123").await;
    let login = json!({"username": "alice", "password": "secret123"});
    let mut asked = vec![(Method::POST, "/api/v1/auth/login".to_owned(), String::new(), login.clone()); 12];
    asked.insert(6, (Method::DELETE, "/sproutgate/api/admin/users/alice".to_owned(), token, json!({})));
    let answers = world.all_at_once_by(asked).await;
    assert_eq!(answers[6].status, 200, "{}", answers[6].body);
    world.post("/api/v1/auth/login", login).quietly().await.is(401, 40100);
    world.register("alice", "secret123").await;
    for answer in answers.iter().filter(|answer| answer.json()["data"]["access_token"].is_string()) {
        world.get("/api/v1/profile").bearer(&answer.text("/data/access_token")).quietly().await.is(401, 40102);
        let refresh = json!({"refresh_token": answer.text("/data/refresh_token")});
        world.post("/api/v1/auth/refresh", refresh).quietly().await.is(401, 40102);
    }
    world.is_sound().await;
}

#[tokio::test]
async fn a_change_does_not_bring_back_what_is_deleted() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    world.register("alice", "secret123").await;
    let path = "/sproutgate/api/admin/users/alice".to_owned();
    let change = |nth| json!({"level": nth, "secondaryEmails": [format!("alice{nth}@example.com")]});
    let mut asked: Vec<_> = (0..8).map(|nth| (Method::PUT, path.clone(), token.clone(), change(nth))).collect();
    asked.insert(4, (Method::DELETE, path.clone(), token, json!({})));
    let answers = world.all_at_once_by(asked).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    // 503: too many changed it in the same instant, among them the deletion.
    assert!(statuses.iter().all(|status| [200, 404, 503].contains(status)), "{statuses:?}");
    if statuses[4] == 503 {
        return;
    }
    assert_eq!(world.server.store().count_accounts().await.expect("a count"), 1);
    let mut keys: Vec<_> = (0..8).map(|nth| (ClaimKind::Email, format!("alice{nth}@example.com"))).collect();
    keys.extend([(ClaimKind::Name, "alice".to_owned()), (ClaimKind::Email, "alice@example.com".to_owned())]);
    assert_eq!(world.server.store().claims(&keys).await.expect("claims"), [], "nothing is left behind");
    world.is_sound().await;
}
