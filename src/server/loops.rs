//! Whether the event loops that answer clients still turn.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use actix_web::rt;
use tokio::sync::watch;

/// The event loops of a server. Each answers whoever asks for as long as it turns.
#[derive(Clone, Debug, Default)]
pub struct Loops(Arc<Asked>);

#[derive(Debug, Default)]
struct Asked {
    question: watch::Sender<u64>,
    /// What each loop has answered last; a loop that has ended is gone.
    answers: Mutex<Vec<Weak<AtomicU64>>>,
}

impl Loops {
    /// Has the loop that this runs on answer from now on.
    pub(super) fn take_in(&self) {
        let mut question = self.0.question.subscribe();
        let answer = Arc::new(AtomicU64::new(*question.borrow_and_update()));
        self.0.answers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&answer));
        rt::spawn(async move {
            while question.changed().await.is_ok() {
                answer.store(*question.borrow_and_update(), Ordering::Relaxed);
            }
        });
    }

    /// Asks all loops, and tells how many of them have not answered the question before this one.
    pub fn ask(&self) -> usize {
        let asked = *self.0.question.borrow();
        let mut answers = self.0.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|answer| answer.strong_count() > 0);
        let missing =
            |answer: &&Weak<AtomicU64>| answer.upgrade().is_some_and(|answer| answer.load(Ordering::Relaxed) != asked);
        let missing = answers.iter().filter(missing).count();
        self.0.question.send_replace(asked.wrapping_add(1));
        missing
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::{self, JoinHandle};

    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::*;

    type Work = Box<dyn FnOnce() + Send>;

    /// A loop on a thread of its own that answers, and does what it is given in between.
    struct Turning(UnboundedSender<Work>, JoinHandle<()>);

    impl Turning {
        fn new(loops: &Loops) -> Self {
            let (loops, (give, mut work)) = (loops.clone(), unbounded_channel::<Work>());
            let thread = thread::spawn(move || {
                rt::System::new().block_on(async move {
                    loops.take_in();
                    while let Some(work) = work.recv().await {
                        work();
                        rt::task::yield_now().await;
                    }
                });
            });
            let turning = Self(give, thread);
            turning.turn();
            turning
        }

        fn give(&self, work: impl FnOnce() + Send + 'static) {
            assert!(self.0.send(Box::new(work)).is_ok());
        }

        /// Returns when the loop has turned several times.
        fn turn(&self) {
            for _ in 0..3 {
                let (tell, told) = mpsc::channel();
                self.give(move || tell.send(()).unwrap());
                told.recv().unwrap();
            }
        }

        fn end(self) {
            drop(self.0);
            self.1.join().unwrap();
        }
    }

    #[test]
    fn a_loop_that_hangs_is_missed_and_one_that_ended_is_not() {
        let loops = Loops::default();
        let (one, two) = (Turning::new(&loops), Turning::new(&loops));
        assert_eq!(loops.ask(), 0, "nothing was asked before");
        one.turn();
        two.turn();
        assert_eq!(loops.ask(), 0);
        let (let_go, hold) = mpsc::channel::<()>();
        let (tell, hangs) = mpsc::channel();
        two.give(move || {
            tell.send(()).unwrap();
            let _ = hold.recv();
        });
        hangs.recv().unwrap();
        loops.ask();
        one.turn();
        assert_eq!(loops.ask(), 1);
        drop(let_go);
        two.turn();
        one.turn();
        assert_eq!(loops.ask(), 0, "it turns again");
        two.end();
        one.turn();
        assert_eq!(loops.ask(), 0);
        one.end();
    }
}
