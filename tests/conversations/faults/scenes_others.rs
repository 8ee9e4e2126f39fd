//! Scenes of zeaya, sproutgate and mcphub.

use serde_json::json;

use super::proof::{Holds, Proof, Seen};
use super::scenes::{NEW_PASSWORD, PASSWORD, Play, alice, delete, get, post, put};
use super::stage::Request;
use crate::avatars::{drawing, form, form_type};
use crate::support::World;

pub(super) async fn zeaya(world: &mut World, act: &str) -> Option<Play> {
    if act == "POST /api/auth/register" {
        let body = json!({"username": "newcomer", "email": "new@example.com", "password": NEW_PASSWORD});
        let register = post("/zeaya/api/auth/register", body);
        return Some(Play::of(register).or_done(&[409]).lets_in("newcomer", NEW_PASSWORD));
    }
    let own = alice(world).await;
    let api = |path: &str| format!("/zeaya/api/auth{path}");
    let picture = || Request::new("POST", api("/avatar")).bearer(&own).raw(&form_type(), form("avatar", &drawing()));
    Some(match act {
        "POST /api/auth/login" => {
            Play::of(post(api("/login"), json!({"username": "alice", "password": PASSWORD}))).opens("/data/token")
        }
        "POST /api/auth/logout" => Play::of(post(api("/logout"), json!({})).bearer(&own)).or_done(&[401]).ends(&own),
        "GET /api/auth/user" => Play::of(get(api("/user")).bearer(&own)),
        "PUT /api/auth/profile" => {
            let body = json!({"nickname": "Al", "bio": "x", "gender": 1});
            let user = get(api("/user")).bearer(&own);
            let play = Play::of(put(api("/profile"), body).bearer(&own));
            let play = play.shown_by(user.clone(), "/data/bio", Holds::Exactly(json!("x")));
            play.shown_by(user, "/data/gender", Holds::Exactly(json!(1)))
        }
        "PUT /api/auth/password" => {
            let body = json!({"old_password": PASSWORD, "new_password": NEW_PASSWORD});
            let change = put(api("/password"), body).bearer(&own);
            Play::of(change).or_done(&[400]).lets_in("alice", NEW_PASSWORD).keeps_out("alice", PASSWORD)
        }
        "POST /api/auth/avatar" => {
            let user = get(api("/user")).bearer(&own);
            let play = Play::of(picture()).shown_by(user, "/data/avatar", Holds::AsAnswered("/data/avatar"));
            let at = |address: &str| get(address_of_picture(address));
            play.proved(Proof::with_told("/data/avatar", at, (200, "", Holds::Bytes)))
        }
        "GET /storage/avatars/{file}" => {
            let (kind, body) = (form_type(), form("avatar", &drawing()));
            let sent = world.ask(reqwest::Method::POST, &api("/avatar")).bearer(&own).raw(&kind, body);
            let path = sent.quietly().await.text("/data/avatar");
            Play::of(get(address_of_picture(&path)))
        }
        _ => return None,
    })
}

/// The path that a picture is asked by, out of its address.
fn address_of_picture(address: &str) -> String {
    format!("/zeaya{}", address.trim_start_matches("/zeaya"))
}

pub(super) async fn sproutgate(world: &mut World, act: &str) -> Option<Play> {
    let api = |path: &str| format!("/sproutgate/api/auth{path}");
    let newcomer = json!({"account": "newcomer", "password": NEW_PASSWORD, "username": "", "email": "new@example.com"});
    let proof = |world: &World| json!({"account": "newcomer", "code": world.code_for("new@example.com")});
    match act {
        "POST /api/auth/register" => {
            let play = Play::of(post(api("/register"), newcomer));
            let verify = move |seen: &Seen<'_>| post("/sproutgate/api/auth/verify-email", proof(seen.world));
            let account = (200, "/user/account", Holds::Exactly(json!("newcomer")));
            let play = play.proved(Proof::showing(verify, account.0, account.1, account.2));
            return Some(play.lets_in("newcomer", NEW_PASSWORD));
        }
        "POST /api/auth/verify-email" => {
            world.post(&api("/register"), newcomer).quietly().await.has(200);
            let verify = post(api("/verify-email"), proof(world));
            let token = world.server.admin_token().reveal().to_owned();
            let leave = delete("/sproutgate/api/admin/users/newcomer").header("x-admin-token", &token);
            let play = Play::of(verify.clone()).lets_in("newcomer", NEW_PASSWORD);
            // The code makes no second account once the first is gone.
            let play = play.shown_by(leave, "/deleted", Holds::Exactly(json!(true))).but_not(verify);
            return Some(play);
        }
        _ => {}
    }
    let own = alice(world).await;
    let forgotten = json!({"account": "alice", "email": "alice@example.com"});
    let further = json!({"email": "more@example.com"});
    Some(match act {
        "POST /api/auth/login" => {
            Play::of(post(api("/login"), json!({"account": "alice", "password": PASSWORD}))).opens("/token")
        }
        "POST /api/auth/verify" => {
            // It changes nothing: the session goes on.
            Play::of(post(api("/verify"), json!({"token": own}))).seen_in_profile(&own, "/data/username", "alice")
        }
        "GET /api/auth/verify" => Play::of(get(api("/verify")).bearer(&own)),
        "GET /api/auth/me" => Play::of(get(api("/me")).bearer(&own)),
        "PUT /api/auth/profile" => {
            let me = get(api("/me")).bearer(&own);
            let play = Play::of(put(api("/profile"), json!({"username": "Al"})).bearer(&own));
            play.shown_by(me, "/user/username", Holds::Exactly(json!("Al")))
        }
        "POST /api/auth/forgot-password" => {
            let reset = |seen: &Seen<'_>| {
                let code = seen.world.code_for("alice@example.com");
                let body = json!({"account": "alice", "code": code, "newPassword": NEW_PASSWORD});
                post("/sproutgate/api/auth/reset-password", body)
            };
            let play = Play::of(post(api("/forgot-password"), forgotten)).silent("UpdateItem mail/log");
            let play = play.proved(Proof::showing(reset, 200, "/reset", Holds::Exactly(json!(true))));
            play.lets_in("alice", NEW_PASSWORD)
        }
        "POST /api/auth/reset-password" => {
            world.post(&api("/forgot-password"), forgotten).quietly().await.has(200);
            let code = world.code_for("alice@example.com");
            let with = |password: &str| {
                post(api("/reset-password"), json!({"account": "alice", "code": code, "newPassword": password}))
            };
            Play::of(with(NEW_PASSWORD)).lets_in("alice", NEW_PASSWORD).but_not(with(PASSWORD))
        }
        "POST /api/auth/secondary-email/request" => {
            let session = own.clone();
            let verify = move |seen: &Seen<'_>| {
                let proof = json!({"email": "more@example.com", "code": seen.world.code_for("more@example.com")});
                post("/sproutgate/api/auth/secondary-email/verify", proof).bearer(&own)
            };
            let play = Play::of(post(api("/secondary-email/request"), further).bearer(&session));
            let play = play.proved(Proof::showing(verify, 200, "/verified", Holds::Exactly(json!(true))));
            play.lets_in("more@example.com", PASSWORD)
        }
        "POST /api/auth/secondary-email/verify" => {
            world.post(&api("/secondary-email/request"), further.clone()).bearer(&own).quietly().await.has(200);
            let proof = json!({"email": "more@example.com", "code": world.code_for("more@example.com")});
            let verify = post(api("/secondary-email/verify"), proof).bearer(&own);
            let remove = post("/kite/api/v1/emails/remove", further).bearer(&own);
            let play = Play::of(verify.clone()).lets_in("more@example.com", PASSWORD);
            // The code doesn't bring back what was removed.
            play.shown_by(remove, "/data", Holds::Elements(1)).but_not(verify)
        }
        _ => return None,
    })
}

pub(super) async fn mcphub(world: &mut World, act: &str) -> Option<Play> {
    let api = |path: &str| format!("/mcphub/api/auth{path}");
    if act == "POST /api/auth/register" {
        let body = json!({"username": "newcomer", "password": NEW_PASSWORD, "isAdmin": false});
        let play = Play::of(post(api("/register"), body)).or_done(&[400, 409]);
        return Some(play.lets_in("newcomer", NEW_PASSWORD));
    }
    let own = alice(world).await;
    Some(match act {
        "POST /api/auth/login" => {
            Play::of(post(api("/login"), json!({"username": "alice", "password": PASSWORD}))).opens("/token")
        }
        "GET /api/auth/user" => Play::of(get(api("/user")).header("x-auth-token", &own)),
        "POST /api/auth/change-password" => {
            let body = json!({"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD});
            let change = post(api("/change-password"), body).header("x-auth-token", &own);
            Play::of(change).or_done(&[400, 401]).lets_in("alice", NEW_PASSWORD).keeps_out("alice", PASSWORD)
        }
        _ => return None,
    })
}
