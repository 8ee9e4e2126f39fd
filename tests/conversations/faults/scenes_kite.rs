//! Scenes of kite: what anybody may ask for, and what people do to their own account.

use serde_json::{Value, json};

use super::scenes::{NEW_PASSWORD, PASSWORD, Play, alice, delete, get, login, post, put};
use crate::support::World;

/// What anybody may ask for.
pub(super) async fn public(world: &mut World, act: &str) -> Option<Play> {
    let api = |path: &str| format!("/kite/api/v1{path}");
    Some(match act {
        "POST /api/v1/auth/login" => {
            alice(world).await;
            Play::of(login("alice@example.com", PASSWORD)).cold()
        }
        "POST /api/v1/auth/register" => {
            let body = json!({"username": "newcomer", "email": "new@example.com", "password": NEW_PASSWORD});
            Play::of(post(api("/auth/register"), body)).or_done(&[409]).shown_by(login("newcomer", NEW_PASSWORD))
        }
        "POST /api/v1/auth/refresh" => {
            alice(world).await;
            let answer = world.post(&api("/auth/login"), json!({"username": "alice", "password": PASSWORD}));
            let token = answer.quietly().await.text("/data/refresh_token");
            let mut play = Play::of(post(api("/auth/refresh"), json!({"refresh_token": token})));
            play.secrets.insert(token);
            play
        }
        "GET /api/v1/auth/options" => Play::of(get(api("/auth/options"))),
        "GET /api/v1/health" => Play::of(get(api("/health"))),
        "POST /api/v1/auth/password-reset/request" => {
            alice(world).await;
            let asked = post(api("/auth/password-reset/request"), json!({"identifier": "alice"}));
            Play::of(asked).silent("UpdateItem mail/log").proved(|world| {
                let code = world.code_for("alice@example.com");
                let body = json!({"identifier": "alice", "code": code, "new_password": NEW_PASSWORD});
                post("/kite/api/v1/auth/password-reset/confirm", body)
            })
        }
        "POST /api/v1/auth/password-reset/confirm" => {
            alice(world).await;
            world.post(&api("/auth/password-reset/request"), json!({"identifier": "alice"})).quietly().await;
            let code = world.code_for("alice@example.com");
            let with = |password: &str| {
                let body = json!({"identifier": "alice", "code": code, "new_password": password});
                post(api("/auth/password-reset/confirm"), body)
            };
            let mut play = Play::of(with(NEW_PASSWORD)).shown_by(login("alice", NEW_PASSWORD)).but_not(with(PASSWORD));
            play.secrets.insert(code.clone());
            play
        }
        "POST /api/v1/auth/2fa/verify" => {
            let own = alice(world).await;
            let (authenticator, _) = world.add_second_factor(&own).await;
            let asked = json!({"username": "alice", "password": PASSWORD});
            let waiting = world.post(&api("/auth/login"), asked).quietly().await;
            let token = find(&waiting.json(), "challenge_token");
            let code = authenticator.next_code(world);
            let body = json!({"challenge_token": token, "code": code});
            let mut play = Play::of(post(api("/auth/2fa/verify"), body)).or_done(&[400, 401]);
            play.secrets.insert(token);
            play
        }
        _ => return None,
    })
}

/// What people do to their own account.
pub(super) async fn own(world: &mut World, act: &str) -> Option<Play> {
    let own = alice(world).await;
    let api = |path: &str| format!("/kite/api/v1{path}");
    let profile = get(api("/profile")).bearer(&own);
    let mailed = |world: &World, address: &str| world.code_for(address);
    let mut play = match act {
        "POST /api/v1/auth/logout" => Play::of(post(api("/auth/logout"), json!({})).bearer(&own)).or_done(&[401]),
        "GET /api/v1/profile" => Play::of(profile),
        "PUT /api/v1/profile" => Play::of(put(api("/profile"), json!({"nickname": "Al"})).bearer(&own)),
        "POST /api/v1/auth/change-password" => {
            let body = json!({"old_password": PASSWORD, "new_password": NEW_PASSWORD});
            let change = post(api("/auth/change-password"), body).bearer(&own);
            Play::of(change).or_done(&[400]).shown_by(login("alice", NEW_PASSWORD)).shown_by(profile)
        }
        "POST /api/v1/auth/first-login-reset" => {
            let first = world.sign_in("admin", "admin").await;
            let body = json!({"username": "boss", "email": "boss@example.com", "password": NEW_PASSWORD});
            let reset = post(api("/auth/first-login-reset"), body).bearer(&first);
            Play::of(reset).or_done(&[401, 403]).shown_by(login("boss", NEW_PASSWORD))
        }
        "GET /api/v1/tokens" => Play::of(get(api("/tokens")).bearer(&own)),
        "POST /api/v1/tokens" => Play::of(post(api("/tokens"), json!({"name": "backup"})).bearer(&own)),
        "DELETE /api/v1/tokens/{id}" => {
            let made = world.post(&api("/tokens"), json!({"name": "backup"})).bearer(&own).quietly().await;
            Play::of(delete(api(&format!("/tokens/{}", made.text("/data/id")))).bearer(&own)).or_done(&[404])
        }
        "POST /api/v1/auth/email-change/request" => {
            let asked = post(api("/auth/email-change/request"), json!({"new_email": "next@example.com"})).bearer(&own);
            let own = own.clone();
            Play::of(asked).proved(move |world| {
                let proof = json!({"new_email": "next@example.com", "code": mailed(world, "next@example.com")});
                post("/kite/api/v1/auth/email-change/confirm", proof).bearer(&own)
            })
        }
        "POST /api/v1/auth/email-change/confirm" => {
            let asked = json!({"new_email": "next@example.com"});
            world.post(&api("/auth/email-change/request"), asked).bearer(&own).quietly().await.has(200);
            let proof = json!({"new_email": "next@example.com", "code": world.code_for("next@example.com")});
            let confirm = post(api("/auth/email-change/confirm"), proof).bearer(&own);
            Play::of(confirm).shown_by(login("next@example.com", PASSWORD))
        }
        "POST /api/v1/auth/2fa/setup" => Play::of(post(api("/auth/2fa/setup"), json!({})).bearer(&own)),
        "POST /api/v1/auth/2fa/enable" => {
            let prepared = world.post(&api("/auth/2fa/setup"), json!({})).bearer(&own).quietly().await;
            let code = crate::people::Authenticator::of(&prepared.text("/data/secret")).next_code(world);
            let enable = post(api("/auth/2fa/enable"), json!({"code": code})).bearer(&own);
            Play::of(enable).or_done(&[400, 409])
        }
        "POST /api/v1/auth/2fa/disable" => {
            let (authenticator, _) = world.add_second_factor(&own).await;
            let body = json!({"password": PASSWORD, "code": authenticator.next_code(world)});
            Play::of(post(api("/auth/2fa/disable"), body).bearer(&own)).or_done(&[400, 409])
        }
        "POST /api/v1/auth/2fa/recovery-codes" => {
            let (authenticator, _) = world.add_second_factor(&own).await;
            let body = json!({"password": PASSWORD, "code": authenticator.next_code(world)});
            Play::of(post(api("/auth/2fa/recovery-codes"), body).bearer(&own)).or_done(&[400])
        }
        "GET /api/v1/audit" => Play::of(get(api("/audit")).bearer(&own)),
        "GET /api/v1/sessions" => Play::of(get(api("/sessions")).bearer(&own)),
        "DELETE /api/v1/sessions" => {
            world.sign_in("alice", PASSWORD).await;
            Play::of(delete(api("/sessions")).bearer(&own)).shown_by(profile)
        }
        "DELETE /api/v1/sessions/{id}" => {
            world.clock.advance(std::time::Duration::from_secs(1));
            world.sign_in("alice", PASSWORD).await;
            let listed = world.get(&api("/sessions")).bearer(&own).quietly().await;
            Play::of(delete(api(&format!("/sessions/{}", listed.text("/data/0/id")))).bearer(&own)).or_done(&[404])
        }
        "GET /api/v1/emails" => Play::of(get(api("/emails")).bearer(&own)),
        "POST /api/v1/emails" => {
            let asked = post(api("/emails"), json!({"email": "more@example.com"})).bearer(&own);
            let own = own.clone();
            Play::of(asked).proved(move |world| {
                let proof = json!({"email": "more@example.com", "code": mailed(world, "more@example.com")});
                post("/kite/api/v1/emails/verify", proof).bearer(&own)
            })
        }
        "POST /api/v1/emails/verify" => {
            world.post(&api("/emails"), json!({"email": "more@example.com"})).bearer(&own).quietly().await.has(200);
            let proof = json!({"email": "more@example.com", "code": world.code_for("more@example.com")});
            let verify = post(api("/emails/verify"), proof).bearer(&own);
            Play::of(verify).shown_by(login("more@example.com", PASSWORD))
        }
        "POST /api/v1/emails/promote" | "POST /api/v1/emails/remove" => {
            world.add_email(&own, "more@example.com").await;
            let path = act.trim_start_matches("POST ");
            let asked = post(format!("/kite{path}"), json!({"email": "more@example.com"})).bearer(&own);
            Play::of(asked).or_done(&[404])
        }
        _ => return None,
    };
    play.secrets.insert(own);
    Some(play)
}

/// The first text of that name, however deep.
fn find(value: &Value, name: &str) -> String {
    fn look(value: &Value, name: &str) -> Option<String> {
        let fields = value.as_object()?;
        let here = fields.get(name).and_then(Value::as_str).map(str::to_owned);
        here.or_else(|| fields.values().find_map(|value| look(value, name)))
    }
    look(value, name).unwrap_or_else(|| panic!("no {name} in {value}"))
}
