//! Scenes of zeaya, sproutgate and mcphub.

use serde_json::json;

use super::scenes::{NEW_PASSWORD, PASSWORD, Play, alice, get, login, post, put};
use super::stage::Request;
use crate::avatars::{drawing, form, form_type};
use crate::support::World;

pub(super) async fn zeaya(world: &mut World, act: &str) -> Option<Play> {
    if act == "POST /api/auth/register" {
        let body = json!({"username": "newcomer", "email": "new@example.com", "password": NEW_PASSWORD});
        let register = post("/zeaya/api/auth/register", body);
        return Some(Play::of(register).or_done(&[409]).shown_by(login("newcomer", NEW_PASSWORD)));
    }
    let own = alice(world).await;
    let api = |path: &str| format!("/zeaya/api/auth{path}");
    let picture = || Request::new("POST", api("/avatar")).bearer(&own).raw(&form_type(), form("avatar", &drawing()));
    Some(match act {
        "POST /api/auth/login" => Play::of(post(api("/login"), json!({"username": "alice", "password": PASSWORD}))),
        "POST /api/auth/logout" => Play::of(post(api("/logout"), json!({})).bearer(&own)).or_done(&[401]),
        "GET /api/auth/user" => Play::of(get(api("/user")).bearer(&own)),
        "PUT /api/auth/profile" => {
            let body = json!({"nickname": "Al", "bio": "x", "gender": 1});
            Play::of(put(api("/profile"), body).bearer(&own))
        }
        "PUT /api/auth/password" => {
            let body = json!({"old_password": PASSWORD, "new_password": NEW_PASSWORD});
            let change = put(api("/password"), body).bearer(&own);
            Play::of(change).or_done(&[400]).shown_by(login("alice", NEW_PASSWORD))
        }
        "POST /api/auth/avatar" => Play::of(picture()),
        "GET /storage/avatars/{file}" => {
            let (kind, body) = (form_type(), form("avatar", &drawing()));
            let sent = world.ask(reqwest::Method::POST, &api("/avatar")).bearer(&own).raw(&kind, body);
            let path = sent.quietly().await.text("/data/avatar");
            Play::of(get(format!("/zeaya{}", path.trim_start_matches("/zeaya"))))
        }
        _ => return None,
    })
}

pub(super) async fn sproutgate(world: &mut World, act: &str) -> Option<Play> {
    let api = |path: &str| format!("/sproutgate/api/auth{path}");
    let newcomer = json!({"account": "newcomer", "password": NEW_PASSWORD, "username": "", "email": "new@example.com"});
    let proof = |world: &World| json!({"account": "newcomer", "code": world.code_for("new@example.com")});
    match act {
        "POST /api/auth/register" => {
            let play = Play::of(post(api("/register"), newcomer));
            let play = play.proved(move |world| post("/sproutgate/api/auth/verify-email", proof(world)));
            return Some(play.shown_by(login("newcomer", NEW_PASSWORD)));
        }
        "POST /api/auth/verify-email" => {
            world.post(&api("/register"), newcomer).quietly().await.has(200);
            let play = Play::of(post(api("/verify-email"), proof(world)));
            return Some(play.shown_by(login("newcomer", NEW_PASSWORD)));
        }
        _ => {}
    }
    let own = alice(world).await;
    let forgotten = json!({"account": "alice", "email": "alice@example.com"});
    let further = json!({"email": "more@example.com"});
    Some(match act {
        "POST /api/auth/login" => Play::of(post(api("/login"), json!({"account": "alice", "password": PASSWORD}))),
        "POST /api/auth/verify" => Play::of(post(api("/verify"), json!({"token": own}))),
        "GET /api/auth/verify" => Play::of(get(api("/verify")).bearer(&own)),
        "GET /api/auth/me" => Play::of(get(api("/me")).bearer(&own)),
        "PUT /api/auth/profile" => Play::of(put(api("/profile"), json!({"username": "Al"})).bearer(&own)),
        "POST /api/auth/forgot-password" => {
            Play::of(post(api("/forgot-password"), forgotten)).silent("UpdateItem mail/log").proved(|world| {
                let code = world.code_for("alice@example.com");
                let body = json!({"account": "alice", "code": code, "newPassword": NEW_PASSWORD});
                post("/sproutgate/api/auth/reset-password", body)
            })
        }
        "POST /api/auth/reset-password" => {
            world.post(&api("/forgot-password"), forgotten).quietly().await.has(200);
            let code = world.code_for("alice@example.com");
            let with = |password: &str| {
                post(api("/reset-password"), json!({"account": "alice", "code": code, "newPassword": password}))
            };
            Play::of(with(NEW_PASSWORD)).shown_by(login("alice", NEW_PASSWORD)).but_not(with(PASSWORD))
        }
        "POST /api/auth/secondary-email/request" => {
            Play::of(post(api("/secondary-email/request"), further).bearer(&own)).proved(move |world| {
                let proof = json!({"email": "more@example.com", "code": world.code_for("more@example.com")});
                post("/sproutgate/api/auth/secondary-email/verify", proof).bearer(&own)
            })
        }
        "POST /api/auth/secondary-email/verify" => {
            world.post(&api("/secondary-email/request"), further).bearer(&own).quietly().await.has(200);
            let proof = json!({"email": "more@example.com", "code": world.code_for("more@example.com")});
            let verify = post(api("/secondary-email/verify"), proof).bearer(&own);
            Play::of(verify).shown_by(login("more@example.com", PASSWORD))
        }
        _ => return None,
    })
}

pub(super) async fn mcphub(world: &mut World, act: &str) -> Option<Play> {
    let api = |path: &str| format!("/mcphub/api/auth{path}");
    if act == "POST /api/auth/register" {
        let body = json!({"username": "newcomer", "password": NEW_PASSWORD, "isAdmin": false});
        let play = Play::of(post(api("/register"), body)).or_done(&[400, 409]);
        return Some(play.shown_by(login("newcomer", NEW_PASSWORD)));
    }
    let own = alice(world).await;
    Some(match act {
        "POST /api/auth/login" => Play::of(post(api("/login"), json!({"username": "alice", "password": PASSWORD}))),
        "GET /api/auth/user" => Play::of(get(api("/user")).header("x-auth-token", &own)),
        "POST /api/auth/change-password" => {
            let body = json!({"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD});
            let change = post(api("/change-password"), body).header("x-auth-token", &own);
            Play::of(change).or_done(&[400, 401]).shown_by(login("alice", NEW_PASSWORD))
        }
        _ => return None,
    })
}
