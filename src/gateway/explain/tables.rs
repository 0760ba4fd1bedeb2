//! The tables of an explanation: one for the request as a whole, one for each backend that it names.

use std::borrow::Cow;

use super::{
    super::supposed::{id_of, stands_for},
    contents::Contents,
    ways::{End, Fate, Rest, Said, Way, Ways, cell_in, cell_of, loss_of, of_backend},
};
use crate::{
    dialect::Asked,
    engine::{Item, Route, items},
    mapping::{BackendTable, Trace, Written, trace},
    model::{Backend, BackendId, BackendRef, Change, Field, GroupRef, Operation, Place, Port, Target},
    wire::Params,
};

/// What the tables of one request are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tables<'t> {
    /// From whom to whom.
    pub(super) route: &'t Route<'t>,
    /// The action, by the name that the caller gives it.
    pub(super) action: &'t str,
    /// The parameters of the request that are the action's own.
    pub(super) own: &'t Params,
    /// What it asks for, if it is translated.
    pub(super) asked: Option<&'t Asked>,
    /// What the target is asked.
    pub(super) steps: &'t [Operation],
    /// The parameters of the calls that carry it out.
    pub(super) calls: &'t [&'t Params],
    /// How it ends.
    pub(super) end: End<'t>,
}

impl Tables<'_> {
    /// Every table, the request's own first.
    pub(super) fn all(self) -> Vec<Ways> {
        let Some(asked) = self.asked else { return vec![self.as_it_came()] };
        let mut tables = self.of_backends(asked);
        tables.extend(self.of_changes(asked));
        let mut ways = self.of_group(&asked.operation);
        let told: Vec<String> = ways
            .iter()
            .chain(tables.iter().flat_map(|table| &table.ways))
            .filter_map(|way| Some(way.from.as_ref()?.name.clone()))
            .collect();
        let action = self.route.here.actions.named(self.action);
        let rest = Rest { route: self.route, action, calls: self.calls, told: &told, end: self.end };
        ways.extend(rest.ways(self.own));
        tables.insert(0, Ways { about: None, ways });
        tables.retain(|table| !table.ways.is_empty());
        tables
    }

    /// Of a call that goes on as it came.
    pub(super) fn as_it_came(self) -> Ways {
        if let Some(fault) = self.end.fault {
            let name = fault.field.as_deref().unwrap_or_default();
            let named = if name == self.action {
                ("Action", name)
            } else {
                (name, self.own.get(name).unwrap_or_default())
            };
            let way = Way::between("", Some(said(named.0, named.1)), None).filter(|_| !name.is_empty());
            let way = way.map(|way| way.ending(Fate::Refused, Some(fault.detail.to_string())));
            return Ways { about: None, ways: way.into_iter().collect() };
        }
        let carried = self.own.iter().map(|param| {
            let to = self.calls.iter().find_map(|call| call.get(&param.name));
            let to = to.map(|text| (param.name.to_string(), text.to_owned()));
            Way::between("", Some(said(&param.name, &param.value)), to)
        });
        let added = self
            .calls
            .iter()
            .flat_map(|call| call.iter())
            .filter(|param| self.own.get(&param.name).is_none());
        let added = added
            .map(|param| Way::between("", None, Some((param.name.to_string(), param.value.to_string()))));
        Ways { about: None, ways: carried.chain(added).flatten().collect() }
    }

    /// Load balancer, group, region and project.
    fn of_group(self, operation: &Operation) -> Vec<Way> {
        let route = self.route;
        let (here, there) = (&route.here.group, &route.there.group);
        let place = operation.place();
        let (balancer_there, group_there) = self.counterparts(operation);
        let place_there = group_there
            .as_ref()
            .map(|group| group.place.clone())
            .or_else(|| route.place(&Place::default(), place?).ok());
        let place_there = place_there.unwrap_or_default();
        let rows = [
            Named {
                word: "load balancer",
                name: here.load_balancer.as_deref(),
                text: Contents::of(operation).balancer.map(ToString::to_string),
                name_there: there.load_balancer.as_deref(),
                text_there: balancer_there,
            },
            Named {
                word: "group",
                name: Some(&here.group),
                text: operation.group().map(ToString::to_string),
                name_there: Some(&there.group),
                text_there: group_there.map(|group| group.group.to_string()),
            },
            Named {
                word: "region",
                name: Some(&here.region),
                text: place.and_then(|place| Some(place.region.as_ref()?.to_string())),
                name_there: Some(&there.region),
                text_there: place_there.region.map(|region| region.to_string()),
            },
            Named {
                word: "project",
                name: here.project.as_deref(),
                text: place.and_then(|place| Some(place.project.as_ref()?.to_string())),
                name_there: there.project.as_deref(),
                text_there: place_there.project.map(|project| project.to_string()),
            },
        ];
        rows.into_iter().filter_map(|named| self.of_named(named)).collect()
    }

    fn of_named(self, named: Named<'_>) -> Option<Way> {
        let Self { route, calls, end, .. } = self;
        let Named { word, name, text, name_there, text_there } = named;
        let from = self.said_as(name, text.as_deref());
        let nowhere = calls.is_empty() && end.fault.is_none();
        let to = if nowhere { None } else { self.told_as(name_there, text_there.as_deref()) };
        let refused = end.fault.filter(|fault| {
            let field = fault.field.as_deref();
            field.is_some() && (field == text.as_deref() || field == name)
        });
        if let (Some(fault), Some(from)) = (refused, &from) {
            let way = Way::between(word, Some(from.clone()), None)?;
            return Some(way.ending(Fate::Refused, Some(fault.detail.to_string())));
        }
        let way = Way::between(word, from, to)?;
        if way.fate != Fate::Implied {
            return Some(Way { why: None, ..way });
        }
        if nowhere {
            return Some(way.ending(Fate::Read, None));
        }
        let why = match word {
            "project" => format!("{} has none", route.there.title),
            _ => "the group's id is enough".to_owned(),
        };
        Some(Way { why: Some(why), ..way })
    }

    /// What the caller says under this name, or, of what stands elsewhere, under the name where it stands.
    fn said_as(self, name: Option<&str>, text: Option<&str>) -> Option<Said> {
        let text = text?;
        let found = self.own.iter().find(|param| param.value == text).map(|param| param.name.as_str());
        let name = name.filter(|name| self.own.filled(name) == Some(text)).or(found)?;
        Some(said(name, text))
    }

    /// What the target is told under this name, or of this text.
    fn told_as(self, name: Option<&str>, text: Option<&str>) -> Option<(String, String)> {
        let by_name = name.and_then(|name| cell_in(self.calls, name));
        by_name.or_else(|| cell_of(self.calls, text?)).or_else(|| Some((name?.to_owned(), text?.to_owned())))
    }

    /// Load balancer and group as the target names them, as far as the rows lead.
    fn counterparts(self, operation: &Operation) -> (Option<String>, Option<GroupRef>) {
        let route = self.route;
        let group = operation.group_ref().and_then(|group| route.group(&group).ok());
        let by_group = group.as_ref().and_then(|group| Some(group.load_balancer.as_ref()?.to_string()));
        let balancer = || {
            let found = route.balancers(Contents::of(operation).about?).ok()?;
            found.first().map(|balancer| balancer.id.to_string())
        };
        (by_group.or_else(balancer), group)
    }

    /// The backends that come.
    fn of_backends(self, asked: &Asked) -> Vec<Ways> {
        let Self { route, end, .. } = self;
        let backends = Contents::of(&asked.operation).coming;
        let one = |(at, here): (usize, &Backend)| {
            let about = here.to_string();
            let item = items(route, std::slice::from_ref(here), &mut Vec::new());
            // Of one that is refused, all else is shown as it would have gone.
            let there = if let Ok([Item { there, .. }]) = item.as_deref() {
                there.clone()
            } else {
                let target = route.server(&here.target).unwrap_or_else(|_| here.target.clone());
                Backend { target, ..here.clone() }
            };
            let mapped = trace(&route.here.backend, here, &route.there.backend, &there).ok();
            // Where the target has no word for its kind, only what the caller says is known.
            let traces = mapped.or_else(|| {
                let traces = trace(&route.here.backend, here, &route.here.backend, here).ok()?;
                Some(traces.into_iter().map(|trace| Trace { to: None, loss: None, ..trace }).collect())
            });
            of_backend(route, about, &traces.unwrap_or_default(), asked.given.get(at), end)
        };
        backends.iter().enumerate().map(one).collect()
    }

    /// The backends that are changed or go.
    fn of_changes(self, asked: &Asked) -> Vec<Ways> {
        let Contents { changed, gone, .. } = Contents::of(&asked.operation);
        let changed =
            changed.iter().enumerate().map(|(at, change)| self.of_change(change, asked.given.get(at), false));
        let gone = gone.iter().map(|named| self.of_change(&Change::of(named.clone()), None, true));
        changed.chain(gone).collect()
    }

    fn of_change(self, change: &Change, given: Option<&Vec<Field>>, goes: bool) -> Ways {
        let name = match &change.backend {
            BackendRef::Id(id) => id.to_string(),
            BackendRef::At { target, port } => format!("{target} port {port}"),
        };
        let there = stands_for(self.route, &change.backend);
        let met = there.as_ref().and_then(|there| self.met(there));
        let mut ways = self.of_name(&change.backend, met.as_ref().map(|met| &met.named));
        if !goes {
            let cells = met.map(|met| met.cells).unwrap_or_default();
            ways.extend(self.of_new_values(change, &cells, given, &name));
        }
        // An id that nothing can be made of is what the request is refused for.
        if let (Some(way), Some(fault), None) = (ways.first_mut(), self.end.fault, there) {
            *way = way.clone().ending(Fate::Refused, Some(fault.detail.to_string()));
        }
        let about = if goes { format!("{name}, taken out") } else { format!("{name}, changed") };
        Ways { about: Some(about), ways }
    }

    /// The name of a backend, which may be an id here and server and port there.
    fn of_name(self, here: &BackendRef, there: Option<&BackendRef>) -> Vec<Way> {
        let Self { route, own, calls, .. } = self;
        let told = |id: &BackendId| {
            let said = calls.iter().flat_map(|params| params.iter()).find(|param| param.value == id.as_str());
            said.map(|param| (param.name.to_string(), param.value.to_string()))
        };
        let (id_there, cells_there) = match there {
            Some(BackendRef::Id(id)) => (told(id), Vec::new()),
            Some(BackendRef::At { target, port }) => {
                (None, identity(&route.there.backend, target, *port).to_vec())
            }
            None => (None, Vec::new()),
        };
        let told_of = |field: Field| {
            let cell = cells_there.iter().find(|(of, _, _)| *of == field);
            cell.map(|(_, name, text)| (name.clone(), text.clone()))
        };
        match here {
            BackendRef::Id(id) => {
                let param = own.iter().find(|param| param.value.split('|').any(|part| part == id.as_str()));
                let from = param.map(|param| said(&param.name, id.as_str()));
                let named = told_of(Field::Resource).or(id_there);
                let port = told_of(Field::Port).and_then(|cell| Way::between("port now", None, Some(cell)));
                Way::between("backend", from, named).into_iter().chain(port).collect()
            }
            BackendRef::At { target, port } => {
                let way = |(field, name, text): (Field, String, String)| {
                    let by_id = id_there.clone().filter(|_| field != Field::Port);
                    let way = Way::between(field.name(), Some(said(&name, &text)), told_of(field).or(by_id))?;
                    let implied = id_there.is_some() && way.fate == Fate::Implied;
                    Some(Way { why: implied.then(|| "the id says it".to_owned()), ..way })
                };
                identity(&route.here.backend, target, *port).into_iter().filter_map(way).collect()
            }
        }
    }

    /// What a change makes of a backend; `told` are the cells of the call that carries it out.
    fn of_new_values(
        self,
        change: &Change,
        told: &[(Field, String, String)],
        given: Option<&Vec<Field>>,
        name: &str,
    ) -> Vec<Way> {
        let Self { route, end, .. } = self;
        let written = route.here.backend.write_change(change);
        let cell = |cells: &[(Field, String, String)], field: Field| {
            let cell = cells.iter().find(|(of, _, _)| *of == field);
            cell.map(|(_, name, text)| (name.clone(), text.clone()))
        };
        let way = |field: Field| {
            let default = given.is_some_and(|given| !given.contains(&field));
            let from = cell(&written, field).map(|(name, text)| Said { name, text, default });
            let says = from.is_some() && (field != Field::Standby || change.standby == Some(true));
            let way = Way::between(field.name(), from, cell(told, field))?;
            let text = way.from.as_ref().map_or("", |said| said.text.as_str());
            let lost = loss_of(route, field).filter(|_| says && way.to.is_none());
            let ends = end.told(route, route.here.backend.wire_name(field), text, Some(name));
            Some(match (ends, lost) {
                (Some((fate, why)), _) => way.ending(fate, Some(why)),
                (None, Some(policy)) => way.ending(Fate::of_loss(policy, route.client.on_loss), None),
                (None, None) => way,
            })
        };
        Field::ALL.into_iter().filter_map(way).collect()
    }

    /// How the target is asked of one backend of its own.
    fn met(self, there: &(Target, Port)) -> Option<Met> {
        let (target, port) = there;
        let id = id_of(target, *port);
        let is = |named: &BackendRef| match named {
            BackendRef::Id(known) => known.as_str() == id,
            BackendRef::At { target: known, port: at } => at == port && known.same_as(target),
        };
        let mut met: Option<Met> = None;
        for step in self.steps {
            let Contents { coming, changed, gone, .. } = Contents::of(step);
            if let Some(change) = changed.iter().find(|change| is(&change.backend)) {
                let cells = self.route.there.backend.write_change(change);
                return Some(Met { named: change.backend.clone(), cells });
            }
            let gone = gone.iter().find(|named| is(named));
            // Another port may be another entry there: what goes and what comes are one server.
            let come = coming.iter().find(|come| come.target.same_as(target));
            let cells =
                come.and_then(|come| self.route.there.backend.write(come).ok()).map(|written| owned(written));
            let named = gone.map(|named| Met { named: named.clone(), cells: Vec::new() });
            met = met.or(named);
            if let (Some(met), Some(cells)) = (&mut met, cells) {
                met.cells = cells;
            }
        }
        met
    }
}

/// Something that a request names: how each cloud calls it, and what it is there.
struct Named<'n> {
    /// The word of the table.
    word: &'static str,
    name: Option<&'n str>,
    text: Option<String>,
    name_there: Option<&'n str>,
    text_there: Option<String>,
}

/// A backend of the target's, as one of its calls names it, and what the call says of it.
struct Met {
    named: BackendRef,
    cells: Vec<(Field, String, String)>,
}

fn said(name: &str, text: &str) -> Said {
    Said { name: name.to_owned(), text: text.to_owned(), default: false }
}

fn owned(written: Written<'_>) -> Vec<(Field, String, String)> {
    let cell = |(field, name, text): (Field, &str, Cow<'_, str>)| (field, name.to_owned(), text.into_owned());
    written.cells.into_iter().map(cell).collect()
}

/// The cells that name a backend by what it is.
fn identity(table: &BackendTable, target: &Target, port: Port) -> [(Field, String, String); 2] {
    let (field, text) = match target {
        Target::Resource { id, kind: _, address: _ } => (Field::Resource, id.to_string()),
        Target::Address { ip, .. } => (Field::Address, ip.to_string()),
    };
    let cell = |field: Field, text: String| (field, table.wire_name(field).to_owned(), text);
    [cell(field, text), cell(Field::Port, port.to_string())]
}
