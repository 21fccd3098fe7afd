//! The list's address: which runs, in which order, from where. One search box understands what people hold in their hands, and
//! qualifiers for everything that the filters ask for.

mod amounts;
mod keys;
mod words;

use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::{
    code::Code,
    email,
    ids::{BindingId, BulkRetryId, RunId},
    money::Currency,
    run::{EventName, RunStatus},
    text::folded,
};
use store::{Find, Order, RunFilter, Seek, SortBy};
use url::form_urlencoded;
use views::{
    error::{AppError, ErrorCode, FieldError},
    links::HISTORY,
    links::escape,
};

pub use self::{
    amounts::minor,
    keys::{QUALIFIERS, unknown_word},
};
use self::{
    amounts::{currency, money, plain, sought},
    keys::qualifier_of,
    words::found_by,
};

/// Which runs are shown, as the address says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// The search box, as it was typed.
    pub search: String,
    /// The fields of the filter.
    pub fields: FilterFields,
    /// Whether the list holds what was skipped because its kind is switched off, too: see [`Code::SWITCHED_OFF`].
    pub with_switched_off: bool,
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
    /// Put in the queue by one retry of many.
    pub bulk: Option<BulkRetryId>,
    /// Received on this day or later (UTC).
    pub from: Option<NaiveDate>,
    /// Received on this day or earlier (UTC).
    pub until: Option<NaiveDate>,
    /// Magento's total at least, in minor units.
    pub at_least: Option<i64>,
    /// Magento's total at most, in minor units.
    pub at_most: Option<i64>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// Of a customer, as it was typed.
    pub customer: Option<String>,
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
            with_switched_off: get("skips").is_some_and(|text| text == "1"),
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
        let customer = fields.customer.as_deref().map(folded).filter(|name| !name.is_empty());
        let filter = RunFilter {
            binding: fields.binding,
            status: fields.status,
            event: fields.event,
            code: fields.code,
            cause: fields.cause,
            open: fields.open,
            settings_version: fields.version,
            bulk: fields.bulk,
            from: fields.from.map(start_of),
            until: fields.until.and_then(|day| day.checked_add_days(Days::new(1))).map(start_of),
            at_least: fields.at_least,
            at_most: fields.at_most,
            currency: fields.currency.map(|currency| currency.to_string()),
            // Alone it is looked for by its index; beside something else it narrows what that finds.
            customer: customer.clone().filter(|_| fields.find.is_some()),
            find: fields.find.or_else(|| Some(Find { customer: Some(customer?), ..Find::default() })),
            ..RunFilter::default()
        };
        RunFilter { without_switched_off: self.leaves_out(&filter), ..filter }
    }

    /// Whether runs of a filter are listed without what was skipped because its kind is switched off: where it asks for nothing that
    /// such a run may be meant by.
    pub fn leaves_out(&self, filter: &RunFilter) -> bool {
        let RunFilter { status, event, code, cause, open, settings_version, bulk, find, .. } = filter;
        let asks = status.is_some()
            || event.is_some()
            || code.is_some()
            || cause.is_some()
            || *open
            || settings_version.is_some()
            || bulk.is_some()
            || find.is_some();
        !self.with_switched_off && !asks
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
            bulk,
            from,
            until,
            at_least,
            at_most,
            currency,
            customer,
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
            ("bulk", bulk.map(|bulk| bulk.to_string())),
            ("from", from.map(|day| day.to_string())),
            ("until", until.map(|day| day.to_string())),
            ("min", at_least.map(plain)),
            ("max", at_most.map(plain)),
            ("currency", currency.map(|currency| currency.to_string())),
            ("customer", customer.clone()),
            ("skips", self.with_switched_off.then(|| "1".to_owned())),
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

    /// What is said of a key in the search box that is none.
    pub fn unknown_key(&self) -> Option<String> {
        keys::unknown_key(&self.search)
    }

    /// Whether only some of the runs are asked for.
    pub fn is_filtered(&self) -> bool {
        RunFilter { without_switched_off: false, ..self.filter() }.is_any()
    }
}

fn start_of(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

/// Reads words, and gathers what cannot be understood.
struct Reader {
    error: AppError,
}

impl Reader {
    fn parsed<T: std::str::FromStr>(&mut self, name: &str, text: &str) -> Option<T> {
        let value = text.parse().ok();
        if value.is_none() {
            let error = std::mem::replace(&mut self.error, AppError::new(ErrorCode::Invalid));
            self.error = error.field(name, FieldError::Unknown).echo(name, text);
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
            "bulk" => fields.bulk = self.parsed(name, text),
            "from" => fields.from = self.parsed(name, text),
            "until" => fields.until = self.parsed(name, text),
            "min" => fields.at_least = self.amount(name, text),
            "max" => fields.at_most = self.amount(name, text),
            "currency" => fields.currency = self.parsed(name, text),
            "customer" => fields.customer = Some(text.to_owned()),
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
        if words.is_empty() {
            return;
        }
        let text = words.join(" ");
        // A sum with its currency is nothing else, nor is a currency alone.
        if let Some((currency, amount)) = money(&text) {
            fields.currency = Some(currency);
            fields.find = Some(sought(amount));
        } else if let Some(currency) = currency(&text) {
            fields.currency = Some(currency);
        } else {
            fields.find = Some(found_by(&text));
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

#[cfg(test)]
mod tests;
