//! The way there and back gives the same.

use super::{random::*, *};

proptest! {
    #[test]
    fn a_step_reads_back_as_the_operation_that_it_is(step in steps()) {
        prop_assert_eq!(there(&step), Asked::all(step));
    }

    #[test]
    fn one_load_balancer_is_asked_for_as_a_list_of_one(named in load_balancer_refs()) {
        let filter = LoadBalancerFilter { ids: vec![named.id.clone()], ..LoadBalancerFilter::default() };
        let place = named.place.clone();
        let list = ListLoadBalancers { place, filter, page: Page::FIRST, detail: Detail::Groups };
        let wanted = Asked::all(Operation::ListLoadBalancers(list));
        prop_assert_eq!(there(&Operation::DescribeLoadBalancer(named)), wanted);
    }

    #[test]
    fn an_add_and_a_removal_read_back(group in group_refs(), backend in backends(), id in text()) {
        let add = Operation::AddBackends(AddBackends { group: group.clone(), backends: vec![backend.clone()] });
        let id = BackendId::new(id).unwrap();
        let added = Outcome::Added(vec![Member { backend, id: Some(id.clone()), health: Health::Unknown, also: None }]);
        prop_assert_eq!(back(&add, &added).unwrap(), added);
        let backends = vec![BackendRef::Id(id)];
        let remove = Operation::RemoveBackends(RemoveBackends { scope: Scope::from(group), backends });
        let removed = Outcome::Removed(Vec::new());
        prop_assert_eq!(back(&remove, &removed).unwrap(), removed);
    }

    #[test]
    fn what_became_of_each_change_reads_back(
        scope in scopes(), changes in changes(20), refused in any::<[bool; 20]>(),
    ) {
        let step = Operation::UpdateBackends(UpdateBackends { scope, changes: changes.clone() });
        let kind = |refused| if refused { Some(FaultKind::UnknownBackend) } else { None };
        let updates = changes.iter().zip(refused).map(|(change, refused)| Updated {
            backend: change.backend.clone(),
            refusal: kind(refused).map(|kind| Refusal { kind, field: None, detail: "".into() }),
        });
        let outcome = Outcome::Updated(updates.collect());
        let action = egress::Ulb.write_call(&step, &CLOUD).unwrap().action;
        match ingress::Ulb.write_success(&envelope(&action), Some(&step), &outcome, &CLOUD) {
            Ok(reply) => {
                let Outcome::Updated(found) = egress::Ulb.read_reply(&step, &reply, &CLOUD).unwrap() else {
                    panic!("an update is told as one");
                };
                let named: Vec<&BackendRef> = found.iter().map(|update| &update.backend).collect();
                prop_assert_eq!(named, changes.iter().map(|change| &change.backend).collect::<Vec<_>>());
                let kinds: Vec<_> =
                    found.iter().map(|update| update.refusal.as_ref().map(|refusal| refusal.kind)).collect();
                let wanted: Vec<_> = changes.iter().zip(refused).map(|(_, refused)| kind(refused)).collect();
                prop_assert_eq!(kinds, wanted);
            }
            // A call for one backend is refused as a whole.
            Err(fault) => {
                prop_assert_eq!((changes.len(), fault.kind), (1, FaultKind::UnknownBackend));
                prop_assert!(refused[0]);
            }
        }
    }

    #[test]
    fn a_group_reads_back((id, group) in group_refs().prop_flat_map(|id| (Just(id.clone()), groups(id)))) {
        let outcome = Outcome::Group(group);
        prop_assert_eq!(back(&Operation::DescribeGroup(id), &outcome).unwrap(), outcome);
    }

    #[test]
    fn a_list_of_groups_reads_back(
        (load_balancer, groups) in
            load_balancer_refs().prop_flat_map(|named| (Just(named.clone()), groups_within(named))),
        page in pages(), more in 0_usize..1000,
    ) {
        let list = ListGroups { load_balancer, page, listeners: true, members: true };
        let count = groups.len() + more;
        let outcome = Outcome::Groups(groups, count);
        prop_assert_eq!(back(&Operation::ListGroups(list), &outcome).unwrap(), outcome);
    }

    #[test]
    fn a_new_group_reads_back(create in creations(), id in text()) {
        let LoadBalancerRef { id: load_balancer, place } = create.load_balancer.clone();
        let id = GroupRef { load_balancer: Some(load_balancer), group: GroupId::new(id).unwrap(), place };
        let outcome = Outcome::Created(Group {
            name: create.name.clone(),
            listeners: create.listener.iter().cloned().collect(),
            options: create.options.clone(),
            ..Group::of(id, Vec::new())
        });
        prop_assert_eq!(back(&Operation::CreateGroup(create), &outcome).unwrap(), outcome);
    }

    #[test]
    fn a_changed_group_and_one_that_is_gone_read_back(update in group_updates()) {
        let UpdateGroup { group, name, options, changes: _ } = update.clone();
        let delete = Operation::DeleteGroup(group.clone());
        prop_assert_eq!(back(&delete, &Outcome::Deleted).unwrap(), Outcome::Deleted);
        let outcome = Outcome::GroupUpdated(Group { name, options, ..Group::of(group, Vec::new()) });
        prop_assert_eq!(back(&Operation::UpdateGroup(update), &outcome).unwrap(), outcome);
    }

    #[test]
    fn load_balancers_read_back(
        (named, balancer) in load_balancer_refs().prop_flat_map(|named| (Just(named.clone()), load_balancers(named))),
        list in lists(), more in 0_usize..1000,
    ) {
        let place = named.place.clone();
        let list = ListLoadBalancers { place, ..list };
        let one = Outcome::LoadBalancer(Box::new(balancer.clone()));
        prop_assert_eq!(back(&Operation::DescribeLoadBalancer(named), &one).unwrap(), one);
        let count = 1 + more;
        let all = Outcome::LoadBalancers(vec![balancer.clone()], count);
        prop_assert_eq!(back(&Operation::ListLoadBalancers(list.clone()), &all).unwrap(), all);
        let bare = LoadBalancer { listeners: Vec::new(), groups: Vec::new(), ..balancer };
        let simple = Operation::ListLoadBalancers(ListLoadBalancers { detail: Detail::GroupCount, ..list });
        let all = Outcome::LoadBalancers(vec![bare], count);
        prop_assert_eq!(back(&simple, &all).unwrap(), all);
    }

    #[test]
    fn no_reply_makes_the_egress_panic(step in steps(), body in bodies()) {
        let _outcome = heard(&step, &body.to_string());
        if let serde_json::Value::Object(mut body) = body {
            body.insert("RetCode".to_owned(), 0.into());
            let _outcome = heard(&step, &serde_json::Value::Object(body).to_string());
        }
    }
}
