//! `weighbridge demo`: the embedded default over real sockets, one add in each direction, checked.

use std::{
    io::{self, Write},
    net::Ipv4Addr,
    sync::Arc,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{Ending, embedded::embedded, fields::write_fields, serve::showcase};
use crate::{
    auth::Stamps,
    config::{Client, Config},
    dialect::Provider,
    engine::Item,
    gateway::{Explanation, Gateway, explain},
    http::Client as HttpClient,
    model::Outcome,
    providers::provider,
    simulator::{LoadBalancer, Simulation},
    wire::{Call, Reply},
};

pub(super) const EXAMPLES: &str = "\
Exit code 1: something differed from what was expected, and the screen says what.

Example:
  weighbridge demo";

/// How long one request of the demo may take.
const WITHIN: Duration = Duration::from_secs(10);
const MAX_REPLY_BYTES: usize = 64 * 1024;

type Failure = Box<dyn std::error::Error>;

/// Show, over real sockets, what becomes of an add in both directions; both clouds are simulated.
#[derive(Debug, clap::Args)]
pub(super) struct Demo {}

impl Demo {
    #[expect(clippy::unused_self, reason = "every command runs the same way")]
    pub(super) fn run(&self) -> Ending {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(demo())
    }
}

async fn demo() -> Ending {
    let mut config = embedded()?;
    config.listen = vec![(Ipv4Addr::LOCALHOST, 0).into()];
    let stamps = Stamps::system()?;
    let simulation = Simulation::start(&mut config, &stamps, Duration::ZERO).await?;
    let gateway = Gateway::bind(config.clone(), stamps.clone()).await?;
    let config = Arc::new(config);
    let origin = gateway.addresses()?.first().map(|address| format!("http://{address}")).unwrap_or_default();
    let stop = CancellationToken::new();
    let running = tokio::spawn(gateway.run(stop.clone()));

    let mut out = io::stdout();
    writeln!(out, "The gateway listens on {origin}. Both clouds behind it are simulated in memory.")?;
    let mut good = true;
    for (at, client) in config.clients.iter().enumerate() {
        let stage = Stage { config: &config, simulation: &simulation, origin: &origin, stamps: &stamps };
        good &= stage.show(&mut out, at + 1, client).await?;
    }
    stop.cancel();
    running.await?;
    simulation.stop().await;
    let verdict =
        if good { "Everything was as expected." } else { "Something was NOT as expected; see above." };
    writeln!(out, "\n{verdict}")?;
    Ok(good)
}

/// What one direction is shown on.
struct Stage<'s> {
    config: &'s Arc<Config>,
    simulation: &'s Simulation,
    origin: &'s str,
    stamps: &'s Stamps,
}

impl Stage<'_> {
    /// Sends the showcase request of a client and shows what became of it.
    async fn show(&self, out: &mut impl Write, number: usize, client: &Client) -> Result<bool, Failure> {
        let provider = provider(&client.dialect).ok_or("a client of no known cloud")?;
        let call =
            showcase(provider, client, self.origin, self.stamps).ok_or("a showcase that cannot be read")?;
        let received = Call { origin: String::new(), ..call.clone() };
        let explanation = explain(self.config, received, &self.stamps.next()).await;
        let explanation = explanation.map_err(|refusal| format!("refused: {:?}", refusal.reply.body))?;
        write_head(out, number, &explanation)?;

        let cloud =
            self.simulation.cloud(&explanation.route.target.name).ok_or("a target that is not simulated")?;
        let reply = HttpClient::new(None)?.send(call, WITHIN, MAX_REPLY_BYTES).await?;
        writeln!(
            out,
            "  The caller is answered HTTP {}\n    {}",
            reply.status.as_u16(),
            String::from_utf8_lossy(&reply.body)
        )?;
        let findings =
            findings(&explanation, &reply, provider, cloud).ok_or("a request that adds nothing")?;
        for Finding { good, what } in &findings {
            writeln!(out, "  {} {what}", if *good { "ok " } else { "NOT" })?;
        }
        Ok(findings.iter().all(|finding| finding.good))
    }
}

/// What was expected, and whether it is so.
fn findings(
    explanation: &Explanation<'_>,
    reply: &Reply,
    provider: &Provider,
    cloud: &LoadBalancer,
) -> Option<Vec<Finding>> {
    let Explanation { route, operation, items, group, calls, .. } = explanation;
    let (operation, group) = (operation.as_ref()?, group.as_ref()?);
    let read = provider.egress.read_reply(operation, reply, route.here);
    let answered = |item: &Item| match &read {
        Ok(Outcome::Added(members)) => members.iter().any(|member| member.backend.same_entry(&item.here)),
        Ok(_) | Err(_) => false,
    };
    let held = cloud.members(group.group.as_str());
    let holds = |item: &Item| {
        held.iter()
            .any(|member| member.backend.same_entry(&item.there) && member.backend.same_traffic(&item.there))
    };
    let names: Vec<String> = items.iter().map(|item| item.there.to_string()).collect();
    Some(vec![
        Finding {
            good: items.iter().all(answered),
            what: format!("the answer reads as a success of {}", route.here.title),
        },
        Finding {
            good: cloud.calls().len() == calls.len(),
            what: format!("{} got {} call, as explained", route.there.title, calls.len()),
        },
        Finding {
            good: held.len() == items.len() && items.iter().all(holds),
            what: format!(
                "its group {} holds {} with that weight, and nothing else",
                group.group,
                names.join(", ")
            ),
        },
    ])
}

/// One thing that was expected.
struct Finding {
    good: bool,
    what: String,
}

fn write_head(out: &mut impl Write, number: usize, explanation: &Explanation<'_>) -> io::Result<()> {
    let Explanation { route, action, calls, tables, .. } = explanation;
    let actions: Vec<&str> = calls.iter().map(|call| call.invocation.action.as_str()).collect();
    writeln!(out, "\n{number}. A script written for {} calls {action};", route.here.title)?;
    writeln!(out, "   {} gets {}.\n", route.there.title, actions.join(", "))?;
    let ways: Vec<_> = tables.iter().flat_map(|table| table.ways.clone()).collect();
    write_fields(out, [&route.here.title, &route.there.title], &ways)?;
    writeln!(out)
}
