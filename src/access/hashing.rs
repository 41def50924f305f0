//! The queue in front of the password hash, which is slow on purpose.
//!
//! One hash runs at a time, off the event loop; a bounded number of further ones waits. Attempts that bring the same name and
//! password at the same time share one hash, so a client that opens many connections at once does not wait for many hashes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OnceCell, Semaphore};

use super::Verdict;
use super::attempts::network_of;
use super::keyed_digest::Digest;

/// How many hashes run at the same time.
const AT_A_TIME: usize = 1;
/// How many hashes may run or wait in all.
const MAX_WAITING: usize = 64;
/// How many of them may come from one network.
const MAX_WAITING_PER_PEER: usize = 16;

#[derive(Debug)]
pub(super) struct Hashing {
    turns: Arc<Semaphore>,
    queue: Mutex<HashMap<Digest, Queued>>,
}

/// One name and password, with those who brought them.
#[derive(Debug)]
struct Queued {
    peer: IpAddr,
    waiters: usize,
    verdict: Arc<OnceCell<Verdict>>,
}

impl Hashing {
    pub(super) fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_A_TIME)), queue: Mutex::default() }
    }

    /// Waits for a turn and runs `work` on a blocking thread, or waits for the one who runs it for the same digest.
    pub(super) async fn run(
        &self,
        digest: Digest,
        peer: IpAddr,
        work: impl FnOnce() -> Verdict + Send + 'static,
    ) -> Verdict {
        let Some(waiter) = self.join(digest, peer) else { return Verdict::Busy };
        let turns = self.turns.clone();
        let run = || async move {
            let Ok(turn) = turns.acquire_owned().await else { return Verdict::Failed };
            // The turn goes with the work: a client that hangs up does not let a second hash run beside it.
            let work = move || {
                let _turn = turn;
                work()
            };
            tokio::task::spawn_blocking(work).await.unwrap_or(Verdict::Failed)
        };
        waiter.verdict.get_or_init(run).await.clone()
    }

    fn join(&self, digest: Digest, peer: IpAddr) -> Option<Waiter<'_>> {
        let peer = network_of(peer);
        let mut queue = self.lock();
        if !queue.contains_key(&digest) {
            let of_peer = queue.values().filter(|queued| queued.peer == peer).count();
            if queue.len() >= MAX_WAITING || of_peer >= MAX_WAITING_PER_PEER {
                return None;
            }
        }
        let queued = queue.entry(digest).or_insert_with(|| Queued { peer, waiters: 0, verdict: Arc::default() });
        queued.waiters += 1;
        Some(Waiter { hashing: self, digest, verdict: queued.verdict.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Queued>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits. Takes the attempt out of the queue once it has its verdict, or once nobody waits for it any more.
struct Waiter<'a> {
    hashing: &'a Hashing,
    digest: Digest,
    verdict: Arc<OnceCell<Verdict>>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut queue = self.hashing.lock();
        // Another attempt with the same digest may have taken the place of one that has its verdict.
        let Some(queued) = queue.get_mut(&self.digest).filter(|queued| Arc::ptr_eq(&queued.verdict, &self.verdict))
        else {
            return;
        };
        queued.waiters -= 1;
        if queued.waiters == 0 || queued.verdict.initialized() {
            queue.remove(&self.digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn digest(n: usize) -> Digest {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&n.to_be_bytes());
        digest
    }

    #[tokio::test]
    async fn the_same_password_at_the_same_time_is_hashed_once() {
        const ATTEMPTS: usize = 100;
        let (hashing, hashes) = (Arc::new(Hashing::new()), Arc::new(AtomicUsize::new(0)));
        let (go, may_end) = mpsc::channel();
        let may_end = Arc::new(Mutex::new(may_end));
        let attempts: Vec<_> = (0..ATTEMPTS)
            .map(|_| {
                let (hashing, hashes, may_end) = (hashing.clone(), hashes.clone(), may_end.clone());
                tokio::spawn(async move {
                    let work = move || {
                        hashes.fetch_add(1, Ordering::SeqCst);
                        may_end.lock().unwrap().recv().unwrap();
                        Verdict::Wrong
                    };
                    hashing.run(digest(1), PEER, work).await
                })
            })
            .collect();
        // The hash ends when all have joined it, and not before.
        while hashing.lock().get(&digest(1)).is_none_or(|queued| queued.waiters < ATTEMPTS) {
            tokio::task::yield_now().await;
        }
        go.send(()).unwrap();
        for attempt in attempts {
            assert_eq!(attempt.await.unwrap(), Verdict::Wrong);
        }
        assert_eq!(hashes.load(Ordering::SeqCst), 1);
        assert!(hashing.lock().is_empty());
    }

    #[tokio::test]
    async fn one_hash_runs_at_a_time_and_the_queue_is_bounded() {
        const ATTEMPTS: usize = 200;
        let hashing = Arc::new(Hashing::new());
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (go, may_end) = mpsc::channel();
        let may_end = Arc::new(Mutex::new(may_end));
        let busy = Arc::new(AtomicUsize::new(0));
        let attempts: Vec<_> = (0..ATTEMPTS)
            .map(|n| {
                let (hashing, running, most) = (hashing.clone(), running.clone(), most.clone());
                let (may_end, busy) = (may_end.clone(), busy.clone());
                tokio::spawn(async move {
                    let work = move || {
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        may_end.lock().unwrap().recv().unwrap();
                        running.fetch_sub(1, Ordering::SeqCst);
                        Verdict::Wrong
                    };
                    let is_busy = hashing.run(digest(n), PEER, work).await == Verdict::Busy;
                    busy.fetch_add(usize::from(is_busy), Ordering::SeqCst);
                })
            })
            .collect();
        // No hash ends before all others were turned away.
        while busy.load(Ordering::SeqCst) < ATTEMPTS - MAX_WAITING_PER_PEER {
            tokio::task::yield_now().await;
        }
        (0..MAX_WAITING_PER_PEER).for_each(|_| go.send(()).unwrap());
        for attempt in attempts {
            attempt.await.unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 1);
        assert_eq!(busy.load(Ordering::SeqCst), ATTEMPTS - MAX_WAITING_PER_PEER);
        assert!(hashing.lock().is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_leaves_the_queue_but_its_hash_keeps_its_turn() {
        let hashing = Hashing::new();
        let (release, released) = mpsc::channel::<()>();
        let first = hashing.run(digest(1), PEER, move || {
            let _ = released.recv();
            Verdict::Wrong
        });
        let mut first = Box::pin(first);
        // Polled once, it waits for its work on the blocking thread.
        assert!(futures_poll_once(&mut first).await.is_none());
        drop(first);
        assert!(hashing.lock().is_empty());
        assert_eq!(hashing.turns.available_permits(), 0);
        release.send(()).unwrap();
        assert_eq!(hashing.run(digest(2), PEER, || Verdict::Wrong).await, Verdict::Wrong);
    }

    async fn futures_poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
            std::task::Poll::Pending => std::task::Poll::Ready(None),
        })
        .await
    }
}
