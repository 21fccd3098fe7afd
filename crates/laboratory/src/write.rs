//! The calls of a process that change something in Sage.

use std::fmt;

use simulators::sage::Rule;

/// A call that changes something in Sage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Its HTTP method.
    pub method: &'static str,
    /// Its number (from 0) among the calls of its method.
    pub number: usize,
    /// The list it goes to, or what is done to a record there.
    pub place: String,
}

impl Write {
    /// The HTTP methods that change something, and what the tables call them.
    const METHODS: [(&'static str, &'static str); 3] =
        [("POST", ""), ("PUT", " of an update"), ("DELETE", " of a deletion")];

    /// Those among the requests that the simulator has seen.
    pub fn all(requests: &serde_json::Value) -> Vec<Self> {
        let mut writes: Vec<Self> = Vec::new();
        for request in requests.as_array().map(Vec::as_slice).unwrap_or_default() {
            let path = request["path"].as_str().and_then(|path| path.strip_prefix("/v3.1/"));
            let method = Self::METHODS.iter().find(|(method, _)| request["method"] == *method);
            if let (Some(path), Some((method, _))) = (path, method) {
                // A create and a release end with what they do, the others with an id.
                let mut parts = path.split('/');
                let place = if *method == "POST" { parts.next_back() } else { parts.next() };
                let number = writes.iter().filter(|write| write.method == *method).count();
                writes.push(Self { method, number, place: place.unwrap_or_default().to_owned() });
            }
        }
        writes
    }

    /// The rule that strikes it.
    pub fn rule(&self) -> Rule {
        let skipped = u32::try_from(self.number).unwrap_or(u32::MAX);
        Rule::times(1).on(self.method, "/v3.1/").skip(skipped)
    }

    /// The rule that strikes the next one to the same place.
    pub fn rule_of_repeat(&self) -> Rule {
        let path =
            if self.method == "POST" { format!("/{}$", self.place) } else { format!("/{}/", self.place) };
        Rule::times(1).on(self.method, &path)
    }

    /// What the tables call its method.
    pub fn kind(&self) -> &'static str {
        Self::METHODS.iter().find(|(method, _)| *method == self.method).map_or("", |(_, kind)| kind)
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.method.to_lowercase(), self.number, self.place)
    }
}
