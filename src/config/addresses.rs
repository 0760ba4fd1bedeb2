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
    ) -> (Vec<SocketAddr>, Option<SocketAddr>) {
        let mut taken = Vec::new();
        if let Some(listen) = listen {
            if listen.get_ref().is_empty() {
                self.report.error(listen.span(), "`listen` is empty; write one address or more");
            }
            for word in listen.get_ref() {
                taken.extend(self.address(word, &taken));
            }
        }
        let address = admin.and_then(|word| self.address(word, &taken));
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
        if address.port() != 0 && taken.contains(&address) {
            self.report.error(word.span(), format!("`{text}` is taken already; write another address"));
        }
        Some(address)
    }
}
