//! Work that blocks, beside the event loop, and not more of it than leaves threads for others.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use crate::soap::{Fault, FaultKind};

/// Places for one kind of work that blocks. Passwords are checked on the same threads as such work: if it could take them
/// all, whoever may start something slow would lock everybody else out.
#[derive(Debug)]
pub(super) struct Places(Arc<Semaphore>);

/// The right to do one piece of work. It goes with the work and not with who waits for it.
#[derive(Debug)]
pub(super) struct Place(tokio::sync::OwnedSemaphorePermit);

impl Places {
    pub(super) fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// Waits for a place until the deadline (DSP0226 R6.1-1).
    pub(super) async fn take(&self, deadline: Instant) -> Result<Place, Fault> {
        match timeout_at(deadline, self.0.clone().acquire_owned()).await {
            Ok(place) => place.map(Place).map_err(Fault::internal),
            Err(_) => Err(Fault::new(
                FaultKind::TimedOut,
                "too much is under way, so nothing was done within the OperationTimeout; try again later",
            )),
        }
    }

    /// Runs work that changes something. After the deadline it goes on; only the reply is given up (DSP0226 R6.1-1).
    pub(super) async fn run_until<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let place = self.take(deadline).await?;
        timeout_at(deadline, place.run(work)).await.unwrap_or_else(|_| {
            Err(Fault::new(
                FaultKind::TimedOut,
                "the operation did not end within its OperationTimeout; it goes on, so look at what became of it \
                 before you ask for it again",
            ))
        })
    }
}

impl Place {
    /// Runs the work, to its end even if nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        let Self(place) = self;
        let work = move || {
            let _place = place;
            work()
        };
        spawn_blocking(work).await.map_err(Fault::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::Poll;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn work_that_takes_too_long_is_a_time_out_and_goes_on() {
        let places = Places::new(1);
        let (release, released) = mpsc::channel::<()>();
        let (end, ended) = tokio::sync::oneshot::channel();
        let work = move || {
            let _ = released.recv();
            end.send(()).unwrap();
        };
        let fault = places.run_until(Instant::now(), work).await.unwrap_err();
        assert_eq!(fault.kind(), FaultKind::TimedOut);
        assert!(fault.reason().contains("it goes on"), "{fault}");
        let fault = places.run_until(Instant::now(), || ()).await.unwrap_err();
        assert!(fault.reason().contains("nothing was done"), "{fault}");
        release.send(()).unwrap();
        ended.await.unwrap();
    }

    async fn is_ready<F: Future>(future: F) -> bool {
        let mut future = pin!(future);
        std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn work_keeps_its_place_until_it_ends_whoever_waits() {
        let places = Places::new(1);
        let (release, released) = mpsc::channel::<()>();
        let (end, ended) = tokio::sync::oneshot::channel();
        let later = Instant::now() + Duration::from_secs(3600);
        let work = places.take(later).await.unwrap().run(move || {
            let _ = released.recv();
            end.send(()).unwrap();
        });
        // Polled once, it is on its thread; then nobody waits for it any more.
        assert!(!is_ready(work).await);
        assert!(!is_ready(places.take(later)).await);
        assert_eq!(places.take(Instant::now()).await.unwrap_err().kind(), FaultKind::TimedOut);
        release.send(()).unwrap();
        ended.await.unwrap();
        assert_eq!(places.take(later).await.unwrap().run(|| 7).await.unwrap(), 7);
    }
}
