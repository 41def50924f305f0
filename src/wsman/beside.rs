//! Work that blocks, beside the event loop, and not more of it than leaves threads for others.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::soap::Fault;

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

    /// Waits for a place.
    pub(super) async fn take(&self) -> Result<Place, Fault> {
        self.0.clone().acquire_owned().await.map(Place).map_err(Fault::internal)
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

    use super::*;

    async fn is_ready<F: Future>(future: F) -> bool {
        let mut future = pin!(future);
        std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn work_keeps_its_place_until_it_ends_whoever_waits() {
        let places = Places::new(1);
        let (release, released) = mpsc::channel::<()>();
        let (end, ended) = tokio::sync::oneshot::channel();
        let work = places.take().await.unwrap().run(move || {
            let _ = released.recv();
            end.send(()).unwrap();
        });
        // Polled once, it is on its thread; then nobody waits for it any more.
        assert!(!is_ready(work).await);
        assert!(!is_ready(places.take()).await);
        release.send(()).unwrap();
        ended.await.unwrap();
        assert_eq!(places.take().await.unwrap().run(|| 7).await.unwrap(), 7);
    }
}
