//! Scenes of administrators: kite's and sproutgate's accounts, keys, settings and trails.

use polygate_shared::identity::ClaimKind;
use serde_json::json;

use super::proof::{Holds, Proof};
use super::scenes::{NEW_PASSWORD, PASSWORD, Play, alice, delete, get, post, put};
use crate::support::World;

async fn id_of(world: &World, name: &str) -> String {
    let claims = world.server.store().claims(&[(ClaimKind::Name, name.to_owned())]).await.expect("a claim");
    claims[0].account.to_string()
}

pub(super) async fn kite(world: &mut World, act: &str) -> Option<Play> {
    let person = alice(world).await;
    let boss = world.boss().await;
    let api = |path: &str| format!("/kite/api/v1/admin{path}");
    let alice = format!("/users/{}", id_of(world, "alice").await);
    Some(match act {
        "GET /api/v1/admin/users" => Play::of(get(api("/users?keyword=al")).bearer(&boss)),
        "POST /api/v1/admin/users" => {
            let body = json!({"username": "made", "nickname": "", "email": "made@example.com",
                "password": NEW_PASSWORD, "role": "admin", "storage_limit": 1024, "is_active": true});
            Play::of(post(api("/users"), body).bearer(&boss)).or_done(&[409]).lets_in("made", NEW_PASSWORD)
        }
        "PUT /api/v1/admin/users/{id}" => {
            let body = json!({"username": "alicia", "role": "admin", "email": "other@example.com", "is_active": true,
                "password": NEW_PASSWORD});
            Play::of(put(api(&alice), body).bearer(&boss)).lets_in("alicia", NEW_PASSWORD)
        }
        "DELETE /api/v1/admin/users/{id}" => Play::of(delete(api(&alice)).bearer(&boss)).keeps_out("alice", PASSWORD),
        "POST /api/v1/admin/users/{id}/2fa/reset" => {
            world.add_second_factor(&person).await;
            let reset = post(api(&format!("{alice}/2fa/reset")), json!({})).bearer(&boss);
            Play::of(reset).or_done(&[409]).lets_in("alice", PASSWORD)
        }
        "DELETE /api/v1/admin/users/{id}/sessions" => {
            let end = delete(api(&format!("{alice}/sessions"))).bearer(&boss);
            Play::of(end).ends(&person).lets_in("alice", PASSWORD)
        }
        "GET /api/v1/admin/users/{id}/usage" => Play::of(get(api(&format!("{alice}/usage"))).bearer(&boss)),
        "POST /api/v1/admin/usage" => {
            let body = json!({"changes": [{"username": "alice", "add": {"photos": 2}}]});
            let report = post(api("/usage"), body).bearer(&boss).header("idempotency-key", "once");
            // Once, however often it was tried.
            let counters = get(api(&format!("{alice}/usage"))).bearer(&boss);
            Play::of(report).shown_by(counters, "/data/photos", Holds::Exactly(json!(2)))
        }
        "GET /api/v1/admin/audit" => Play::of(get(api("/audit")).bearer(&boss)),
        "GET /api/v1/admin/keys" => Play::of(get(api("/keys")).bearer(&boss)).cold(),
        "POST /api/v1/admin/keys/rotate" => {
            let keys = get(api("/keys")).bearer(&boss);
            let play = Play::of(post(api("/keys/rotate"), json!({})).bearer(&boss));
            let play = play.shown_by(keys.clone(), "/data/items", Holds::Elements(2));
            play.shown_by(keys, "/data/items/1/state", Holds::Exactly(json!("waiting")))
        }
        "GET /api/v1/admin/settings" => Play::of(get(api("/settings")).bearer(&boss)),
        "PUT /api/v1/admin/settings" => {
            let settings = get(api("/settings")).bearer(&boss);
            let play = Play::of(put(api("/settings"), json!({"allow_registration": false})).bearer(&boss));
            play.shown_by(settings, "/data/allow_registration", Holds::Exactly(json!(false)))
        }
        "POST /api/v1/admin/undeliverable/lift" => {
            crate::bounces::reported(world, "complaint", "alice@example.com").await;
            let body = json!({"email": "alice@example.com"});
            let lift = post(api("/undeliverable/lift"), body).bearer(&boss);
            let nothing_left = Proof::shows(lift.clone(), 404, "/code", Holds::Exactly(json!(40400)));
            Play::of(lift).or_done(&[404]).proved(nothing_left)
        }
        _ => return None,
    })
}

pub(super) async fn sproutgate(world: &mut World, act: &str) -> Option<Play> {
    alice(world).await;
    let token = world.server.admin_token().reveal().to_owned();
    let users = "/sproutgate/api/admin/users";
    let request = match act {
        "GET /api/admin/users" => get(users),
        "POST /api/admin/users" => {
            let body =
                json!({"account": "made", "password": NEW_PASSWORD, "username": "", "email": "made@example.com"});
            post(users, body)
        }
        "PUT /api/admin/users/{account}" => {
            let body = json!({"password": NEW_PASSWORD, "email": "other@example.com", "username": "Al"});
            put(format!("{users}/alice"), body)
        }
        "DELETE /api/admin/users/{account}" => delete(format!("{users}/alice")),
        _ => return None,
    };
    let play = Play::of(request.header("x-admin-token", &token));
    let mut play = match act {
        "POST /api/admin/users" => play.or_done(&[409]).lets_in("made", NEW_PASSWORD),
        "PUT /api/admin/users/{account}" => play.lets_in("alice", NEW_PASSWORD),
        "DELETE /api/admin/users/{account}" => play.or_done(&[404]).keeps_out("alice", PASSWORD),
        _ => play.lets_in("alice", PASSWORD),
    };
    play.secrets.insert(token);
    Some(play)
}
