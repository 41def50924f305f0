//! The thread that delivers: runs the log, the ledger, the sweeper and one task per subscription.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::hub::Hub;

/// How many threads read and write the store for the deliveries. The store serves one at a time anyway.
const STORE_THREADS: usize = 4;
/// The host's clock may be set forward, so no wait for an expiry is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// After a failure, and so that a clock that stands still keeps nobody busy.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

pub(super) fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(STORE_THREADS).build()
}

/// Runs until the hub is told to stop.
pub(super) fn run(runtime: &Runtime, hub: &Arc<Hub>) {
    runtime.block_on(async {
        let wanted = {
            let hub = Arc::clone(hub);
            move || hub.is_wanted()
        };
        tokio::spawn(Arc::clone(&hub.log).follow(wanted));
        tokio::spawn(Arc::clone(&hub.ledger).keep());
        tokio::spawn(expire(Arc::clone(hub)));
        tokio::spawn(sweep(Arc::clone(hub)));
        stopped(hub).await;
        let all_done = async {
            let mut running = hub.running.subscribe();
            running.wait_for(|&n| n == 0).await.map(|_| ())
        };
        if timeout(hub.settings.get().stop_grace, all_done).await.is_err() {
            tracing::info!("deliveries under way were cut off; they are made again after the next start");
        }
        let ledger = Arc::clone(&hub.ledger);
        match spawn_blocking(move || ledger.write()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the progress of subscriptions cannot be stored"),
            Err(error) => tracing::error!(%error, "storing the progress of subscriptions failed"),
        }
    });
}

async fn stopped(hub: &Hub) {
    // An error would mean that the hub is gone, and with it all work.
    let _ = hub.stop.subscribe().wait_for(|&stop| stop).await.map(|_| ());
}

/// Ends subscriptions when their time is over.
async fn expire(hub: Arc<Hub>) {
    loop {
        let next = hub.all().iter().filter_map(|active| active.state().expires).min();
        let wait = next.map_or(LONGEST_WAIT, |next| {
            next.signed_duration_since(hub.clock.now()).to_std().unwrap_or_default().clamp(SHORTEST_WAIT, LONGEST_WAIT)
        });
        tokio::select! {
            () = sleep(wait) => {}
            () = hub.expiry_set.notified() => continue,
        }
        in_background(&hub, Hub::expire).await;
    }
}

/// Keeps the log in bounds. After a start, sinks get the time of one interval to take what waited for them.
async fn sweep(hub: Arc<Hub>) {
    loop {
        sleep(hub.settings.get().sweep_every).await;
        in_background(&hub, Hub::sweep).await;
    }
}

async fn in_background(hub: &Arc<Hub>, work: fn(&Arc<Hub>) -> Result<(), crate::store::StoreError>) {
    let hub = Arc::clone(hub);
    match spawn_blocking(move || work(&hub)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "subscriptions and their log cannot be kept in bounds"),
        Err(error) => tracing::error!(%error, "keeping subscriptions and their log in bounds failed"),
    }
}
