//! Scenes of kite: what anybody may ask for, and what people do to their own account.

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::proof::{Holds, Proof, Seen};
use super::scenes::{NEW_PASSWORD, PASSWORD, PROFILE, Play, alice, delete, get, login, post, put};
use super::stage::Request;
use crate::people::Authenticator;
use crate::support::World;

/// What anybody may ask for.
pub(super) async fn public(world: &mut World, act: &str) -> Option<Play> {
    let api = |path: &str| format!("/kite/api/v1{path}");
    Some(match act {
        "POST /api/v1/auth/login" => {
            alice(world).await;
            Play::of(login("alice@example.com", PASSWORD)).cold().opens("/data/access_token")
        }
        "POST /api/v1/auth/register" => {
            let body = json!({"username": "newcomer", "email": "new@example.com", "password": NEW_PASSWORD});
            Play::of(post(api("/auth/register"), body)).or_done(&[409]).lets_in("newcomer", NEW_PASSWORD)
        }
        "POST /api/v1/auth/refresh" => {
            alice(world).await;
            let answer = world.post(&api("/auth/login"), json!({"username": "alice", "password": PASSWORD}));
            let token = answer.quietly().await.text("/data/refresh_token");
            let refresh = |token: &str| post("/kite/api/v1/auth/refresh", json!({"refresh_token": token}));
            let again = Proof::with_told("/data/refresh_token", refresh, (200, "/data/access_token", Holds::Text));
            let mut play = Play::of(refresh(&token)).opens("/data/access_token").proved(again);
            play.secrets.insert(token);
            play
        }
        "GET /api/v1/auth/options" => Play::of(get(api("/auth/options"))),
        "GET /api/v1/health" => Play::of(get(api("/health"))),
        "POST /api/v1/auth/password-reset/request" => {
            alice(world).await;
            let asked = post(api("/auth/password-reset/request"), json!({"identifier": "alice"}));
            let confirm = |seen: &Seen<'_>| {
                let code = seen.world.code_for("alice@example.com");
                let body = json!({"identifier": "alice", "code": code, "new_password": NEW_PASSWORD});
                post("/kite/api/v1/auth/password-reset/confirm", body)
            };
            let play = Play::of(asked).silent("UpdateItem mail/log");
            play.proved(Proof::showing(confirm, 200, "/code", Holds::Exactly(json!(0)))).lets_in("alice", NEW_PASSWORD)
        }
        "POST /api/v1/auth/password-reset/confirm" => {
            alice(world).await;
            world.post(&api("/auth/password-reset/request"), json!({"identifier": "alice"})).quietly().await;
            let code = world.code_for("alice@example.com");
            let with = |password: &str| {
                let body = json!({"identifier": "alice", "code": code, "new_password": password});
                post(api("/auth/password-reset/confirm"), body)
            };
            let mut play = Play::of(with(NEW_PASSWORD)).lets_in("alice", NEW_PASSWORD).but_not(with(PASSWORD));
            play.secrets.insert(code.clone());
            play
        }
        "POST /api/v1/auth/login with a code" => {
            let own = alice(world).await;
            let (authenticator, _) = world.add_second_factor(&own).await;
            let request = with_code(&authenticator.next_code(world));
            let play = Play::of(request.clone()).or_done(&[401]).opens("/data/access_token").but_not(request);
            let seen = get(api("/sessions")).bearer(&own);
            play.shown_by(seen, "/data", Holds::Elements(2))
        }
        "POST /api/v1/auth/2fa/verify" => verify(world, false).await,
        "POST /api/v1/auth/2fa/verify by a recovery code" => verify(world, true).await,
        _ => return None,
    })
}

/// A sign-in that waits, and then the code: an authenticator's, or a recovery code.
async fn verify(world: &mut World, recovers: bool) -> Play {
    let own = alice(world).await;
    let (authenticator, recovery) = world.add_second_factor(&own).await;
    let waiting = world.post("/kite/api/v1/auth/login", json!({"username": "alice", "password": PASSWORD}));
    let token = find(&waiting.quietly().await.json(), "challenge_token");
    let code = authenticator.next_code(world);
    let code = if recovers { recovery[0].clone() } else { code };
    let asked = json!({"challenge_token": token, "code": code});
    let play = Play::of(post("/kite/api/v1/auth/2fa/verify", asked)).or_done(&[400, 401]).opens("/data/access_token");
    // One session came of it, beside the one of before.
    let sessions = get("/kite/api/v1/sessions").bearer(&own);
    let play = play.shown_by(sessions, "/data", Holds::Elements(2)).but_not(with_code(&code));
    let challenge = token.clone();
    let mut play = play.proved(Proof::refuses(move |seen| {
        let body = json!({"challenge_token": challenge, "code": authenticator.code_at(soon(seen))});
        post("/kite/api/v1/auth/2fa/verify", body)
    }));
    play.secrets.extend([token, code]);
    play
}

/// What people do to their own account.
pub(super) async fn own(world: &mut World, act: &str) -> Option<Play> {
    let own = alice(world).await;
    let api = |path: &str| format!("/kite/api/v1{path}");
    let mut play = match act {
        "POST /api/v1/auth/logout" => {
            Play::of(post(api("/auth/logout"), json!({})).bearer(&own)).or_done(&[401]).ends(&own)
        }
        "GET /api/v1/profile" => Play::of(get(PROFILE).bearer(&own)),
        "PUT /api/v1/profile" => {
            let change = put(api("/profile"), json!({"nickname": "Al"})).bearer(&own);
            Play::of(change).seen_in_profile(&own, "/data/nickname", "Al")
        }
        "POST /api/v1/auth/change-password" => {
            let body = json!({"old_password": PASSWORD, "new_password": NEW_PASSWORD});
            let change = post(api("/auth/change-password"), body).bearer(&own);
            let play = Play::of(change).or_done(&[400]).lets_in("alice", NEW_PASSWORD).keeps_out("alice", PASSWORD);
            play.seen_in_profile(&own, "/data/username", "alice")
        }
        "POST /api/v1/auth/first-login-reset" => {
            let first = world.sign_in("admin", "admin").await;
            let body = json!({"username": "boss", "email": "boss@example.com", "password": NEW_PASSWORD});
            let reset = post(api("/auth/first-login-reset"), body).bearer(&first);
            Play::of(reset).or_done(&[401, 403]).lets_in("boss", NEW_PASSWORD)
        }
        "GET /api/v1/tokens" => Play::of(get(api("/tokens")).bearer(&own)),
        "POST /api/v1/tokens" => {
            let play = Play::of(post(api("/tokens"), json!({"name": "backup"})).bearer(&own));
            let listed = get(api("/tokens")).bearer(&own);
            play.shown_by(listed, "/data/0/name", Holds::Exactly(json!("backup"))).opens("/data/token")
        }
        "DELETE /api/v1/tokens/{id}" => {
            let made = world.post(&api("/tokens"), json!({"name": "backup"})).bearer(&own).quietly().await;
            let revoke = delete(api(&format!("/tokens/{}", made.text("/data/id")))).bearer(&own);
            let play = Play::of(revoke).or_done(&[404]).ends(&made.text("/data/token"));
            play.shown_by(get(api("/tokens")).bearer(&own), "/data", Holds::Elements(0))
        }
        "POST /api/v1/auth/email-change/request" => {
            let asked = post(api("/auth/email-change/request"), json!({"new_email": "next@example.com"})).bearer(&own);
            let session = own.clone();
            let confirm = move |seen: &Seen<'_>| {
                let code = seen.world.code_for("next@example.com");
                let proof = json!({"new_email": "next@example.com", "code": code});
                post("/kite/api/v1/auth/email-change/confirm", proof).bearer(&session)
            };
            let play = Play::of(asked).proved(Proof::showing(confirm, 200, "/code", Holds::Exactly(json!(0))));
            play.seen_in_profile(&own, "/data/email", "next@example.com")
        }
        "POST /api/v1/auth/email-change/confirm" => {
            world.add_email(&own, "more@example.com").await;
            let asked = json!({"new_email": "next@example.com"});
            world.post(&api("/auth/email-change/request"), asked).bearer(&own).quietly().await.has(200);
            let proof = json!({"new_email": "next@example.com", "code": world.code_for("next@example.com")});
            let confirm = post(api("/auth/email-change/confirm"), proof).bearer(&own);
            let promote = post(api("/emails/promote"), json!({"email": "more@example.com"})).bearer(&own);
            let play = Play::of(confirm.clone()).lets_in("next@example.com", PASSWORD);
            let play = play.seen_in_profile(&own, "/data/email", "next@example.com");
            // The code doesn't make it the primary one again.
            play.shown_by(promote, "/data/0/email", Holds::Exactly(json!("more@example.com"))).but_not(confirm)
        }
        "POST /api/v1/auth/2fa/setup" => {
            let session = own.clone();
            let enable = move |seen: &Seen<'_>| {
                let secret = seen.text("/data/secret").expect("the secret");
                let code = Authenticator::of(&secret).code_at(seen.now);
                post("/kite/api/v1/auth/2fa/enable", json!({"code": code})).bearer(&session)
            };
            let play = Play::of(post(api("/auth/2fa/setup"), json!({})).bearer(&own));
            let play = play.proved(Proof::showing(enable, 200, "/data/recovery_codes", Holds::Elements(10)));
            play.seen_in_profile(&own, "/data/totp_enabled", true)
        }
        "POST /api/v1/auth/2fa/enable" => {
            let prepared = world.post(&api("/auth/2fa/setup"), json!({})).bearer(&own).quietly().await;
            let code = Authenticator::of(&prepared.text("/data/secret")).next_code(world);
            let enable = post(api("/auth/2fa/enable"), json!({"code": code})).bearer(&own);
            let play = Play::of(enable).or_done(&[400, 409]).seen_in_profile(&own, "/data/totp_enabled", true);
            play.but_not(with_code(&code)).proved(told_recovery_code())
        }
        "POST /api/v1/auth/2fa/disable" => {
            let (authenticator, _) = world.add_second_factor(&own).await;
            let body = json!({"password": PASSWORD, "code": authenticator.next_code(world)});
            let disable = post(api("/auth/2fa/disable"), body).bearer(&own);
            let play = Play::of(disable.clone()).or_done(&[400, 409]).lets_in("alice", PASSWORD);
            play.seen_in_profile(&own, "/data/totp_enabled", false).but_not(disable)
        }
        "POST /api/v1/auth/2fa/recovery-codes" => {
            let (authenticator, former) = world.add_second_factor(&own).await;
            let code = authenticator.next_code(world);
            let body = json!({"password": PASSWORD, "code": code});
            let play = Play::of(post(api("/auth/2fa/recovery-codes"), body).bearer(&own)).or_done(&[400]);
            let of_before = Proof::shows(with_code(&former[0]), 401, "/code", Holds::Exactly(json!(40103)));
            play.proved(of_before).proved(told_recovery_code()).but_not(with_code(&code))
        }
        "GET /api/v1/audit" => Play::of(get(api("/audit")).bearer(&own)),
        "GET /api/v1/sessions" => Play::of(get(api("/sessions")).bearer(&own)),
        "DELETE /api/v1/sessions" => {
            let other = world.sign_in("alice", PASSWORD).await;
            let play = Play::of(delete(api("/sessions")).bearer(&own)).ends(&other);
            play.seen_in_profile(&own, "/data/username", "alice")
        }
        "DELETE /api/v1/sessions/{id}" => {
            world.clock.advance(std::time::Duration::from_secs(1));
            let other = world.sign_in("alice", PASSWORD).await;
            let listed = world.get(&api("/sessions")).bearer(&own).quietly().await;
            let end = delete(api(&format!("/sessions/{}", listed.text("/data/0/id")))).bearer(&own);
            let play = Play::of(end).or_done(&[404]).ends(&other);
            play.seen_in_profile(&own, "/data/username", "alice")
        }
        "GET /api/v1/emails" => Play::of(get(api("/emails")).bearer(&own)),
        "POST /api/v1/emails" => {
            let asked = post(api("/emails"), json!({"email": "more@example.com"})).bearer(&own);
            let session = own.clone();
            let verify = move |seen: &Seen<'_>| {
                let proof = json!({"email": "more@example.com", "code": seen.world.code_for("more@example.com")});
                post("/kite/api/v1/emails/verify", proof).bearer(&session)
            };
            Play::of(asked).proved(Proof::showing(verify, 200, "/data", Holds::Elements(2)))
        }
        "POST /api/v1/emails/verify" => {
            world.post(&api("/emails"), json!({"email": "more@example.com"})).bearer(&own).quietly().await.has(200);
            let proof = json!({"email": "more@example.com", "code": world.code_for("more@example.com")});
            let verify = post(api("/emails/verify"), proof).bearer(&own);
            let remove = post(api("/emails/remove"), json!({"email": "more@example.com"})).bearer(&own);
            let play = Play::of(verify.clone()).lets_in("more@example.com", PASSWORD);
            // The code doesn't bring back what was removed.
            play.shown_by(remove, "/data", Holds::Elements(1)).but_not(verify)
        }
        "POST /api/v1/emails/promote" | "POST /api/v1/emails/remove" => {
            world.add_email(&own, "more@example.com").await;
            let path = act.trim_start_matches("POST ");
            let asked = post(format!("/kite{path}"), json!({"email": "more@example.com"})).bearer(&own);
            let (play, listed) = (Play::of(asked).or_done(&[404]), get(api("/emails")).bearer(&own));
            if path.ends_with("/promote") {
                play.shown_by(listed, "/data/0/email", Holds::Exactly(json!("more@example.com")))
            } else {
                play.shown_by(listed, "/data", Holds::Elements(1))
            }
        }
        _ => return None,
    };
    play.secrets.insert(own);
    Some(play)
}

/// A sign-in of Alice with a code of her second factor.
fn with_code(code: &str) -> Request {
    post("/kite/api/v1/auth/login", json!({"username": "alice", "password": PASSWORD, "code": code}))
}

/// A sign-in with a recovery code that was just told.
fn told_recovery_code() -> Proof {
    Proof::with_told("/data/recovery_codes/0", with_code, (200, "/data/access_token", Holds::Text))
}

/// An instant whose code was not taken yet, and is good already.
fn soon(seen: &Seen<'_>) -> OffsetDateTime {
    seen.now + Duration::from_secs(30)
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
