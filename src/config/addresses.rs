//! Where the gateway listens.

use std::net::SocketAddr;

use toml::Spanned;

use super::{raw::Word, resolve::Resolver};

impl Resolver<'_> {
    /// The public addresses, and the one for the operator alone.
    pub(super) fn addresses(
        &mut self,
        listen: Option<Spanned<Vec<Word>>>,
        admin: Option<&Word>,
        has_tls: bool,
    ) -> (Vec<SocketAddr>, Option<SocketAddr>) {
        let mut taken = Vec::new();
        if let Some(listen) = listen {
            if listen.get_ref().is_empty() {
                self.report.error(listen.span(), "`listen` is empty; write one address or more");
            }
            for word in listen.get_ref() {
                if let Some(address) = self.address(word, &taken) {
                    taken.push(address);
                    if let Some(warning) = warning_of(address, has_tls) {
                        self.report.warn(word.span(), warning);
                    }
                }
            }
        }
        let address = admin.and_then(|word| self.address(word, &taken));
        if let (Some(word), Some(address)) = (admin, address)
            && !address.ip().is_loopback()
        {
            let what = format!(
                "whoever reaches {address} reads health and metrics without a key; write 127.0.0.1:{}, or keep others away",
                address.port()
            );
            self.report.warn(word.span(), what);
        }
        (taken, address)
    }

    /// An address that nobody else has. Port 0 is a new one every time.
    fn address(&mut self, word: &Word, taken: &[SocketAddr]) -> Option<SocketAddr> {
        let text = word.get_ref();
        let Ok(address) = text.parse::<SocketAddr>() else {
            let what =
                format!("`{text}` is no address; write an IP address and a port, such as 127.0.0.1:8080");
            self.report.error(word.span(), what);
            return None;
        };
        if let Some(other) = taken.iter().find(|other| overlap(**other, address)) {
            let what = format!("`{text}` is taken already, by `listen` at {other}; write another port");
            self.report.error(word.span(), what);
            return None;
        }
        Some(address)
    }
}

/// What is to be said of a public listener at this address.
#[must_use]
pub fn warning_of(address: SocketAddr, has_tls: bool) -> Option<String> {
    let in_clear = !has_tls && !address.ip().is_loopback();
    in_clear.then(|| format!("requests to {address} travel in clear, {CLEAR}"))
}

/// Whether two listeners cannot both have what they ask for. That of every address has those of one family, or of both.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let covers =
        |all: SocketAddr, one: SocketAddr| all.ip().is_unspecified() && (all.is_ipv6() || one.is_ipv4());
    let same_port = one.port() == other.port() && one.port() != 0;
    same_port && (one.ip() == other.ip() || covers(one, other) || covers(other, one))
}

const CLEAR: &str = "and whoever reads one can repeat it; write tls = { cert = \"PATH\", key = \"PATH\" }, or listen on 127.0.0.1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_of_every_address_overlaps_those_of_one() {
        for (one, other, wanted) in [
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("0.0.0.0:80", "127.0.0.1:80", true),
            ("0.0.0.0:0", "0.0.0.0:0", false),
            ("[::]:80", "127.0.0.1:80", true),
            ("0.0.0.0:80", "[::1]:80", false),
        ] {
            let [one, other] = [one, other].map(|text| text.parse().unwrap());
            assert_eq!((overlap(one, other), overlap(other, one)), (wanted, wanted), "{one} {other}");
        }
    }
}
