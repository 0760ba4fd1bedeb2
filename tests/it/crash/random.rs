//! Kills at any moment while several callers change groups of their own, one operation after the other.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use weighbridge::model::{Member, Target, Traffic};

use super::{
    deeds::{add_to, of_group, remove_from, servers},
    scene::{From, Scene, answer},
};
use crate::support::{house::exchange, program::announce, signing::Pairs};

/// Gateways, each with clouds of its own.
const WORLDS: u64 = 4;

/// How often each of them is killed.
const KILLS: usize = 6;

/// How many callers each has.
const CALLERS: usize = 5;

/// The weights of a group's members, by server and port; and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    members: BTreeMap<(usize, u16), u8>,
}

/// One who changes a group.
struct Caller {
    group: usize,
    dice: Dice,
    holds: Group,
    /// What the group is to become by the operation that nobody has answered.
    aims_at: Option<Group>,
}

/// The same numbers in every run.
struct Dice(u64);

#[test]
fn a_kill_at_any_moment_leaves_every_group_whole_or_as_before() {
    let began = Instant::now();
    let cut_short: [usize; 2] = thread::scope(|scope| {
        let worlds: Vec<_> = (0..WORLDS).map(|seed| scope.spawn(move || in_one_world(seed))).collect();
        let fates = worlds.into_iter().map(|world| world.join().unwrap());
        fates.fold([0, 0], |sum, fates| [sum[0] + fates[0], sum[1] + fates[1]])
    });
    let [whole, as_before] = cut_short;
    announce(&format!(
        "{} kills at random: of what was cut short, {whole} whole and {as_before} as before, in {:.1} s",
        WORLDS * KILLS as u64,
        began.elapsed().as_secs_f64()
    ));
    assert!(whole + as_before >= KILLS, "hardly anything was cut short");
}

/// How many operations were found whole, and how many as before.
fn in_one_world(seed: u64) -> [usize; 2] {
    let mut scene = Scene::with_groups(CALLERS);
    let mut moments = Dice(seed);
    let mut callers: Vec<Caller> = (0..CALLERS).map(|group| Caller::new(group, seed)).collect();
    let mut fates = [0, 0];
    for _ in 0..KILLS {
        let endpoint = scene.endpoint();
        thread::scope(|scope| {
            for caller in &mut callers {
                scope.spawn(|| caller.ask_until_nobody_answers(&endpoint));
            }
            thread::sleep(Duration::from_millis(moments.roll(400) as u64));
            scene.kill();
        });
        scene.start();
        for caller in &mut callers {
            let cut_short = caller.aims_at.is_some();
            let whole = caller.look(&scene);
            fates[usize::from(!whole)] += usize::from(cut_short);
        }
    }
    fates
}

impl Caller {
    fn new(group: usize, seed: u64) -> Self {
        let holds = Group { name: "VServer".to_owned(), members: BTreeMap::new() };
        Self { group, dice: Dice(seed << 32 | group as u64), holds, aims_at: None }
    }

    fn ask_until_nobody_answers(&mut self, endpoint: &str) {
        loop {
            let (request, aims_at) = self.any();
            self.aims_at = Some(aims_at.clone());
            let Ok(reply) = exchange(endpoint, &From::Aliyun.signed(&request)) else { return };
            let (code, body) = answer(&reply);
            assert_eq!(code, "200 0", "{request:?}: {body}");
            self.holds = aims_at;
        }
    }

    /// Looks, when the next change is let in, what became of the operation that was cut short. Whether it is whole.
    fn look(&mut self, scene: &Scene) -> bool {
        let none = remove_from(&self.name(), &servers(1..=1, 7777, 1));
        scene.do_it(From::Aliyun, &none);
        let groups = scene.clouds.groups(From::Aliyun.target());
        let id = format!("vserver-{:03}", self.group);
        let found = groups.into_iter().find(|group| group.id.group.as_str() == id).unwrap();
        let members = found.members.iter().map(held).collect();
        let now = Group { name: found.name.unwrap(), members };
        let aim = self.aims_at.take();
        let whole = aim.as_ref().is_some_and(|aim| *aim == now);
        assert!(whole || now == self.holds, "{:?}\n     to {aim:?}\nbecame {now:?}", self.holds);
        self.holds = now;
        whole
    }

    fn name(&self) -> String {
        format!("rsp-{:03}", self.group)
    }

    /// Any operation that changes something, and what comes of it.
    fn any(&mut self) -> (Pairs, Group) {
        let some: Vec<(usize, u16)> =
            self.holds.members.keys().copied().filter(|_| self.dice.roll(2) == 0).collect();
        match self.dice.roll(4) {
            0 if !some.is_empty() => self.remove(&some),
            1 if !some.is_empty() => self.weigh(&some),
            2 => self.swap(&some),
            _ => self.add(),
        }
    }

    fn add(&mut self) -> (Pairs, Group) {
        let (new, weight) = (self.newcomers(), self.weight());
        let mut aim = self.holds.clone();
        aim.members.extend(new.iter().map(|at| (*at, weight)));
        (add_to(&self.name(), &list(&new, weight)), aim)
    }

    fn remove(&mut self, some: &[(usize, u16)]) -> (Pairs, Group) {
        let mut aim = self.holds.clone();
        aim.members.retain(|at, _| !some.contains(at));
        (remove_from(&self.name(), &list(some, 1)), aim)
    }

    /// Other weights, and another name.
    fn weigh(&mut self, some: &[(usize, u16)]) -> (Pairs, Group) {
        let (weight, name) = (self.weight(), format!("name-{}", self.dice.roll(1000)));
        let mut aim = Group { name: name.clone(), ..self.holds.clone() };
        aim.members.extend(some.iter().map(|at| (*at, weight)));
        let params = [("VServerGroupName", name.as_str()), ("BackendServers", &list(some, weight))];
        (of_group(&self.name(), "SetVServerGroupAttribute", &params), aim)
    }

    fn swap(&mut self, some: &[(usize, u16)]) -> (Pairs, Group) {
        let (new, weight) = (self.newcomers(), self.weight());
        let (_, mut aim) = self.remove(some);
        aim.members.extend(new.iter().map(|at| (*at, weight)));
        let params = [("OldBackendServers", &*list(some, 1)), ("NewBackendServers", &list(&new, weight))];
        (of_group(&self.name(), "ModifyVServerGroupBackendServers", &params), aim)
    }

    /// Up to twelve that the group does not hold, and at least one.
    fn newcomers(&mut self) -> Vec<(usize, u16)> {
        let free = (80..).flat_map(|port| (1..=20).map(move |server| (server, port)));
        let free: Vec<_> = free.filter(|at| !self.holds.members.contains_key(at)).take(24).collect();
        let first = self.dice.roll(12);
        free.into_iter().skip(first).take(1 + self.dice.roll(12)).collect()
    }

    fn weight(&mut self) -> u8 {
        u8::try_from(1 + self.dice.roll(100)).unwrap()
    }
}

impl Dice {
    /// A number below `most`.
    fn roll(&mut self, most: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap()
    }
}

fn list(of: &[(usize, u16)], weight: u8) -> String {
    let items = of.iter().map(|(server, port)| servers([*server], *port, weight));
    format!("[{}]", items.map(|item| item.trim_matches(['[', ']']).to_owned()).collect::<Vec<_>>().join(","))
}

fn held(member: &Member) -> ((usize, u16), u8) {
    let Target::Resource { id, .. } = &member.backend.target else { panic!("{member:?}") };
    let server = id.as_str().strip_prefix("uhost-demo").unwrap().parse().unwrap();
    let Traffic::On(weight) = member.backend.traffic else { panic!("{member:?}") };
    ((server, member.backend.port.get()), weight.get())
}
