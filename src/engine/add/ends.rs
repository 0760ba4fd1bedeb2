//! What became of each backend of an add.

use crate::{
    mapping::DuplicateAdd,
    model::{Backend, Fault, FaultKind, Member, Operation, Outcome},
};

/// What became of one backend.
#[derive(Debug)]
pub(in crate::engine) enum End {
    /// This call added it.
    Added(Member),
    /// The group held it before this call, as asked.
    Present(Member),
    /// The answer to its add got lost, and the group holds it: added by this call, or there before.
    Landed(Member),
    /// The target says that it is there already; nobody has looked yet whether as asked.
    Duplicate(Fault),
    /// The answer to its add got lost, and the group does not show it, or could not be looked at.
    Doubtful {
        /// What was told instead of an answer.
        fault: Fault,
        /// Whether the group was looked at since.
        looked: bool,
    },
    /// It was not added, and why.
    Failed(Fault),
    /// It was not tried, because another had failed.
    Untried,
}

impl End {
    /// The fault of an end that is one.
    pub(in crate::engine) fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Duplicate(fault) | Self::Doubtful { fault, looked: _ } | Self::Failed(fault) => Some(fault),
            Self::Added(_) | Self::Present(_) | Self::Landed(_) | Self::Untried => None,
        }
    }

    /// Whether nothing was tried yet.
    pub(in crate::engine) fn is_untried(&self) -> bool {
        matches!(self, Self::Untried)
    }

    /// Whether a look at the group may still tell more.
    pub(in crate::engine) fn is_open(&self) -> bool {
        match self {
            Self::Duplicate(_) | Self::Doubtful { .. } => true,
            Self::Added(_) | Self::Present(_) | Self::Landed(_) | Self::Failed(_) | Self::Untried => false,
        }
    }

    /// The member of a group that this end speaks of.
    pub(in crate::engine) fn member(&self) -> Option<&Member> {
        match self {
            Self::Added(member) | Self::Present(member) | Self::Landed(member) => Some(member),
            Self::Duplicate(_) | Self::Doubtful { .. } | Self::Failed(_) | Self::Untried => None,
        }
    }
}

/// What the reply to a step says of each of its backends; none if the step was never sent.
pub(in crate::engine) fn ends_of(
    step: &Operation,
    reply: Option<Result<Outcome, Fault>>,
    duplicates: DuplicateAdd,
) -> Vec<End> {
    let count = if let Operation::AddBackends(add) = step { add.backends.len() } else { 0 };
    let each = |end: &dyn Fn() -> End| (0..count).map(|_| end()).collect();
    match reply {
        None => each(&|| End::Untried),
        Some(Ok(Outcome::Added(members))) if members.len() == count => {
            let Operation::AddBackends(add) = step else { return Vec::new() };
            let pairs = add.backends.iter().zip(members);
            pairs.map(|(wanted, member)| added(wanted, member, duplicates)).collect()
        }
        Some(Ok(_)) => {
            let fault = || Fault::new(FaultKind::TargetLost, "the target's reply does not fit the add");
            each(&|| End::Doubtful { fault: fault(), looked: false })
        }
        Some(Err(fault)) => each(&|| failure(fault.again(), duplicates)),
    }
}

/// A target that does not tell duplicates may list one with the weight that it had before.
fn added(wanted: &Backend, member: Member, duplicates: DuplicateAdd) -> End {
    if member.backend.same_traffic(wanted) {
        return End::Added(member);
    }
    failure(
        Fault::new(FaultKind::AlreadyPresent, "it was there before, with another weight or state"),
        duplicates,
    )
}

fn failure(fault: Fault, duplicates: DuplicateAdd) -> End {
    if fault.kind.leaves_doubt() {
        return End::Doubtful { fault, looked: false };
    }
    if fault.kind == FaultKind::AlreadyPresent && duplicates == DuplicateAdd::Accept {
        return End::Duplicate(fault);
    }
    End::Failed(fault)
}
