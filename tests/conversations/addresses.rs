//! Addresses of an account that exists: added, changed and used, and what happens when two want one.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, World};

const REQUEST: &str = "/sproutgate/api/auth/secondary-email/request";
const VERIFY: &str = "/sproutgate/api/auth/secondary-email/verify";

/// Has a code mailed and returns it.
async fn code(world: &mut World, token: &str, email: &str) -> String {
    let answer = world.post(REQUEST, json!({"email": email})).bearer(token).quietly().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    world.code_for(email)
}

async fn verify(world: &mut World, token: &str, email: &str, code: &str) -> Answer {
    world.post(VERIFY, json!({"email": email, "code": code})).bearer(token).await
}

fn secondary(answer: &Answer) -> Value {
    answer.json()["user"]["secondaryEmails"].clone()
}

/// The newest mail to an address, as text.
fn newest_mail(world: &World, address: &str) -> String {
    let mails = world.server.mails();
    let mail = mails.iter().find(|mail| mail.to.iter().any(|to| to == address)).expect("a mail");
    let told = format!("{}\n\n{}", mail.subject, mail.text);
    match mail.subject.split_at_checked(mail.subject.len().saturating_sub(6)) {
        Some((_, code)) if code.bytes().all(|byte| byte.is_ascii_digit()) => told.replace(code, "[code]"),
        Some(_) | None => told,
    }
}

#[tokio::test]
async fn a_further_address_is_added_by_its_code_and_signs_in() {
    let mut world = World::start().await;
    let token = world.register_proved("demo").await;
    world.post(REQUEST, json!({"email": "Demo2@example.com"})).bearer(&token).await;
    let code = world.code_for("Demo2@example.com");
    world.note("nothing is added before the code comes back");
    world.get("/sproutgate/api/auth/me").bearer(&token).await;
    world.note("not by another code, and not for another address");
    verify(&mut world, &token, "demo2@example.com", "000000").await;
    verify(&mut world, &token, "demo3@example.com", &code).await;
    verify(&mut world, &token, "demo2@EXAMPLE.com", &code).await;
    world.note("the same request again, as after a lost answer");
    verify(&mut world, &token, "demo2@example.com", &code).await;
    world.note("signs in and resets the password");
    world.post("/sproutgate/api/auth/login", json!({"account": "demo2@example.com", "password": "demo123"})).await;
    world.clock.advance(Duration::from_secs(60));
    world.post("/sproutgate/api/auth/forgot-password", json!({"account": "demo", "email": "demo2@example.com"})).await;
    let reset = json!({"account": "demo", "code": world.code_for("Demo2@example.com"), "newPassword": "newpass"});
    world.post("/sproutgate/api/auth/reset-password", reset).await;
    world.sign_in("DEMO2@example.com", "newpass").await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn asking_for_a_further_address_is_refused() {
    let mut world = World::start().await;
    let token = world.register_proved("demo").await;
    world.note("not signed in");
    world.post(REQUEST, json!({"email": "demo2@example.com"})).await;
    world.post(VERIFY, json!({"email": "demo2@example.com", "code": "000000"})).await;
    world.note("not an address, and nothing");
    world.post(REQUEST, json!({"email": "demo2"})).bearer(&token).await;
    world.post(REQUEST, json!({})).bearer(&token).await;
    world.post(VERIFY, json!({})).bearer(&token).await;
    world.note("one mail a minute for an address");
    world.post(REQUEST, json!({"email": "demo2@example.com"})).bearer(&token).await;
    world.post(REQUEST, json!({"email": "demo2@example.com"})).bearer(&token).await;
    world.note("after ten minutes");
    let code = world.code_for("demo2@example.com");
    world.clock.advance(Duration::from_secs(600));
    verify(&mut world, &token, "demo2@example.com", &code).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn an_account_has_ten_further_addresses_at_most() {
    let mut world = World::start().await;
    let token = world.register_proved("demo").await;
    world.note("asked for before there were ten");
    let late = code(&mut world, &token, "late@example.com").await;
    for nth in 0..10 {
        let email = format!("demo{nth}@example.com");
        let code = code(&mut world, &token, &email).await;
        let answer = world.post(VERIFY, json!({"email": email, "code": code})).bearer(&token).quietly().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    verify(&mut world, &token, "late@example.com", &late).await;
    world.note("and after");
    world.post(REQUEST, json!({"email": "another@example.com"})).bearer(&token).await;
    world.note("its own may be proved again");
    world.clock.advance(Duration::from_secs(60));
    let own = code(&mut world, &token, "demo3@example.com").await;
    let answer = world.post(VERIFY, json!({"email": "demo3@example.com", "code": own})).bearer(&token).quietly().await;
    assert_eq!(secondary(&answer).as_array().map(Vec::len), Some(10), "{}", answer.body);
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn the_primary_address_is_proved_the_same_way() {
    let mut world = World::start().await;
    world.register("demo", "demo123").await;
    let token = world.sign_in("demo", "demo123").await;
    let code = code(&mut world, &token, "demo@example.com").await;
    verify(&mut world, &token, "demo@example.com", &code).await;
    world.note("so nobody else can claim it by proof");
    let other = world.register_proved("other").await;
    world.clock.advance(Duration::from_secs(60));
    world.post(REQUEST, json!({"email": "demo@example.com"})).bearer(&other).await;
    assert_eq!(world.mails_to("demo@example.com").last().map(String::as_str), Some("此邮箱仍属于您的账号"));
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn an_address_that_another_account_proved_is_told_to_its_owner_alone() {
    let mut world = World::start().await;
    world.register_proved("owner").await;
    let token = world.register_proved("demo").await;
    world.clock.advance(Duration::from_secs(60));
    world.note("of nobody, and of somebody");
    let free = world.post(REQUEST, json!({"email": "free@example.com"})).bearer(&token).await;
    let owned = world.post(REQUEST, json!({"email": "owner@example.com"})).bearer(&token).await;
    assert_eq!((free.status, &free.body), (owned.status, &owned.body));
    world.note("there is no code to guess");
    verify(&mut world, &token, "owner@example.com", "000000").await;
    insta::assert_snapshot!(world.transcript());
    insta::assert_snapshot!("the_owner_is_told", newest_mail(&world, "owner@example.com"));
    world.clock.advance(Duration::from_secs(60));
    let asked = json!({"email": "owner@example.com"});
    world.post(REQUEST, asked).bearer(&token).header("accept-language", "en").quietly().await;
    insta::assert_snapshot!("the_owner_is_told_in_english", newest_mail(&world, "owner@example.com"));
    world.post(REQUEST, json!({"email": "free@example.com"})).bearer(&token).quietly().await;
    insta::assert_snapshot!("a_code_to_add_an_address", newest_mail(&world, "free@example.com"));
}

#[tokio::test]
async fn an_unproved_claim_yields_to_an_account_that_exists() {
    let mut world = World::start().await;
    world.register("victim", "secret123").await;
    let squatting = world.sign_in("victim", "secret123").await;
    let token = world.register_proved("demo").await;
    let code = code(&mut world, &token, "victim@example.com").await;
    verify(&mut world, &token, "victim@example.com", &code).await;
    world.note("its sessions are over, and the address is gone");
    world.get("/kite/api/v1/profile").bearer(&squatting).await;
    let squatting = world.sign_in("victim", "secret123").await;
    world.get("/kite/api/v1/profile").bearer(&squatting).await;
    world.note("the address signs in its prover");
    let answer = world
        .post("/sproutgate/api/auth/login", json!({"account": "victim@example.com", "password": "demo123"}))
        .quietly()
        .await;
    assert_eq!(answer.text("/user/account"), "demo");
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn parallel_verifies_of_one_code_all_succeed_and_add_it_once() {
    let mut world = World::start().await;
    let token = world.register_proved("demo").await;
    let code = code(&mut world, &token, "demo2@example.com").await;
    let asked = vec![(VERIFY.to_owned(), json!({"email": "demo2@example.com", "code": code}), token.clone()); 5];
    for answer in world.all_at_once_as(asked).await {
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(secondary(&answer), json!(["demo2@example.com"]));
    }
}

#[tokio::test]
async fn of_two_accounts_that_prove_one_address_at_once_one_wins() {
    for squatted in [false, true] {
        let mut world = World::start().await;
        if squatted {
            world.register("both", "secret123").await;
        }
        let mut asked = Vec::new();
        for name in ["anna", "berta"] {
            let token = world.register_proved(name).await;
            let code = code(&mut world, &token, "both@example.com").await;
            asked.push((VERIFY.to_owned(), json!({"email": "both@example.com", "code": code}), token));
            world.clock.advance(Duration::from_secs(60));
        }
        let answers = world.all_at_once_as(asked).await;
        let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{answers:?}");
    }
}

/// Somebody made the account `squatter` with the address of somebody else, who resets its password by mail.
async fn reset_by_the_owner(world: &mut World) {
    let forgot = json!({"identifier": "squatter@example.com"});
    world.post("/api/v1/auth/password-reset/request", forgot).quietly().await.is(200, 0);
    let code = world.code_for("squatter@example.com");
    let reset = json!({"identifier": "squatter@example.com", "code": code, "new_password": "owners-own"});
    world.post("/api/v1/auth/password-reset/confirm", reset).quietly().await.is(200, 0);
}

#[tokio::test]
async fn a_reset_that_proves_the_address_ends_what_an_unproven_holder_set_up() {
    let mut world = World::start().await;
    world.register("squatter", "secret123").await;
    let squatter = world.sign_in("squatter", "secret123").await;
    world.add_email(&squatter, "mallory@example.com").await;
    let program = world.api_token(&squatter).await;
    reset_by_the_owner(&mut world).await;
    for token in [&squatter, &program] {
        world.get("/api/v1/profile").bearer(token).quietly().await.is(401, 40102);
    }
    let owner = world.sign_in("squatter@example.com", "owners-own").await;
    let emails = world.get("/api/v1/emails").bearer(&owner).await;
    assert!(!emails.body.contains("mallory"), "{}", emails.body);
    world.note("by the further address nobody resets it again");
    world.clock.advance(Duration::from_secs(60));
    let before = world.mails_to("mallory@example.com").len();
    let forgot = json!({"identifier": "mallory@example.com"});
    world.post("/api/v1/auth/password-reset/request", forgot).quietly().await.is(200, 0);
    assert_eq!(world.mails_to("mallory@example.com").len(), before);
    world.note("a further address that was added after the proof stays through the next reset");
    world.add_email(&owner, "other@example.com").await;
    world.clock.advance(Duration::from_secs(60));
    reset_by_the_owner(&mut world).await;
    let owner = world.sign_in("squatter@example.com", "owners-own").await;
    world.get("/api/v1/emails").bearer(&owner).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn where_an_unproven_holder_has_a_second_factor_the_address_stays_free_for_its_owner() {
    let mut world = World::start().await;
    world.register("squatter", "secret123").await;
    let squatter = world.sign_in("squatter", "secret123").await;
    world.add_second_factor(&squatter).await;
    reset_by_the_owner(&mut world).await;
    let login = json!({"username": "squatter@example.com", "password": "owners-own"});
    world.post("/mcphub/api/auth/login", login).await;
    world.note("so the owner makes an account of their own, and has the address from then on");
    let registration =
        json!({"account": "owner", "password": "owners-own", "username": "", "email": "squatter@example.com"});
    world.clock.advance(Duration::from_secs(60));
    world.post("/sproutgate/api/auth/register", registration).quietly().await.has(200);
    let proof = json!({"account": "owner", "code": world.code_for("squatter@example.com")});
    world.post("/sproutgate/api/auth/verify-email", proof).quietly().await.has(200);
    let owner = world.sign_in("squatter@example.com", "owners-own").await;
    assert_eq!(world.get("/api/v1/profile").bearer(&owner).quietly().await.text("/data/username"), "owner");
    insta::assert_snapshot!(world.transcript());
}
