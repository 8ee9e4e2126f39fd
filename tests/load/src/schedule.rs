//! When requests are sent: by a clock that doesn't wait for answers, or as fast as they are answered.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::traffic::Crowd;

/// Has somebody act at random times, so many a second on average, whatever becomes of it: an open loop. What is under
/// way at the end is left to `acting`.
pub(crate) async fn open_loop(crowd: &Arc<Crowd>, acting: &mut JoinSet<()>, rng: &mut Rng, rate: f64, time: Duration) {
    let began = Instant::now();
    let mut at = Duration::ZERO;
    loop {
        // Times between independent arrivals are distributed exponentially.
        at += Duration::from_secs_f64(-(1.0 - rng.f64()).ln() / rate);
        if at >= time {
            return sleep_until(began + time).await;
        }
        let meant = began + at;
        sleep_until(meant).await;
        let (crowd, rng) = (Arc::clone(crowd), rng.fork());
        acting.spawn(async move { crowd.act(meant, rng).await });
        while acting.try_join_next().is_some() {}
    }
}

/// Has so many people act one thing after the other: a closed loop, which finds what can be done at most.
pub(crate) async fn closed_loop(crowd: &Arc<Crowd>, rng: &mut Rng, clients: usize, time: Duration) {
    let end = Instant::now() + time;
    let mut acting = JoinSet::new();
    for _ in 0..clients {
        let (crowd, mut rng) = (Arc::clone(crowd), rng.fork());
        acting.spawn(async move {
            while Instant::now() < end {
                crowd.act(Instant::now(), rng.fork()).await;
            }
        });
    }
    while acting.join_next().await.is_some() {}
}

/// The outcomes of an action for each of these, so many at a time, in any order.
pub(crate) async fn at_once<T, R, F: Future<Output = R>>(most: usize, of: Vec<T>, act: impl Fn(T) -> F) -> Vec<R> {
    use futures_util::StreamExt as _;
    futures_util::stream::iter(of).map(act).buffer_unordered(most).collect().await
}
