//! An identical request that makes something gets the recorded answer inside a short window, where the signature cannot
//! tell a repeat from a replay: several SDKs send one again that has already succeeded.
//!
//! The store has the records. Here is only who is at work: a repeat that comes meanwhile waits for the first to end.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::{sync::OnceCell, time::Instant};

use super::execute::Execution;
use crate::{
    dialect::Answer,
    model::{Fault, Group, Loss, Member, Outcome},
    store::{GroupKey, RequestDigest, Write},
};

/// What a request was answered.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) answer: Answer,
    /// The group that the answer tells of.
    pub(super) group: Option<GroupKey>,
    /// Whether the store has it.
    pub(super) is_recorded: bool,
}

/// An answer as the store has it.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    outcome: Made,
    losses: Vec<Loss>,
    group: Option<GroupKey>,
}

/// What comes of an operation that makes something.
#[derive(Debug, Serialize, Deserialize)]
enum Made {
    Added(Vec<Member>),
    Created(Box<Group>),
}

/// Requests by what two identical ones share.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    at_work: HashMap<RequestDigest, AtWork>,
    /// Answers that could not be written down. There are no more of them than requests were at work when the store failed:
    /// from then on it refuses changes. Once it can be used again, a repeat finds its answer here, while this process lives.
    unrecorded: HashMap<RequestDigest, Unrecorded>,
}

#[derive(Debug)]
struct AtWork {
    /// Empty until one of them has succeeded.
    answered: Arc<OnceCell<Answered>>,
    /// How many have asked the same.
    askers: usize,
}

#[derive(Debug)]
struct Unrecorded {
    answer: Answer,
    group: Option<GroupKey>,
    until: Instant,
}

/// One that has asked, until it has its answer or has gone away.
struct Asker<'r> {
    repeats: &'r Repeats,
    key: RequestDigest,
    answered: Arc<OnceCell<Answered>>,
}

impl Repeats {
    /// What `run` answers, or what it has answered to who asked the same and is at work. A failure is told to who ran into
    /// it alone: the next one tries again.
    pub(super) async fn once<F>(
        &self,
        key: RequestDigest,
        window: Duration,
        run: impl FnOnce() -> F,
    ) -> Result<Answer, Fault>
    where
        F: Future<Output = Result<Answered, Fault>>,
    {
        if let Some(answer) = self.lock().unrecorded(&key) {
            return Ok(answer);
        }
        let asker = self.ask(key);
        let answered = || async {
            let answered = run().await?;
            if !answered.is_recorded {
                self.lock().remember(key, &answered, Instant::now() + window);
            }
            Ok(answered)
        };
        asker.answered.get_or_try_init(answered).await.map(|answered| answered.answer.clone())
    }

    /// Forgets what could not be written down of a group: what it told of is no longer so.
    pub(super) fn forget(&self, group: &GroupKey) {
        self.lock().unrecorded.retain(|_, known| known.group.as_ref() != Some(group));
    }

    /// The same of a target: what went there past the engine may have changed anything.
    pub(super) fn forget_target(&self, target: &str) {
        let is_of_another = |group: &GroupKey| &*group.cloud != target;
        self.lock().unrecorded.retain(|_, known| known.group.as_ref().is_some_and(is_of_another));
    }

    fn ask(&self, key: RequestDigest) -> Asker<'_> {
        let mut known = self.lock();
        let at_work =
            known.at_work.entry(key).or_insert_with(|| AtWork { answered: Arc::default(), askers: 0 });
        at_work.askers += 1;
        Asker { repeats: self, key, answered: Arc::clone(&at_work.answered) }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn unrecorded(&self, key: &RequestDigest) -> Option<Answer> {
        let known = self.unrecorded.get(key).filter(|known| known.until > Instant::now());
        known.map(|known| known.answer.clone())
    }

    fn remember(&mut self, key: RequestDigest, answered: &Answered, until: Instant) {
        let now = Instant::now();
        self.unrecorded.retain(|_, known| known.until > now);
        let (answer, group) = (answered.answer.clone(), answered.group.clone());
        self.unrecorded.insert(key, Unrecorded { answer, group, until });
    }
}

impl Drop for Asker<'_> {
    /// Whoever asks after an answer was given asks the store. Who waits behind a failure is still waited with.
    fn drop(&mut self) {
        let mut known = self.repeats.lock();
        let Some(at_work) = known.at_work.get_mut(&self.key) else { return };
        if !Arc::ptr_eq(&at_work.answered, &self.answered) {
            return;
        }
        at_work.askers -= 1;
        if at_work.askers == 0 || self.answered.initialized() {
            known.at_work.remove(&self.key);
        }
    }
}

impl Execution<'_> {
    /// Takes down what a request is answered now, for a repeat of it; whether that can be written down.
    pub(super) fn record(
        &self,
        request: RequestDigest,
        now: Timestamp,
        answer: &Answer,
        group: Option<&GroupKey>,
    ) -> bool {
        let Answer::Translated { outcome, losses } = answer else { return false };
        let outcome = match outcome {
            Outcome::Added(members) => Made::Added(members.clone()),
            Outcome::Created(made) => Made::Created(Box::new(made.clone())),
            Outcome::Removed(_)
            | Outcome::Updated(_)
            | Outcome::Replaced(_)
            | Outcome::Group(_)
            | Outcome::Health(_)
            | Outcome::Groups(..)
            | Outcome::GroupUpdated(_)
            | Outcome::Deleted
            | Outcome::LoadBalancers(..)
            | Outcome::LoadBalancer(_)
            | Outcome::Regions(_)
            | Outcome::Projects(_) => return false,
        };
        let told = Told { outcome, losses: losses.clone(), group: group.cloned() };
        let Ok(answer) = serde_json::to_string(&told) else { return false };
        let window =
            SignedDuration::try_from(self.parts.config.limits.repeat_window).unwrap_or(SignedDuration::MAX);
        let until = now.saturating_add(window).unwrap_or(Timestamp::MAX);
        self.note(Write::Answered { request, group: group.cloned(), until, answer });
        true
    }
}

/// An answer that the store has, and the group that it tells of; none if another version wrote it.
pub(super) fn read_back(text: &str) -> Option<Answered> {
    let Told { outcome, losses, group } = serde_json::from_str(text).ok()?;
    let outcome = match outcome {
        Made::Added(members) => Outcome::Added(members),
        Made::Created(made) => Outcome::Created(*made),
    };
    Some(Answered { answer: Answer::Translated { outcome, losses }, group, is_recorded: true })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::{advance, sleep};

    use super::*;
    use crate::model::FaultKind;

    const WINDOW: Duration = Duration::from_secs(10);

    fn group(cloud: &str) -> GroupKey {
        GroupKey { cloud: cloud.into(), group: "g1".into() }
    }

    /// Requests of one key that take a second each, and how many were carried out.
    #[derive(Default)]
    struct Desk {
        repeats: Repeats,
        runs: AtomicUsize,
    }

    impl Desk {
        async fn ask(&self, is_recorded: bool, fails: bool) -> Result<Answer, Fault> {
            let run = || async {
                self.runs.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_secs(1)).await;
                let answer = Answer::Translated { outcome: Outcome::Added(Vec::new()), losses: Vec::new() };
                let answered = Answered { answer, group: Some(group("prod")), is_recorded };
                if fails { Err(Fault::new(FaultKind::TargetRefused, "not now")) } else { Ok(answered) }
            };
            self.repeats.once([7; 32], WINDOW, run).await
        }

        fn runs(&self) -> usize {
            assert!(self.repeats.lock().at_work.is_empty(), "nobody is at work any more");
            self.runs.load(Ordering::Relaxed)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_meanwhile_waits_and_who_asks_later_asks_the_store() {
        let desk = Desk::default();
        let (one, other) = tokio::join!(desk.ask(true, false), desk.ask(true, false));
        assert_eq!((one.unwrap(), desk.runs()), (other.unwrap(), 1));
        desk.ask(true, false).await.unwrap();
        assert_eq!(desk.runs(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_told_to_one_and_nobody_is_left_behind() {
        let desk = Desk::default();
        let (one, second, third) =
            tokio::join!(desk.ask(true, true), desk.ask(true, false), desk.ask(true, false));
        assert!(one.is_err());
        assert_eq!((second.unwrap(), desk.runs()), (third.unwrap(), 2));
        let (one, other) = tokio::join!(desk.ask(true, true), desk.ask(true, true));
        assert!(one.is_err() && other.is_err());
        let given_up = tokio::time::timeout(WINDOW / 100, desk.ask(true, false)).await;
        assert!(given_up.is_err());
        assert_eq!(desk.runs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_written_down_is_told_until_its_time_is_over_or_it_is_forgotten() {
        let desk = Desk::default();
        for _ in 0..2 {
            desk.ask(false, false).await.unwrap();
        }
        desk.repeats.forget(&group("other"));
        desk.repeats.forget_target("other");
        desk.ask(false, false).await.unwrap();
        assert_eq!(desk.runs(), 1);
        desk.repeats.forget(&group("prod"));
        desk.ask(false, false).await.unwrap();
        desk.repeats.forget_target("prod");
        desk.ask(false, false).await.unwrap();
        assert_eq!(desk.runs(), 3);
        advance(WINDOW).await;
        desk.ask(false, false).await.unwrap();
        assert_eq!(desk.runs(), 4);
    }
}
