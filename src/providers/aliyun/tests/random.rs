//! Whatever this cloud may be asked for and answer, at random.

use super::*;

pub(super) fn word() -> impl Strategy<Value = String> {
    "[a-z0-9-]{1,20}"
}

pub(super) fn name() -> impl Strategy<Value = String> {
    // Whatever a person types, but for the comma that separates names.
    "[^,]{1,80}"
}

pub(super) fn any_place() -> impl Strategy<Value = Place> {
    option::of(word()).prop_map(|region| Place { region: region.and_then(RegionId::new), project: None })
}

pub(super) fn any_port() -> impl Strategy<Value = Port> {
    (1_u32..=65_535).prop_map(|port| Port::new(port).unwrap())
}

pub(super) fn any_target() -> impl Strategy<Value = Target> {
    let kind = select(vec![Kind::Instance, Kind::Interface, Kind::Container]);
    (kind, word(), any::<Option<[u8; 4]>>()).prop_map(|(kind, id, ip)| {
        let address = ip.filter(|_| kind.has_addresses()).map(Into::into);
        Target::Resource { kind, id: ResourceId::new(id).unwrap(), address }
    })
}

pub(super) fn any_backend() -> impl Strategy<Value = Backend> {
    let traffic =
        (0_u32..=100).prop_map(|weight| Weight::new(weight).map_or(Traffic::Off(None), Traffic::On));
    (any_target(), any_port(), traffic, option::of(".{1,80}")).prop_map(
        |(target, port, traffic, description)| Backend { target, port, traffic, standby: false, description },
    )
}

/// Backends of which no two are one entry.
pub(super) fn some_backends() -> impl Strategy<Value = Vec<Backend>> {
    vec(any_backend(), 0..6).prop_map(|mut backends: Vec<Backend>| {
        let known = backends.clone();
        let mut place = 0..;
        backends.retain(|later| {
            let before = place.next().unwrap();
            !known.iter().take(before).any(|earlier| earlier.same_entry(later))
        });
        backends
    })
}

pub(super) fn some_members() -> impl Strategy<Value = Vec<Member>> {
    some_backends().prop_map(|backends| backends.into_iter().map(in_group).collect())
}

pub(super) fn any_group_ref() -> impl Strategy<Value = GroupRef> {
    (word(), any_place()).prop_map(|(id, place)| GroupRef { place, ..group(&id) })
}

pub(super) fn any_balancer_ref() -> impl Strategy<Value = LoadBalancerRef> {
    (word(), any_place()).prop_map(|(id, place)| LoadBalancerRef { place, ..balancer(&id) })
}

pub(super) fn any_moment() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000).prop_map(|second| Timestamp::from_second(second).unwrap())
}

pub(super) fn any_listener() -> impl Strategy<Value = Listener> {
    let protocol = select(Protocol::ALL.to_vec());
    (protocol, any_port()).prop_map(|(protocol, port)| Listener { protocol, port })
}

pub(super) fn any_balancer(place: Place) -> impl Strategy<Value = LoadBalancer> {
    let reach = select(vec![Reach::Internet, Reach::Intranet]);
    let texts = (option::of(name()), option::of(word()), option::of(word()), option::of(word()));
    (word(), texts, reach, option::of(any_moment())).prop_map(
        move |(id, (name, address, vpc, subnet), reach, created)| LoadBalancer {
            id: LoadBalancerId::new(id).unwrap(),
            place: place.clone(),
            name,
            address,
            reach,
            vpc: vpc.and_then(VpcId::new),
            subnet: subnet.and_then(SubnetId::new),
            created,
            listeners: Vec::new(),
            groups: Vec::new(),
            group_count: 0,
        },
    )
}

pub(super) fn any_listing() -> impl Strategy<Value = ListLoadBalancers> {
    let reach = option::of(select(vec![Reach::Internet, Reach::Intranet]));
    let texts = (vec(word(), 0..=10), option::of(word()), option::of(word()), option::of(word()));
    (any_place(), vec(word(), 0..=10), texts, reach, 0_usize..1000, 1_usize..=100).prop_map(
        |(place, ids, (names, address, vpc, subnet), reach, page, limit)| {
            let ids = ids.into_iter().filter_map(LoadBalancerId::new).collect();
            let (vpc, subnet) = (vpc.and_then(VpcId::new), subnet.and_then(SubnetId::new));
            let filter = LoadBalancerFilter { ids, names, address, reach, vpc, subnet };
            ListLoadBalancers {
                place,
                filter,
                page: Page { offset: page * limit, limit },
                detail: Detail::Summary,
            }
        },
    )
}

pub(super) fn any_update() -> impl Strategy<Value = UpdateGroup> {
    let change = |backend: Backend| {
        let (weight, enabled) = match backend.traffic {
            Traffic::On(weight) => (Some(weight), Some(true)),
            Traffic::Off(_) => (None, Some(false)),
        };
        let named = Change::of(at(&backend));
        Change { weight, enabled, description: backend.description, ..named }
    };
    (any_group_ref(), option::of(name()), some_backends()).prop_map(move |(group, name, backends)| {
        let changes = backends.into_iter().map(change).collect();
        UpdateGroup { group, name, options: Vec::new(), changes }
    })
}

/// What every request may ask for, as its reader understands it.
pub(super) fn any_operation() -> impl Strategy<Value = Operation> {
    let references = || some_backends().prop_map(|backends| backends.iter().map(at).collect::<Vec<_>>());
    prop_oneof![
        (any_group_ref(), some_backends())
            .prop_map(|(group, backends)| Operation::AddBackends(AddBackends { group, backends })),
        (any_group_ref(), references()).prop_map(|(group, backends)| {
            Operation::RemoveBackends(RemoveBackends { scope: group.into(), backends })
        }),
        (any_group_ref(), references(), some_backends())
            .prop_map(|(group, old, new)| Operation::ReplaceBackends(ReplaceBackends { group, old, new })),
        any_group_ref().prop_map(Operation::DescribeGroup),
        any_group_ref().prop_map(Operation::DeleteGroup),
        (any_balancer_ref(), option::of(any_port()), option::of(select(Protocol::ALL.to_vec()))).prop_map(
            |(load_balancer, port, protocol)| {
                Operation::DescribeHealth(DescribeHealth { load_balancer, port, protocol })
            }
        ),
        (any_balancer_ref(), any::<bool>()).prop_map(|(load_balancer, listeners)| {
            let page = groups::ALL;
            Operation::ListGroups(ListGroups { load_balancer, page, listeners, members: false })
        }),
        (any_balancer_ref(), name(), some_backends()).prop_map(|(load_balancer, name, backends)| {
            let (name, listener, options) = (Some(name), None, Vec::new());
            Operation::CreateGroup(CreateGroup { load_balancer, name, listener, options, backends })
        }),
        any_update().prop_map(Operation::UpdateGroup),
        any_listing().prop_map(Operation::ListLoadBalancers),
        any_balancer_ref().prop_map(Operation::DescribeLoadBalancer),
    ]
}

/// A step and what may come of it, as far as this cloud tells it.
pub(super) fn any_end() -> impl Strategy<Value = (Operation, Outcome)> {
    let with_created = || (option::of(name()), option::of(any_moment()));
    prop_oneof![
        (any_group_ref(), some_backends()).prop_map(|(group, backends)| {
            let members = backends.iter().cloned().map(in_group).collect();
            (Operation::AddBackends(AddBackends { group, backends }), Outcome::Added(members))
        }),
        (any_group_ref(), some_backends()).prop_map(|(group, backends)| {
            let told = |backend: &Backend| in_group(Backend { description: None, ..backend.clone() });
            let outcome = Outcome::Removed(backends.iter().map(told).collect());
            let backends = backends.iter().map(at).collect();
            (Operation::RemoveBackends(RemoveBackends { scope: group.into(), backends }), outcome)
        }),
        (any_group_ref(), some_backends()).prop_map(|(group, new)| {
            let outcome = Outcome::Replaced(new.iter().cloned().map(in_group).collect());
            (Operation::ReplaceBackends(ReplaceBackends { group, old: Vec::new(), new }), outcome)
        }),
        (any_group_ref(), option::of(word()), with_created(), some_members()).prop_map(
            |(group, balancer, (name, created), members)| {
                let id = GroupRef { load_balancer: balancer.and_then(LoadBalancerId::new), ..group.clone() };
                let told = Group { name, created, ..Group::of(id, members) };
                (Operation::DescribeGroup(group), Outcome::Group(told))
            }
        ),
        any_group_ref().prop_map(|group| (Operation::DeleteGroup(group), Outcome::Deleted)),
        (any_balancer_ref(), vec((any_target(), any_port(), option::of(any_listener()), 0_usize..3), 0..6))
            .prop_map(|(load_balancer, checked)| {
                let checked = checked.into_iter().map(|(target, port, listener, health)| Checked {
                    target,
                    port,
                    listener,
                    health: Health::ALL[health],
                });
                let step = DescribeHealth { load_balancer, port: None, protocol: None };
                (Operation::DescribeHealth(step), Outcome::Health(checked.collect()))
            }),
        (any_balancer_ref(), vec((word(), with_created(), vec(any_listener(), 0..3), 0_usize..200), 0..5))
            .prop_map(|(load_balancer, groups)| {
                let told = groups.into_iter().map(|(id, (name, created), listeners, count)| {
                    let LoadBalancerRef { id: balancer, place } = load_balancer.clone();
                    let id = GroupRef { load_balancer: Some(balancer), place, ..group(&id) };
                    Group { name, listeners, created, count, ..Group::of(id, Vec::new()) }
                });
                let (told, page): (Vec<_>, _) = (told.collect(), Page::FIRST);
                let outcome = Outcome::Groups(told.clone(), told.len());
                let step = ListGroups { load_balancer, page, listeners: true, members: false };
                (Operation::ListGroups(step), outcome)
            }),
        (any_balancer_ref(), word(), option::of(name()), some_backends()).prop_map(
            |(load_balancer, id, name, backends)| {
                let LoadBalancerRef { id: balancer, place } = load_balancer.clone();
                let id = GroupRef { load_balancer: Some(balancer), place, ..group(&id) };
                let members = backends.iter().cloned().map(in_group).collect();
                let made = Group { name: name.clone(), ..Group::of(id, members) };
                let (listener, options) = (None, Vec::new());
                let step = CreateGroup { load_balancer, name, listener, options, backends };
                (Operation::CreateGroup(step), Outcome::Created(made))
            }
        ),
        (any_group_ref(), option::of(name()), some_members()).prop_map(|(group, name, members)| {
            let told = Group { name: name.clone(), ..Group::of(group.clone(), members) };
            let changes = told.members.iter().map(|member| backends::change_to(member.backend.clone()));
            let step = UpdateGroup { group, name, options: Vec::new(), changes: changes.collect() };
            (Operation::UpdateGroup(step), Outcome::GroupUpdated(told))
        }),
        (any_listing(), 0_usize..1000).prop_flat_map(|(listing, total)| {
            vec(any_balancer(listing.place.clone()), 0..5).prop_map(move |balancers| {
                (Operation::ListLoadBalancers(listing.clone()), Outcome::LoadBalancers(balancers, total))
            })
        }),
        any_place().prop_flat_map(|place| {
            (any_balancer(place), vec(any_listener(), 0..4)).prop_map(|(balancer, listeners)| {
                let told = LoadBalancer { listeners, ..balancer };
                let step = LoadBalancerRef { id: told.id.clone(), place: told.place.clone() };
                (Operation::DescribeLoadBalancer(step), Outcome::LoadBalancer(Box::new(told)))
            })
        }),
    ]
}

/// JSON of the names that replies have, in no order that makes sense.
pub(super) fn any_json() -> impl Strategy<Value = Document> {
    const NAMES: [&str; 24] = [
        "BackendServers",
        "BackendServer",
        "VServerGroupId",
        "VServerGroups",
        "VServerGroup",
        "ServerId",
        "Port",
        "Weight",
        "Type",
        "LoadBalancers",
        "LoadBalancer",
        "LoadBalancerId",
        "AddressType",
        "TotalCount",
        "CreateTime",
        "ServerCount",
        "AssociatedObjects",
        "Listeners",
        "Listener",
        "Protocol",
        "ListenerPort",
        "ListenerPortsAndProtocal",
        "ListenerPortAndProtocal",
        "ServerHealthStatus",
    ];
    let leaf = prop_oneof![
        Just(Document::Null),
        any::<bool>().prop_map(Document::Bool),
        any::<i64>().prop_map(Document::number),
        (0_i64..200).prop_map(Document::number),
        ".{0,8}".prop_map(Document::text),
        select(vec!["internet", "tcp", "ecs", "rsp-1", "lb-1", "i-1"]).prop_map(Document::text),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let member = (select(NAMES.to_vec()).prop_map(Into::into), inner.clone());
        prop_oneof![vec(inner, 0..4).prop_map(Document::List), vec(member, 0..6).prop_map(Document::Record)]
    })
}
