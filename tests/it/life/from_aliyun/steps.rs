//! Steps that a caller may take, and what they may be about.

use proptest::prelude::*;

use super::{Item, Pick, SERVERS, Step};

fn any_weight() -> impl Strategy<Value = u32> {
    prop_oneof![2 => Just(0), 1 => Just(1), 2 => Just(50), 2 => Just(100)]
}

fn any_description() -> impl Strategy<Value = Option<String>> {
    prop_oneof![3 => Just(None), 1 => "(web|db|a \"b\" <ü>)".prop_map(Some)]
}

fn any_item() -> impl Strategy<Value = Item> {
    (1..=SERVERS, 80_u32..=82, any_weight(), any_description())
        .prop_map(|(server, port, weight, description)| Item { server, port, weight, description })
}

fn any_pick() -> impl Strategy<Value = Pick> {
    prop_oneof![
        5 => (0_usize..12).prop_map(Pick::Listed),
        1 => (1..=SERVERS, 80_u32..=82).prop_map(|(server, port)| Pick::Any(server, port)),
    ]
}

fn any_group() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(0), 1 => Just(1), 2 => 2_usize..6]
}

fn any_name() -> impl Strategy<Value = String> {
    "(blue|green|a & b|ü{1,3})"
}

fn any_step() -> impl Strategy<Value = Step> {
    use proptest::{collection::vec, option::of};
    prop_oneof![
        3 => (any_group(), any_item()).prop_map(|(group, item)| Step::Add { group, items: vec![item] }),
        3 => (any_group(), vec(any_item(), 2..6)).prop_map(|(group, items)| Step::Add { group, items }),
        3 => (any_group(), vec(any_pick(), 1..4)).prop_map(|(group, picks)| Step::Remove { group, picks }),
        5 => (any_group(), of(any_name()), vec((any_pick(), any_weight(), any_description()), 0..4))
            .prop_map(|(group, name, items)| Step::Set { group, name, items }),
        4 => (any_group(), vec(any_pick(), 0..3), vec(any_item(), 0..3))
            .prop_map(|(group, picks, new)| Step::Swap { group, picks, new }),
        1 => (any_name(), vec(any_item(), 0..4)).prop_map(|(name, items)| Step::Create { name, items }),
        1 => (1_usize..6).prop_map(|group| Step::Delete { group }),
        1 => Just(Step::List),
    ]
}

/// Steps, each after a pause in milliseconds.
pub(super) fn any_steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let pause = prop_oneof![Just(0_u64), 0_u64..3000];
    proptest::collection::vec((pause, any_step()), 1..25)
}
