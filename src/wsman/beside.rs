//! Work that blocks, beside the event loop, and not more of it than leaves threads for others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use crate::soap::{Fault, FaultKind};

/// Places for one kind of work that blocks. Passwords are checked on the same threads as such work: if it could take them
/// all, whoever may start something slow would lock everybody else out.
///
/// One user has fewer than all, so that nobody locks out the others.
#[derive(Debug)]
pub struct Places {
    all: Arc<Semaphore>,
    of_one_user: usize,
    users: Mutex<HashMap<Arc<str>, Weak<Semaphore>>>,
}

/// The right to do one piece of work. It goes with the work and not with who waits for it.
#[derive(Debug)]
pub struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_user: OwnedSemaphorePermit,
}

impl Places {
    /// So many places in all, and so many of them for one user.
    pub fn new(places: usize, of_one_user: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(places)), of_one_user, users: Mutex::default() }
    }

    /// Waits for a place until the deadline (DSP0226 R6.1-1).
    pub async fn take(&self, user: &Arc<str>, deadline: Instant) -> Result<Place, Fault> {
        let both = async {
            let of_user = self.places_of(user).acquire_owned().await?;
            Ok(Place { _of_user: of_user, _of_all: self.all.clone().acquire_owned().await? })
        };
        match timeout_at(deadline, both).await {
            Ok(place) => place.map_err(|error: AcquireError| Fault::internal(error)),
            Err(_) => Err(Fault::new(
                FaultKind::TimedOut,
                "too much is under way, so nothing was done within the OperationTimeout; try again later",
            )),
        }
    }

    /// Looks at something that may have to be read first. After the deadline the reading goes on for the next who asks.
    pub async fn look_until<T: Send + 'static>(
        &self,
        user: &Arc<str>,
        deadline: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let place = self.take(user, deadline).await?;
        timeout_at(deadline, place.run(work)).await.unwrap_or_else(|_| {
            Err(Fault::new(
                FaultKind::TimedOut,
                "what was asked for could not be read within the OperationTimeout; ask again",
            ))
        })
    }

    fn places_of(&self, user: &Arc<str>) -> Arc<Semaphore> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = users.get(user).and_then(Weak::upgrade) {
            return places;
        }
        users.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(self.of_one_user));
        users.insert(user.clone(), Arc::downgrade(&places));
        places
    }

    /// Runs work that changes something. After the deadline it goes on; only the reply is given up (DSP0226 R6.1-1).
    pub async fn run_until<T: Send + 'static>(
        &self,
        user: &Arc<str>,
        deadline: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let place = self.take(user, deadline).await?;
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
    /// Runs the work, to its end even if nobody waits for it any more. What it logs belongs to the request.
    pub async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        let span = tracing::Span::current();
        let work = move || {
            let _place = self;
            span.in_scope(work)
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

    fn ann() -> Arc<str> {
        "ann".into()
    }

    #[tokio::test]
    async fn one_user_leaves_a_place_to_others() {
        let places = Places::new(3, 2);
        let (now, later) = (Instant::now(), Instant::now() + Duration::from_secs(3600));
        let (one, two) = (places.take(&ann(), later).await.unwrap(), places.take(&ann(), later).await.unwrap());
        assert_eq!(places.take(&ann(), now).await.unwrap_err().kind(), FaultKind::TimedOut);
        let other = places.take(&"bob".into(), later).await.unwrap();
        drop((one, two));
        places.take(&ann(), later).await.unwrap();
        drop(other);
        assert!(places.users.lock().unwrap().len() <= 2);
    }

    #[tokio::test]
    async fn work_that_takes_too_long_is_a_time_out_and_goes_on() {
        let places = Places::new(1, 1);
        let (release, released) = mpsc::channel::<()>();
        let (end, ended) = tokio::sync::oneshot::channel();
        let work = move || {
            let _ = released.recv();
            end.send(()).unwrap();
        };
        let fault = places.run_until(&ann(), Instant::now(), work).await.unwrap_err();
        assert_eq!(fault.kind(), FaultKind::TimedOut);
        assert!(fault.reason().contains("it goes on"), "{fault}");
        let fault = places.run_until(&ann(), Instant::now(), || ()).await.unwrap_err();
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
        let places = Places::new(1, 1);
        let (release, released) = mpsc::channel::<()>();
        let (end, ended) = tokio::sync::oneshot::channel();
        let later = Instant::now() + Duration::from_secs(3600);
        let work = places.take(&ann(), later).await.unwrap().run(move || {
            let _ = released.recv();
            end.send(()).unwrap();
        });
        // Polled once, it is on its thread; then nobody waits for it any more.
        assert!(!is_ready(work).await);
        assert!(!is_ready(places.take(&ann(), later)).await);
        assert_eq!(places.take(&ann(), Instant::now()).await.unwrap_err().kind(), FaultKind::TimedOut);
        release.send(()).unwrap();
        ended.await.unwrap();
        assert_eq!(places.take(&ann(), later).await.unwrap().run(|| 7).await.unwrap(), 7);
    }
}
