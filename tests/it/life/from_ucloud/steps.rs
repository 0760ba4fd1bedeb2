//! Steps that a caller may take, and what they may be about.

use proptest::prelude::*;

use super::{Edit, Item, Pick, SERVERS, Step};

fn any_port() -> impl Strategy<Value = u32> {
    80_u32..=82
}

fn any_weight() -> impl Strategy<Value = u32> {
    prop_oneof![Just(1), Just(30), Just(100)]
}

fn any_item() -> impl Strategy<Value = Item> {
    (1..=SERVERS, any_port(), any_weight(), prop::bool::weighted(0.8))
        .prop_map(|(server, port, weight, enabled)| Item { server, port, weight, enabled })
}

fn any_pick() -> impl Strategy<Value = Pick> {
    prop_oneof![5 => (0_usize..12).prop_map(Pick::Listed), 1 => (0_usize..12).prop_map(Pick::Any)]
}

fn any_edit() -> impl Strategy<Value = Edit> {
    use proptest::option::of;
    (any_pick(), of(any_port()), of(any_weight()), of(any::<bool>()), of(Just(false)))
        .prop_map(|(id, port, weight, enabled, standby)| Edit { id, port, weight, enabled, standby })
}

fn any_group() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(0), 1 => Just(1), 2 => 2_usize..6]
}

fn any_name() -> impl Strategy<Value = String> {
    "(blue|green|a & b|ü{1,3})"
}

fn any_step() -> impl Strategy<Value = Step> {
    use proptest::collection::vec;
    prop_oneof![
        4 => (any_group(), any_item()).prop_map(|(group, item)| Step::Add { group, items: vec![item] }),
        2 => (any_group(), vec(any_item(), 2..6)).prop_map(|(group, items)| Step::Add { group, items }),
        3 => any_pick().prop_map(|id| Step::Release { id }),
        5 => any_edit().prop_map(|edit| Step::Update { edits: vec![edit] }),
        4 => vec(any_edit(), 2..4).prop_map(|edits| Step::Update { edits }),
        1 => (any_group(), any_name()).prop_map(|(group, name)| Step::Rename { group, name }),
        1 => any_name().prop_map(|name| Step::Create { name }),
        1 => (0_usize..6).prop_map(|group| Step::Delete { group }),
        1 => Just(Step::List),
    ]
}

/// Steps, each after a pause in milliseconds.
pub(super) fn any_steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let pause = prop_oneof![Just(0_u64), 0_u64..3000];
    proptest::collection::vec((pause, any_step()), 1..25)
}
