//! The words of a curl command, put together as curl does it.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header::HOST};

use crate::wire::Call;

use super::{
    super::{
        add_host,
        address::{self, Address},
        error::{RequestTextError, excerpt},
        header, http_text,
    },
    data::{self, Data},
    options::{self, Effect},
};

/// What the options have said so far.
#[derive(Debug, Default)]
pub(super) struct Command {
    url: Option<String>,
    method: Option<Method>,
    headers: HeaderMap,
    /// Headers written as `-H 'name:'`, which curl then does not add by itself.
    unwanted: Vec<HeaderName>,
    data: Data,
    data_in_query: bool,
    head: bool,
}

impl Command {
    /// Reads the words after the command's name.
    pub(super) fn read(words: Vec<String>) -> Result<Self, RequestTextError> {
        let mut command = Self::default();
        let mut words = words.into_iter().skip(1);
        while let Some(word) = words.next() {
            if ends_command(&word) {
                break;
            } else if let Some(option) = word.strip_prefix("--") {
                command.read_long(option, &mut words)?;
            } else if let Some(letters) = word.strip_prefix('-') {
                command.read_short(letters, &mut words)?;
            } else {
                command.set_url(&word)?;
            }
        }
        Ok(command)
    }

    /// The request that curl would send, but for `user-agent` and `accept`, which it adds.
    pub(super) fn into_call(self) -> Result<Call, RequestTextError> {
        let method = self.effective_method();
        let Self { url, method: _, headers, unwanted, data, data_in_query, head: _ } = self;
        let mut address = Address::read(&url.ok_or(RequestTextError::NoUrl)?)?;
        let mut defaults = data.default_headers();
        let mut body = data.text.unwrap_or_default();
        if data_in_query {
            let more = address::encode_stray(&std::mem::take(&mut body));
            data::append(&mut address.query, if more.is_empty() { "" } else { "&" }, &more);
            defaults.clear();
        }
        let mut call = address.into_call(method);
        call.headers = headers;
        call.body = body.into();
        defaults.retain(|(name, _)| !unwanted.contains(name) && !call.headers.contains_key(name));
        call.headers.extend(defaults);
        if !unwanted.contains(&HOST) {
            add_host(&mut call);
        }
        Ok(call)
    }

    fn effective_method(&self) -> Method {
        let sends_data = self.data.text.is_some() && !self.data_in_query;
        match &self.method {
            Some(method) => method.clone(),
            None if self.head => Method::HEAD,
            None if sends_data => Method::POST,
            None => Method::GET,
        }
    }

    /// `--name value` and, beyond what curl takes, `--name=value`.
    fn read_long(
        &mut self,
        option: &str,
        words: &mut impl Iterator<Item = String>,
    ) -> Result<(), RequestTextError> {
        let (name, joined) =
            option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
        let option = format!("--{name}");
        let effect = options::long(name).ok_or_else(|| RequestTextError::Option(excerpt(&option)))?;
        let value = match joined {
            Some(value) => value.to_owned(),
            None => next_value(effect, &option, words)?,
        };
        self.apply(effect, &option, &value)
    }

    /// `-X value`, `-Xvalue`, `-sSX value`.
    fn read_short(
        &mut self,
        letters: &str,
        words: &mut impl Iterator<Item = String>,
    ) -> Result<(), RequestTextError> {
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            let option = format!("-{letter}");
            let effect = options::short(letter).ok_or_else(|| RequestTextError::Option(option.clone()))?;
            let rest = letters.as_str();
            if effect.takes_value() && !rest.is_empty() {
                return self.apply(effect, &option, rest);
            }
            let value = next_value(effect, &option, words)?;
            self.apply(effect, &option, &value)?;
        }
        Ok(())
    }

    fn apply(&mut self, effect: Effect, option: &str, value: &str) -> Result<(), RequestTextError> {
        match effect {
            Effect::Data => self.data.add(option, value)?,
            Effect::RawData => self.data.add_raw(value),
            Effect::EncodedData => self.data.add_encoded(option, value)?,
            Effect::Json => self.data.add_json(option, value)?,
            Effect::Get => self.data_in_query = true,
            Effect::Head => self.head = true,
            Effect::Header => self.add_header(option, value)?,
            Effect::HeaderNamed(name) => {
                self.headers.insert(HeaderName::from_static(name), header::read_value(name, value)?);
            }
            Effect::Method => self.method = Some(http_text::read_method(value)?),
            Effect::None | Effect::NoneOfValue => {}
            Effect::Url => self.set_url(value)?,
        }
        Ok(())
    }

    fn set_url(&mut self, word: &str) -> Result<(), RequestTextError> {
        if self.url.is_some() {
            return Err(RequestTextError::SecondRequest(excerpt(word)));
        }
        let url = word.trim();
        // "If you provide a URL without a leading protocol:// scheme, curl guesses"; for these hosts it is http.
        self.url = Some(if address::has_scheme(url) { url.to_owned() } else { format!("http://{url}") });
        Ok(())
    }

    fn add_header(&mut self, option: &str, line: &str) -> Result<(), RequestTextError> {
        data::refuse_file(option, line)?;
        match (line.split_once(':'), line.strip_suffix(';')) {
            // "Remove an internal header by giving a replacement without content on the right side of the colon"
            (Some((name, value)), _) if value.trim().is_empty() => {
                self.unwanted.push(header::read_name(name)?);
                Ok(())
            }
            // "If you send the custom header with no-value then its header must be terminated with a semicolon"
            (None, Some(name)) => {
                header::append(&mut self.headers, header::read_name(name)?, HeaderValue::from_static(""))
            }
            _ => {
                let (name, value) = header::read(line)?;
                header::append(&mut self.headers, name, value)
            }
        }
    }
}

/// Whether a word belongs to the shell: a pipe or a redirection. (`&&` and `;` would hide a second request.)
fn ends_command(word: &str) -> bool {
    ["|", ">", "2>"].iter().any(|sign| word.starts_with(sign))
}

fn next_value(
    effect: Effect,
    option: &str,
    words: &mut impl Iterator<Item = String>,
) -> Result<String, RequestTextError> {
    if !effect.takes_value() {
        return Ok(String::new());
    }
    words.next().ok_or_else(|| RequestTextError::OptionValue(option.to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::wire::read_request;

    use super::*;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

    fn read(line: &str) -> Call {
        read_request(line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    fn refusal(line: &str) -> String {
        read_request(line).unwrap_err().to_string()
    }

    #[test]
    fn a_plain_url_is_a_get() {
        let call = read("$ curl -sS 'https://slb.aliyuncs.com/?Action=DescribeRegions' | jq .");
        assert_eq!((call.method.as_str(), call.query.as_str()), ("GET", "Action=DescribeRegions"));
        assert_eq!(call.origin, "https://slb.aliyuncs.com");
        assert_eq!(call.header("host"), Some("slb.aliyuncs.com"));
        assert!(call.body.is_empty());
    }

    #[test]
    fn data_makes_a_form_post_and_several_are_joined() {
        let call =
            read("curl https://api.ucloud.cn -d Action=AllocateBackend \\\n  --data 'Port=80' -dWeight=4");
        assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/"));
        assert_eq!(call.body, "Action=AllocateBackend&Port=80&Weight=4");
        assert_eq!(call.header("content-type"), FORM);
    }

    #[test]
    fn options_are_read_separate_joined_and_clustered() {
        let expected = read("curl -X PUT -H 'x-a: b' -A me --data-raw c http://h/");
        for line in [
            "curl -XPUT '-Hx-a: b' -Ame --data-raw=c http://h/",
            "curl --request=PUT --header='x-a: b' --user-agent=me --data-binary=c --url=http://h/",
            "/usr/bin/curl -sSkLvX PUT --compressed -m 5 -o /dev/null -H 'x-a: b' -A me --data-ascii c h",
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn urlencoded_data_is_encoded_behind_its_name() {
        let call = read(
            r#"curl http://h --data-urlencode "Servers=[{'Description':'a b&c'}]" --data-urlencode =x=y --data-urlencode 'z '"#,
        );
        assert_eq!(call.body, "Servers=%5B%7B%27Description%27%3A%27a%20b%26c%27%7D%5D&x%3Dy&z%20");
    }

    #[test]
    fn get_puts_the_data_behind_the_query() {
        let call = read(r#"curl -G 'http://h/?A=1' -d 'B=[{"c":"it'\''s"}]' --data-urlencode 'D=e f'"#);
        assert_eq!((call.method.as_str(), call.body.len()), ("GET", 0));
        assert_eq!(call.query, "A=1&B=%5B%7B%22c%22:%22it's%22%7D%5D&D=e%20f");
        assert_eq!(call.header("content-type"), None);
        assert_eq!(read("curl -G 'http://h/?A=1'").query, "A=1");
    }

    #[test]
    fn json_sets_its_two_headers_unless_they_are_given() {
        let call = read(r#"curl h --json '{"Port":80,' --json '"Description":"@"}'"#);
        assert_eq!(call.body, r#"{"Port":80,"Description":"@"}"#);
        assert_eq!((call.method.as_str(), call.header("accept")), ("POST", Some("application/json")));
        let call = read("curl h --json {} -H 'Content-Type: application/json;charset=utf-8'");
        assert_eq!(call.header("content-type"), Some("application/json;charset=utf-8"));
    }

    #[test]
    fn a_header_without_value_takes_the_default_away_and_a_semicolon_sends_it_empty() {
        let call = read("curl h -d a -H content-type: -H 'host:' -H 'x-empty;'");
        assert_eq!((call.headers.len(), call.header("x-empty")), (1, Some("")));
    }

    #[test]
    fn a_given_host_wins() {
        assert_eq!(
            read("curl http://127.0.0.1:8080 -H 'Host: api.ucloud.cn'").header("host"),
            Some("api.ucloud.cn")
        );
    }

    #[test]
    fn apostrophes_come_through_every_kind_of_quote() {
        for data in [r"'D=it'\''s'", r#""D=it's""#, r"D=it\'s", r"$'D=it\'s'"] {
            assert_eq!(read(&format!("curl h --data-raw {data}")).body, "D=it's");
        }
    }

    #[test]
    fn files_are_refused_where_curl_would_open_one() {
        for option in ["-d @body.json", "--json @body.json", "--data-urlencode @body.json", "-H @body.json"] {
            let option_name = option.split(' ').next().unwrap_or_default();
            let expected = format!("`{option_name} @body.json` takes data from a file");
            assert!(refusal(&format!("curl h {option}")).starts_with(&expected));
        }
        assert!(
            refusal("curl h --data-urlencode BackendServers@s.json").contains("`--data-urlencode @s.json`")
        );
        assert_eq!(read("curl h --data-raw @body.json").body, "@body.json");
    }

    #[test]
    fn what_is_not_read_is_refused_by_name() {
        for (line, message) in [
            ("curl", "the curl command has no URL"),
            ("curl h -u me:secret", "`-u` is not read here"),
            ("curl h --form=a=b", "`--form` is not read here"),
            ("curl h -sSX", "`-X` stands last and needs a value"),
            ("curl h --data", "`--data` stands last and needs a value"),
            ("curl h\ncurl g", "`curl` follows a request"),
            ("curl h && curl g", "`&&` follows a request"),
            ("curl h -X post", "`post` is no method"),
            ("curl h -d 'it's'", "a quote is opened and never closed"),
            ("curl ftp://h", "`ftp://` is not spoken here"),
        ] {
            assert!(refusal(line).starts_with(message), "{line}: {}", refusal(line));
        }
    }
}
