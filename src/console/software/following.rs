//! Jobs followed to their ends: told by the host where it can reach us, pulled from it where it cannot, asked for again and again
//! where it tells nothing.

use std::time::Duration;

use tokio::time::timeout;

use super::Job;
use crate::console::{ConsoleError, Inlet, Listener, Session, Subscription};
use crate::soap::EndpointReference;
use crate::wire::{Delivered, Filter, PlainValue};

/// What tells of jobs.
const CHANGES: &str = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob";
/// How long nothing may be heard of a job before it is asked for.
const SILENCE: Duration = Duration::from_secs(15);
/// The same where nobody knows yet whether deliveries get through.
const DOUBT: Duration = Duration::from_secs(2);
/// How long it may take to end a subscription that nobody needs any more.
const PARTING: Duration = Duration::from_secs(2);
/// The wait before a job is asked for anew: at first, and at last.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(3));

/// Who follows a job, and what is wanted.
pub struct Follower<'f> {
    /// Where the host may tell what happens.
    pub listener: Option<&'f Listener>,
    /// Gets the job each time that something of it is heard.
    pub watch: &'f mut dyn FnMut(&Job),
    /// Is told how the job is followed, and why not in a better way.
    pub note: &'f dyn Fn(&str),
}

/// How changes of jobs are heard of.
enum Way {
    /// The host tells us, and it was seen to get through or not yet.
    Told { subscription: Subscription, inlet: Inlet, is_proven: bool },
    /// It is asked for what has happened.
    Pulled(Subscription),
    /// It is asked how the job is, after a wait.
    Asked(Duration),
}

impl Session {
    /// Follows a job until it has ended; gives nothing if nobody wants to know any more (`left`) before it has.
    pub async fn follow(
        &self,
        reference: &EndpointReference,
        mut follower: Follower<'_>,
        left: impl Future<Output = ()>,
    ) -> Result<Option<Job>, ConsoleError> {
        // Before the job is asked for, so that nothing happens in between.
        let mut way = self.best_way(&follower).await;
        let ended = tokio::select! {
            ended = self.follow_by(&mut way, reference, &mut follower) => ended.map(Some),
            () = left => Ok(None),
        };
        self.leave(way).await;
        ended
    }

    async fn follow_by(
        &self,
        way: &mut Way,
        reference: &EndpointReference,
        follower: &mut Follower<'_>,
    ) -> Result<Job, ConsoleError> {
        let mut before: Option<Job> = None;
        loop {
            let job = self.job(reference).await?;
            (follower.watch)(&job);
            if job.state.is_final() {
                return Ok(job);
            }
            let has_moved = before.is_some_and(|before| before != job);
            if has_moved && matches!(way, Way::Told { is_proven: false, .. }) {
                (follower.note)("what happens does not arrive here; it is pulled");
                let pulled = self.pulled(follower).await;
                self.leave(std::mem::replace(way, pulled)).await;
            }
            match self.hear(way, &job, follower).await {
                Ok(Some(ended)) => return Ok(ended),
                Ok(None) => {}
                Err(error) => {
                    (follower.note)(&format!("{error}; the job is asked for again and again"));
                    *way = Way::Asked(WAITS.0);
                }
            }
            before = Some(job);
        }
    }

    async fn best_way(&self, follower: &Follower<'_>) -> Way {
        let Some(listener) = follower.listener else { return self.pulled(follower).await };
        match self.subscribe_at(listener, Filter::cql(CHANGES)).await {
            Ok((subscription, inlet)) => {
                (follower.note)("it tells what happens here");
                Way::Told { subscription, inlet, is_proven: false }
            }
            Err(error) => {
                (follower.note)(&format!("it does not tell what happens here, which is pulled: {error}"));
                self.pulled(follower).await
            }
        }
    }

    async fn pulled(&self, follower: &Follower<'_>) -> Way {
        match self.subscribe(Filter::cql(CHANGES)).await {
            Ok(subscription) => Way::Pulled(subscription),
            Err(error) => {
                (follower.note)(&format!(
                    "what happens cannot be pulled, and the job is asked for again and again: {error}"
                ));
                Way::Asked(WAITS.0)
            }
        }
    }

    /// Waits for what is to be heard of a job; gives it once it has ended. After a silence it is to be asked for.
    async fn hear(&self, way: &mut Way, job: &Job, follower: &mut Follower<'_>) -> Result<Option<Job>, ConsoleError> {
        loop {
            let told = self.told(way).await?;
            if told.is_empty() {
                return Ok(None);
            }
            for told in told {
                let event = match told {
                    Delivered::Event(event) => event,
                    Delivered::Dropped(_) => return Ok(None),
                    Delivered::Ended(why) => {
                        return Err(ConsoleError::Reply(format!("the host has ended the subscription: {why}")));
                    }
                };
                let source = event.get("SourceInstance").into_iter().flat_map(PlainValue::instances).next();
                let Some(source) = source.filter(|source| source.text("InstanceID") == Some(&job.id)) else { continue };
                let now = Job::of(source, job.reference.clone());
                (follower.watch)(&now);
                if now.state.is_final() {
                    return Ok(Some(now));
                }
            }
        }
    }

    /// Waits for what is told next, of any job; nothing after a silence.
    async fn told(&self, way: &mut Way) -> Result<Vec<Delivered>, ConsoleError> {
        match way {
            Way::Told { subscription, inlet, is_proven } => {
                if subscription.is_to_be_renewed() {
                    self.renew(subscription).await?;
                }
                let silence = if *is_proven { SILENCE } else { DOUBT };
                let told = timeout(silence, inlet.next()).await.unwrap_or_default();
                *is_proven |= !told.is_empty();
                Ok(told)
            }
            Way::Pulled(subscription) => self.events(subscription, SILENCE).await,
            Way::Asked(wait) => {
                tokio::time::sleep(*wait).await;
                *wait = wait.saturating_mul(3).checked_div(2).unwrap_or(WAITS.1).min(WAITS.1);
                Ok(Vec::new())
            }
        }
    }

    /// Ends what was begun to hear of the job. It would end by itself, too.
    async fn leave(&self, way: Way) {
        let (Way::Told { subscription, .. } | Way::Pulled(subscription)) = way else { return };
        let _ = timeout(PARTING, self.unsubscribe(subscription)).await;
    }
}
