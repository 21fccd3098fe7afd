//! The list's address: which runs, in which order, from where. One search box understands what people hold in their hands, and
//! qualifiers for everything that the filters ask for.

use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::{
    code::Code,
    email,
    ids::{BindingId, RunId},
    run::{EventName, RunStatus},
};
use store::{Find, Order, RunFilter, Seek, SortBy};
use url::form_urlencoded;
use views::{
    error::{AppError, ErrorCode, FieldError},
    links::HISTORY,
    links::escape,
};

/// Which runs are shown, as the address says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// The search box, as it was typed.
    pub search: String,
    /// The fields of the filter.
    pub fields: FilterFields,
    /// In which order.
    pub order: Order,
    /// From where.
    pub seek: Seek,
}

/// The fields of the filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterFields {
    /// Of one shop.
    pub binding: Option<BindingId>,
    /// In one status.
    pub status: Option<RunStatus>,
    /// Of one event.
    pub event: Option<EventName>,
    /// With one reason or error code.
    pub code: Option<Code>,
    /// Of one cause.
    pub cause: Option<String>,
    /// What a person may have to look after.
    pub open: bool,
    /// Under one version of the settings.
    pub version: Option<i64>,
    /// Received on this day or later (UTC).
    pub from: Option<NaiveDate>,
    /// Received on this day or earlier (UTC).
    pub until: Option<NaiveDate>,
    /// Magento's total at least, in minor units.
    pub at_least: Option<i64>,
    /// Magento's total at most, in minor units.
    pub at_most: Option<i64>,
    /// What the search box holds besides qualifiers.
    pub find: Option<Find>,
}

/// The words of [`SortBy`] in addresses.
pub const SORTS: [(SortBy, &str); 3] =
    [(SortBy::Received, "received"), (SortBy::Amount, "amount"), (SortBy::Number, "number")];

impl HistoryQuery {
    /// Reads an address, given a way to look up a parameter. An empty parameter is none, as a form sends it.
    pub fn read<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, AppError> {
        let mut reader = Reader { error: AppError::new(ErrorCode::Invalid) };
        let mut fields = FilterFields::default();
        for (name, _) in QUALIFIERS {
            if let Some(text) = get(name).map(str::trim).filter(|text| !text.is_empty()) {
                reader.qualifier(&mut fields, name, text);
            }
        }
        let search = get("q").unwrap_or_default().trim().to_owned();
        let query = Self {
            order: reader.order(get("sort"), get("order")),
            seek: reader.seek(get("before"), get("after")),
            fields,
            search,
        };
        query.filter_into(&mut reader);
        if reader.error.fields.is_empty() { Ok(query) } else { Err(reader.error.echo("q", &query.search)) }
    }

    /// Reads the query of an address as it is written there.
    pub fn parse(text: &str) -> Result<Self, AppError> {
        let pairs: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
        Self::read(|name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref()))
    }

    /// The runs that it asks for; the search box has the last word.
    pub fn filter(&self) -> RunFilter {
        let mut reader = Reader { error: AppError::new(ErrorCode::Invalid) };
        self.filter_into(&mut reader)
    }

    fn filter_into(&self, reader: &mut Reader) -> RunFilter {
        let mut fields = self.fields.clone();
        reader.search(&mut fields, &self.search);
        RunFilter {
            binding: fields.binding,
            status: fields.status,
            event: fields.event,
            code: fields.code,
            cause: fields.cause,
            open: fields.open,
            settings_version: fields.version,
            from: fields.from.map(start_of),
            until: fields.until.and_then(|day| day.checked_add_days(Days::new(1))).map(start_of),
            at_least: fields.at_least,
            at_most: fields.at_most,
            find: fields.find,
        }
    }

    /// Name and value of each part of the address but its place.
    pub fn parts(&self) -> Vec<(&'static str, String)> {
        let FilterFields {
            binding,
            status,
            event,
            code,
            cause,
            open,
            version,
            from,
            until,
            at_least,
            at_most,
            ..
        } = &self.fields;
        let order = (self.order != Order::default()).then_some(self.order);
        let sort = order.and_then(|order| SORTS.iter().find(|(by, _)| *by == order.by));
        [
            ("q", Some(self.search.clone()).filter(|text| !text.is_empty())),
            ("status", status.map(|status| status.to_string())),
            ("event", event.map(|event| event.to_string())),
            ("shop", binding.map(|binding| binding.to_string())),
            ("code", code.map(|code| code.as_str().to_owned())),
            ("cause", cause.clone()),
            ("open", open.then(|| "1".to_owned())),
            ("version", version.map(|version| version.to_string())),
            ("from", from.map(|day| day.to_string())),
            ("until", until.map(|day| day.to_string())),
            ("min", at_least.map(plain)),
            ("max", at_most.map(plain)),
            ("sort", sort.map(|(_, word)| (*word).to_owned())),
            ("order", order.map(|order| if order.descending { "down" } else { "up" }.to_owned())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// The address's query without its place: what a file, a saved view or a retry of all is about.
    pub fn text(&self) -> String {
        let parts = self.parts().into_iter().map(|(name, value)| format!("{name}={}", escape(&value)));
        parts.collect::<Vec<_>>().join("&")
    }

    /// The address of this view of the list.
    pub fn href(&self) -> String {
        let mut text = self.text();
        let place = match self.seek {
            Seek::First => None,
            Seek::After(run) => Some(format!("after={run}")),
            Seek::Before(run) => Some(format!("before={run}")),
        };
        if let Some(place) = place {
            text = if text.is_empty() { place } else { format!("{text}&{place}") };
        }
        if text.is_empty() { HISTORY.to_owned() } else { format!("{HISTORY}?{text}") }
    }

    /// The same list from its first run on, with other fields.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(&mut FilterFields)) -> Self {
        let mut other = Self { seek: Seek::First, ..self.clone() };
        change(&mut other.fields);
        other
    }

    /// The same runs from another place.
    #[must_use]
    pub fn at(&self, seek: Seek) -> Self {
        Self { seek, ..self.clone() }
    }

    /// The same runs sorted by a column; once more turns the order round.
    #[must_use]
    pub fn sorted_by(&self, by: SortBy) -> Self {
        let turned = self.order.by == by && self.order.descending;
        let order = Order { by, descending: !turned };
        Self { order, seek: Seek::First, ..self.clone() }
    }

    /// The same as it may be kept: an e-mail address that is searched for is its digest, which finds the same.
    #[must_use]
    pub fn kept(&self) -> Self {
        let (qualifiers, words): (Vec<&str>, Vec<&str>) =
            self.search.split_whitespace().partition(|word| qualifier_of(word).is_some());
        let Some(digest) = email::digest(&words.join(" ")) else { return self.clone() };
        let search = qualifiers.into_iter().chain([digest.as_str()]).collect::<Vec<_>>().join(" ");
        Self { search, ..self.clone() }
    }

    /// Whether only some of the runs are asked for.
    pub fn is_filtered(&self) -> bool {
        self.filter().is_any()
    }
}

fn start_of(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

/// An amount as it is typed: `100` or `81.52`.
fn plain(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let absolute = minor.unsigned_abs();
    match absolute % 100 {
        0 => format!("{sign}{}", absolute / 100),
        pennies => format!("{sign}{}.{pennies:02}", absolute / 100),
    }
}

/// Minor units of an amount as it is typed: with a decimal point, or with a comma and two digits; thousands may be grouped.
pub fn minor(text: &str) -> Option<i64> {
    let text = text.trim().trim_start_matches(['£', '€', '$']);
    let (whole, decimals) = match text.rsplit_once(['.', ',']) {
        Some((whole, decimals)) if decimals.len() <= 2 => (whole, decimals),
        _ => (text, ""),
    };
    let whole: String = whole.chars().filter(|character| *character != ',').collect();
    let digits = whole.strip_prefix('-').unwrap_or(&whole);
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || digits.len() > 15 || !is_number(digits) || !is_number(decimals) {
        return None;
    }
    let minor: i64 = format!("{digits}{decimals:0<2}").parse().ok()?;
    Some(if whole.starts_with('-') { -minor } else { minor })
}

/// What the search box and the address understand, with an example each.
pub const QUALIFIERS: [(&str, &str); 11] = [
    ("status", "status:failed"),
    ("event", "event:invoice.paid"),
    ("code", "code:totals_mismatch"),
    ("shop", "shop:0190b5a4-…"),
    ("from", "from:2026-03-01"),
    ("until", "until:2026-03-31"),
    ("min", "amount:>100"),
    ("max", "amount:<5000"),
    ("open", "open:1"),
    ("version", "version:3"),
    ("cause", "cause:1f0c…"),
];

/// Name and value of a word that is a qualifier.
fn qualifier_of(word: &str) -> Option<(&str, &str)> {
    let is_known = |name: &str| name == "amount" || QUALIFIERS.iter().any(|(known, _)| *known == name);
    word.split_once(':').filter(|(name, _)| is_known(name))
}

/// Reads words, and gathers what cannot be understood.
struct Reader {
    error: AppError,
}

impl Reader {
    fn parsed<T: std::str::FromStr>(&mut self, name: &str, text: &str) -> Option<T> {
        let value = text.parse().ok();
        if value.is_none() {
            self.error.fields.push((name.to_owned(), FieldError::Unknown));
        }
        value
    }

    fn amount(&mut self, name: &str, text: &str) -> Option<i64> {
        let amount = minor(text);
        if amount.is_none() {
            self.error.fields.push((name.to_owned(), FieldError::InvalidFormat));
        }
        amount
    }

    fn qualifier(&mut self, fields: &mut FilterFields, name: &str, text: &str) {
        match name {
            "status" => fields.status = self.status(text),
            "event" => fields.event = self.parsed(name, text),
            "code" => fields.code = self.parsed(name, text),
            "shop" => fields.binding = self.parsed(name, text),
            "version" => fields.version = self.parsed(name, text),
            "from" => fields.from = self.parsed(name, text),
            "until" => fields.until = self.parsed(name, text),
            "min" => fields.at_least = self.amount(name, text),
            "max" => fields.at_most = self.amount(name, text),
            "open" => fields.open = text != "0",
            "cause" => fields.cause = Some(text.to_owned()),
            _ => self.error.fields.push((name.to_owned(), FieldError::Unknown)),
        }
    }

    fn status(&mut self, text: &str) -> Option<RunStatus> {
        let word = if text == "skipped" { RunStatus::SkippedByPolicy.as_str() } else { text };
        self.parsed("status", word)
    }

    fn search(&mut self, fields: &mut FilterFields, search: &str) {
        let mut words = Vec::new();
        for word in search.split_whitespace() {
            match qualifier_of(word) {
                Some(("amount", amount)) => self.amounts(fields, amount),
                Some((name, text)) => self.qualifier(fields, name, text),
                None => words.push(word),
            }
        }
        if !words.is_empty() {
            fields.find = Some(found_by(&words.join(" ")));
        }
    }

    /// `>100`, `>=100`, `<100`, `<=100`, `100..200`, or `100` alone.
    fn amounts(&mut self, fields: &mut FilterFields, text: &str) {
        if let Some(least) = text.strip_prefix(">=") {
            fields.at_least = self.amount("amount", least);
        } else if let Some(most) = text.strip_prefix("<=") {
            fields.at_most = self.amount("amount", most);
        } else if let Some(below) = text.strip_prefix('>') {
            fields.at_least = self.amount("amount", below).map(|minor| minor + 1);
        } else if let Some(above) = text.strip_prefix('<') {
            fields.at_most = self.amount("amount", above).map(|minor| minor - 1);
        } else if let Some((least, most)) = text.split_once("..") {
            fields.at_least = self.amount("amount", least);
            fields.at_most = self.amount("amount", most);
        } else {
            fields.at_least = self.amount("amount", text);
            fields.at_most = fields.at_least;
        }
    }

    fn order(&mut self, sort: Option<&str>, order: Option<&str>) -> Order {
        let by = match sort.filter(|word| !word.is_empty()) {
            None => SortBy::Received,
            Some(word) => SORTS.iter().find(|(_, known)| *known == word).map_or_else(
                || {
                    self.error.fields.push(("sort".to_owned(), FieldError::Unknown));
                    SortBy::Received
                },
                |(by, _)| *by,
            ),
        };
        Order { by, descending: order != Some("up") }
    }

    fn seek(&mut self, before: Option<&str>, after: Option<&str>) -> Seek {
        let present = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        match (present(after), present(before)) {
            (Some(run), _) => self.parsed::<RunId>("after", &run).map_or(Seek::First, Seek::After),
            (None, Some(run)) => self.parsed::<RunId>("before", &run).map_or(Seek::First, Seek::Before),
            (None, None) => Seek::First,
        }
    }
}

/// Everything that a text may be the number of.
fn found_by(text: &str) -> Find {
    // An address is nothing else, and goes nowhere in clear.
    if let Some(digest) = email::digest(text) {
        return Find { email_digest: Some(digest), ..Find::default() };
    }
    let mut numbers = vec![text.to_owned()];
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && text.len() < 9 {
        // People leave the zeros out.
        numbers.push(format!("{text:0>9}"));
    }
    let upper = text.to_uppercase();
    if upper != text {
        numbers.push(upper);
    }
    let has_decimals = text.contains(['.', ',']);
    Find {
        numbers,
        magento_id: text.trim_start_matches('#').parse().ok(),
        amount_minor: minor(text).filter(|_| has_decimals),
        email_digest: email::is_digest(text).then(|| text.to_owned()),
        sage_id: (text.len() >= 8 && !is_number).then(|| text.to_owned()),
        run: text.parse().ok(),
    }
}

#[cfg(test)]
mod tests;
