//! What is written reads back.

use super::{random::*, *};

proptest! {
    #[test]
    fn what_the_gateway_asks_reads_back(operation in any_operation(), scheme in 0_usize..2) {
        let asked = Asked { given: Vec::new(), ..received(&operation, scheme).unwrap() };
        prop_assert_eq!(asked, Asked::all(operation));
    }

    #[test]
    fn a_change_of_backends_is_one_of_the_group(update in any_update(), scheme in 0_usize..2) {
        let UpdateGroup { group, changes, .. } = update.clone();
        let step = Operation::UpdateBackends(UpdateBackends { scope: group.into(), changes });
        let asked = received(&step, scheme).unwrap();
        prop_assert_eq!(asked.operation, Operation::UpdateGroup(UpdateGroup { name: None, ..update }));
    }

    #[test]
    fn what_came_of_it_reads_back((step, outcome) in any_end()) {
        prop_assert_eq!(read_back(&step, &outcome).unwrap(), outcome);
    }

    #[test]
    fn what_came_of_a_change_of_backends_reads_back(group in any_group_ref(), backends in some_backends()) {
        let changes: Vec<Change> = backends.iter().cloned().map(backends::change_to).collect();
        let scope = group.clone().into();
        let step = Operation::UpdateBackends(UpdateBackends { scope, changes: changes.clone() });
        let told = Group::of(group, backends.into_iter().map(in_group).collect());
        let updated = changes.into_iter().map(|change| Updated { backend: change.backend, refusal: None });
        let read = read_back(&step, &Outcome::GroupUpdated(told)).unwrap();
        prop_assert_eq!(read, Outcome::Updated(updated.collect()));
    }

    #[test]
    fn every_shape_and_format_is_written((step, outcome) in any_end()) {
        for (format, shape) in [
            (Format::Json, Shape::Documented),
            (Format::Xml, Shape::Live),
            (Format::Xml, Shape::Documented),
        ] {
            let reply = answered(Some(&step), &outcome, format, shape);
            prop_assert_eq!(reply.status, StatusCode::OK);
        }
    }

    #[test]
    fn a_reply_that_makes_no_sense_is_a_fault_of_the_target(operation in any_operation(), body in any_json()) {
        if let Err(fault) = replied(&operation, 200, &body.to_json()) {
            let known = [FaultKind::TargetLost, FaultKind::AlreadyPresent];
            prop_assert!(known.contains(&fault.kind), "{}", fault);
        }
    }
}
