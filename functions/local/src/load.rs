//! What the server takes on at a time, and what it says to the rest: a refusal at once, in the contract's own words.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::response::Response;
use polygate_shared::http::{Failure, Front, MOST_JSON, take_in_body};
use polygate_shared::identity::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::options::Bounds;

/// How many bodies beyond the size of a JSON request are taken in at a time. Others wait, unread, for as long as a request
/// may take.
const MOST_UPLOADS: usize = 8;
/// When a refused request is worth another try.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// What tells whether the service answers is told also where it refuses everything else.
const HEALTH: &str = "/api/v1/health";

/// The places for requests; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    requests: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
    longest: Duration,
}

impl Load {
    pub(crate) fn within(bounds: Bounds) -> Self {
        let places = |most| Arc::new(Semaphore::new(most));
        Self { requests: places(bounds.requests), uploads: places(MOST_UPLOADS), longest: bounds.request_time }
    }

    /// Has a request answered where there is a place for it, and within its time. What is broken off has been done as a
    /// whole or not at all, as whenever a process ends.
    pub(crate) async fn carry(&self, front: &Front, request: Request) -> Response {
        let mut head = Request::new(Body::empty());
        *head.method_mut() = request.method().clone();
        *head.uri_mut() = request.uri().clone();
        *head.headers_mut() = request.headers().clone();
        *head.extensions_mut() = request.extensions().clone();
        let Ok(response) = timeout(self.longest, self.take_on(front, request)).await else {
            return front.refuse(head, unavailable("the request took too long")).await;
        };
        response
    }

    /// A request gets its place once its body is there: those that are slow to send one must not keep others out.
    async fn take_on(&self, front: &Front, request: Request) -> Response {
        let small = request.body().size_hint().upper().is_some_and(|most| most <= MOST_JSON as u64);
        let _upload = if small { None } else { self.uploads.acquire().await.ok() };
        let request = take_in_body(request).await;
        if request.uri().path().ends_with(HEALTH) {
            return front.answer(request).await;
        }
        let Ok(_place) = self.requests.try_acquire() else {
            return front.refuse(request, unavailable("too many requests are under way")).await;
        };
        front.answer(request).await
    }
}

fn unavailable(why: &'static str) -> Failure {
    Error::Unavailable { retry_after: AGAIN_AFTER, cause: anyhow!(why) }.into()
}
