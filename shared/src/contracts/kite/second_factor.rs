//! `POST /api/v1/auth/2fa/setup`, `…/enable`, `…/disable`, `…/recovery-codes` and `…/verify`,
//! `POST /api/v1/admin/users/{id}/2fa/reset`.

use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fast_qr::QRBuilder;
use fast_qr::convert::svg::SvgBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admin::{By, find};
use super::session::{Caller, SessionBody, SettingUp, session_answer};
use super::{Told, success};
use crate::contracts::too_many_requests;
use crate::http::{App, Checks, Context, Failure, Json, Listing, Required, Segment, about};
use crate::identity::{ChallengeToken, Code, Error, Password};

pub(super) fn routes<L: Listing>() -> L {
    L::new()
        .post(
            "/api/v1/auth/2fa/setup",
            set_up,
            about("Begin with a second factor; it counts once a code has come back")
                .or(|| vec![Error::SecondFactorAlreadyOn])
                .beyond_the_document(),
        )
        .post(
            "/api/v1/auth/2fa/enable",
            enable,
            about("Turn the second factor on; the recovery codes are shown this once")
                .or(|| {
                    let state = [Error::SecondFactorAlreadyOn, Error::SecondFactorNotSetUp];
                    [Error::CodeWrong, too_many_requests()].into_iter().chain(state).collect()
                })
                .beyond_the_document(),
        )
        .post(
            "/api/v1/auth/2fa/disable",
            disable,
            about("Turn the second factor off").or(proof_refusals).beyond_the_document(),
        )
        .post(
            "/api/v1/auth/2fa/recovery-codes",
            renew_recovery_codes,
            about("Other recovery codes in place of those that are left; they are shown this once")
                .or(proof_refusals)
                .beyond_the_document(),
        )
}

pub(super) fn login_routes<L: Listing>() -> L {
    L::new().post(
        "/api/v1/auth/2fa/verify",
        verify,
        about("Finish a sign-in by a code of the second factor; sets the cookies too")
            .or(|| vec![Error::TokenInvalid, Error::SecondFactorWrong, too_many_requests()])
            .beyond_the_document(),
    )
}

pub(super) fn admin_routes<L: Listing>() -> L {
    L::new().post(
        "/api/v1/admin/users/{id}/2fa/reset",
        reset,
        about("Take the second factor from an account and end its sessions").beyond_the_document(),
    )
}

/// What an endpoint refuses that takes password and code.
fn proof_refusals() -> Vec<Error> {
    vec![Error::CurrentPasswordWrong, Error::CodeWrong, Error::SecondFactorNotSetUp, too_many_requests()]
}

#[derive(Serialize, JsonSchema)]
struct SetupAnswer {
    /// base32.
    secret: String,
    /// `otpauth://totp/…`
    uri: String,
    /// The uri as a picture to scan: a `data:` address of an SVG.
    qr: String,
}

async fn set_up(State(app): State<App>, SettingUp(caller): SettingUp) -> Told<SetupAnswer> {
    let prepared = app.identity.prepare_second_factor(caller.signed_in()?).await?;
    let qr = picture(&prepared.uri)?;
    success(SetupAnswer { secret: prepared.secret.reveal().to_owned(), uri: prepared.uri, qr })
}

fn picture(uri: &str) -> anyhow::Result<String> {
    let code = QRBuilder::new(uri).build().map_err(|error| anyhow::anyhow!("a QR code: {error:?}"))?;
    Ok(format!("data:image/svg+xml;base64,{}", STANDARD.encode(SvgBuilder::default().to_str(&code))))
}

#[derive(Serialize, JsonSchema)]
struct RecoveryAnswer {
    /// Each works once in place of a code.
    recovery_codes: Vec<String>,
}

impl RecoveryAnswer {
    fn of(codes: &[Code]) -> Self {
        Self { recovery_codes: codes.iter().map(|code| code.reveal().to_owned()).collect() }
    }
}

#[derive(Deserialize, JsonSchema)]
struct EnableRequest {
    #[schemars(length(min = 1))]
    code: Required<String>,
}

async fn enable(
    State(app): State<App>,
    SettingUp(caller): SettingUp,
    Json(body): Json<EnableRequest>,
) -> Told<RecoveryAnswer> {
    let caller = caller.signed_in()?;
    let mut checks = Checks::new();
    let Some(code) = checks.code("code", body.code) else { return Err(checks.refuse()) };
    success(RecoveryAnswer::of(&app.identity.turn_on_second_factor(caller, &code).await?))
}

/// What shows that the person asks, and not somebody at their open session.
#[derive(Deserialize, JsonSchema)]
struct ProofRequest {
    #[schemars(length(min = 1))]
    password: Required<String>,
    /// Of the authenticator, or for recovery.
    #[schemars(length(min = 1))]
    code: Required<String>,
}

impl ProofRequest {
    fn read(self) -> Result<(Password, Code), Failure> {
        let mut checks = Checks::new();
        let password = checks.password("password", self.password);
        let code = checks.code("code", self.code);
        let (Some(password), Some(code)) = (password, code) else { return Err(checks.refuse()) };
        Ok((password, code))
    }
}

async fn disable(State(app): State<App>, Caller(caller): Caller, Json(body): Json<ProofRequest>) -> Told<()> {
    let caller = caller.signed_in()?;
    let (password, code) = body.read()?;
    app.identity.turn_off_second_factor(caller, &password, &code).await?;
    success(())
}

async fn renew_recovery_codes(
    State(app): State<App>,
    Caller(caller): Caller,
    Json(body): Json<ProofRequest>,
) -> Told<RecoveryAnswer> {
    let caller = caller.signed_in()?;
    let (password, code) = body.read()?;
    success(RecoveryAnswer::of(&app.identity.renew_recovery_codes(caller, &password, &code).await?))
}

#[derive(Deserialize, JsonSchema)]
struct VerifyRequest {
    /// As the sign-in answered it.
    #[schemars(length(min = 1))]
    challenge_token: Required<String>,
    /// Of the authenticator, or for recovery.
    #[schemars(length(min = 1))]
    code: Required<String>,
}

async fn verify(State(app): State<App>, context: Context, Json(body): Json<VerifyRequest>) -> Told<SessionBody> {
    let mut checks = Checks::new();
    let token = checks.password("challenge_token", body.challenge_token);
    let code = checks.code("code", body.code);
    let (Some(token), Some(code)) = (token, code) else { return Err(checks.refuse()) };
    let token = ChallengeToken::new(token.reveal());
    let opened = app.identity.finish_log_in(&token, &code, &context.visitor()).await?;
    session_answer(&opened, &app, &context)
}

async fn reset(State(app): State<App>, By(by, _): By, Segment(id): Segment) -> Told<()> {
    let read = find(&app, &id).await?;
    app.identity.reset_second_factor(&by, read).await?;
    success(())
}
