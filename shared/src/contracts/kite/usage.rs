//! `POST /api/v1/admin/usage`, `GET /api/v1/admin/users/{id}/usage`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::admin::{By, find};
use super::{Told, success};
use crate::contracts::{LARGEST, ToReadUsage, ToReport};
use crate::http::{App, Checks, Failure, Field, Json, Listing, Required, Segment, about};
use crate::identity::{Account, Counter, Error, Kind, MOST_USAGE_CHANGES, Problem, UsageChange, Whose, check_length};
use crate::openapi::{Input, Operation};

/// The names of [`Counter::ALL`], in whose order they are read.
const COUNTERS: &str = "photos, albums, favorites, likes, storage_used, coins, level";
/// The header under which a repeated report is known.
const KEY: &str = "Idempotency-Key";

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .post(
            "/api/v1/admin/usage",
            report,
            about("Add to counters of accounts, or set them: all of it or nothing")
                .or(|| {
                    let account = "anna".to_owned();
                    let counter = Counter::Photos.name();
                    vec![
                        Error::UnknownAccount(account.clone()),
                        Error::CounterOutOfBounds { account, counter },
                        Error::KeyReused,
                    ]
                })
                .beyond_the_document(),
        )
        .get("/api/v1/admin/users/{id}/usage", show, about("An account's counters").beyond_the_document())
}

/// The caller's own name for the request, if it gives one.
struct IdempotencyKey(Option<String>);

impl FromRequestParts<App> for IdempotencyKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Failure> {
        let Some(given) = parts.headers.get(KEY) else { return Ok(Self(None)) };
        let mut checks = Checks::new();
        let text = String::from_utf8_lossy(given.as_bytes()).into_owned();
        match check_length(&text, &(1..=255)) {
            Ok(()) => Ok(Self(Some(text))),
            Err(problem) => {
                checks.note(KEY, problem, Some(text.into()));
                Err(checks.refuse())
            }
        }
    }
}

impl Input for IdempotencyKey {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.takes_header(KEY, "Any text; the same request under the same key takes effect once within a day");
    }
}

#[derive(Deserialize, JsonSchema)]
struct ReportRequest {
    #[schemars(length(min = 1, max = MOST_USAGE_CHANGES))]
    changes: Required<Vec<ChangeRequest>>,
}

/// Names the account by either, and changes some of its counters.
#[derive(Deserialize, JsonSchema)]
struct ChangeRequest {
    #[serde(default)]
    #[schemars(extend("format" = "uuid"))]
    user_id: Field<String>,
    #[serde(default)]
    username: Field<String>,
    /// So many more, or fewer.
    #[serde(default)]
    add: Field<CountersRequest>,
    /// This many; where both are given of one counter it is set first.
    #[serde(default)]
    set: Field<CountersRequest>,
}

/// Whole numbers; only `coins` may be below 0.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct CountersRequest {
    photos: Field<i64>,
    albums: Field<i64>,
    favorites: Field<i64>,
    likes: Field<i64>,
    storage_used: Field<i64>,
    coins: Field<i64>,
    level: Field<i64>,
    /// What is no counter: refused, since an application that spells one otherwise would never hear of it.
    #[serde(flatten)]
    #[schemars(skip)]
    others: Map<String, Value>,
}

#[derive(Serialize, JsonSchema)]
struct UsageBody {
    #[schemars(extend("format" = "uuid"))]
    user_id: String,
    username: String,
    photos: i64,
    albums: i64,
    favorites: i64,
    likes: i64,
    /// Bytes.
    storage_used: i64,
    /// Bytes; -1 is unlimited.
    storage_limit: i64,
    coins: i64,
    level: i64,
}

impl UsageBody {
    fn of(account: &Account) -> Self {
        Self {
            user_id: account.id.to_string(),
            username: account.name.as_str().to_owned(),
            photos: Counter::Photos.of(account),
            albums: Counter::Albums.of(account),
            favorites: Counter::Favorites.of(account),
            likes: Counter::Likes.of(account),
            storage_used: Counter::StorageUsed.of(account),
            storage_limit: account.storage_limit,
            coins: Counter::Coins.of(account),
            level: Counter::Level.of(account),
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct ReportAnswer {
    /// The accounts that were named, each once, in order of their making, with their counters afterwards.
    items: Vec<UsageBody>,
}

async fn report(
    State(app): State<App>,
    By(by, _): By<ToReport>,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<ReportRequest>,
) -> Told<ReportAnswer> {
    let mut checks = Checks::new();
    let report = changes(&mut checks, body.changes);
    checks.finish()?;
    let mut accounts = app.identity.report_usage(&by, &report, key.as_deref()).await?;
    accounts.sort_by_key(|account| account.number);
    success(ReportAnswer { items: accounts.iter().map(UsageBody::of).collect() })
}

async fn show(State(app): State<App>, _: By<ToReadUsage>, Segment(id): Segment) -> Told<UsageBody> {
    success(UsageBody::of(&find(&app, &id).await?.account))
}

fn changes(checks: &mut Checks, given: Required<Vec<ChangeRequest>>) -> Vec<UsageChange> {
    let given = checks.list("changes", given);
    if given.len() > MOST_USAGE_CHANGES {
        checks.note("changes", Problem::TooMany(MOST_USAGE_CHANGES), None);
    }
    let given = given.into_iter().take(MOST_USAGE_CHANGES).enumerate();
    given.filter_map(|(place, change)| change.read(checks, &format!("changes[{place}]"))).collect()
}

impl ChangeRequest {
    fn read(self, checks: &mut Checks, at: &str) -> Option<UsageChange> {
        let Self { user_id, username, add, set } = self;
        let whose = whose(checks, at, user_id, username);
        let set = counters(checks, &format!("{at}.set"), set, Counter::bounds);
        let add = counters(checks, &format!("{at}.add"), add, |_| -LARGEST..=LARGEST);
        let (set, add) = (set?, add?);
        if set.is_empty() && add.is_empty() {
            checks.note(format!("{at}.add"), Problem::Missing, None);
        }
        Some(UsageChange { whose: whose?, set, add })
    }
}

fn whose(checks: &mut Checks, at: &str, id: Field<String>, name: Field<String>) -> Option<Whose> {
    match (id, name) {
        (Field::Given(id), Field::Absent) => Some(Whose::Id(id)),
        (Field::Absent, Field::Given(name)) => Some(Whose::Name(name)),
        (Field::Absent | Field::Wrong(_) | Field::Given(_), _) => {
            checks.note(at.to_owned(), Problem::NotOneOf("user_id, username"), None);
            None
        }
    }
}

/// Each counter that is given, within its bounds; `None` where something is wrong.
fn counters(
    checks: &mut Checks,
    at: &str,
    given: Field<CountersRequest>,
    allowed: fn(Counter) -> RangeInclusive<i64>,
) -> Option<BTreeMap<Counter, i64>> {
    let given = match given {
        Field::Absent => CountersRequest::default(),
        Field::Wrong(value) => {
            checks.note(at.to_owned(), Problem::WrongType(Kind::Object), Some(value));
            return None;
        }
        Field::Given(given) => given,
    };
    let CountersRequest { photos, albums, favorites, likes, storage_used, coins, level, others } = given;
    for name in others.keys() {
        checks.note(at.to_owned(), Problem::NotOneOf(COUNTERS), Some(name.as_str().into()));
    }
    let given = [photos, albums, favorites, likes, storage_used, coins, level];
    // Read to the end before it is given up, so that all that is wrong is told.
    let read: Vec<_> = Counter::ALL
        .into_iter()
        .zip(given)
        .filter_map(|(counter, given)| count(checks, at, counter, given, &allowed(counter)))
        .collect();
    read.into_iter().collect::<Option<_>>().filter(|_| others.is_empty())
}

/// `None`: it is not given. `Some(None)`: something is wrong with it.
fn count(
    checks: &mut Checks,
    at: &str,
    counter: Counter,
    given: Field<i64>,
    allowed: &RangeInclusive<i64>,
) -> Option<Option<(Counter, i64)>> {
    let (problem, value) = match given {
        Field::Absent => return None,
        Field::Given(number) if allowed.contains(&number) => return Some(Some((counter, number))),
        Field::Given(number) => (Problem::OutOfRange(*allowed.start(), *allowed.end()), number.into()),
        Field::Wrong(value) => (Problem::WrongType(Kind::Integer), value),
    };
    checks.note(format!("{at}.{}", counter.name()), problem, Some(value));
    Some(None)
}
