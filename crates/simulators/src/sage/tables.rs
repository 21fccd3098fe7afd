//! A business and its tables of rows, and the ids that it gives out.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::errors::Refusal;

/// A JSON object: a record as the wire has it.
pub(super) type Record = Map<String, Value>;

/// Ids from a seed: the same run gives the same ids.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    seed: u64,
    next: u64,
}

impl Ids {
    /// The ids of a seed, from the first on.
    pub(super) const fn of(seed: u64) -> Self {
        Self { seed, next: 0 }
    }

    /// The next id: 32 hexadecimal characters.
    pub(super) fn next(&mut self) -> String {
        self.next += 1;
        self.named(&self.next.to_string())
    }

    /// The id of something that has a name, the same in every run with one seed.
    pub(super) fn named(&self, name: &str) -> String {
        hex::encode(&self.digest(name)[..16])
    }

    /// A token of about a thousand characters, as long as a JWT signed with RS512: whoever stores tokens must have the room.
    pub(super) fn token(&mut self) -> String {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        self.next += 1;
        let name = self.next.to_string();
        let part = |index: u8, blocks: u8| {
            let bytes: Vec<u8> =
                (0..blocks).flat_map(|block| self.digest(&format!("token {name} {index} {block}"))).collect();
            URL_SAFE_NO_PAD.encode(bytes)
        };
        format!("{}.{}.{}", part(0, 1), part(1, 9), part(2, 16))
    }

    fn digest(&self, name: &str) -> [u8; 32] {
        Sha256::digest(format!("{} {name}", self.seed)).into()
    }
}

/// A plan, as Sage sells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    Start,
    Standard,
    Plus,
}

impl Plan {
    /// The subscription's id on the wire.
    pub(super) fn subscription(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Standard => "ACCOUNTS",
            Self::Plus => "ACCOUNTING",
        }
    }
}

/// One business and its books.
pub(super) struct Business {
    pub(super) id: String,
    pub(super) name: &'static str,
    pub(super) country: &'static str,
    pub(super) base_currency: &'static str,
    pub(super) plan: Plan,
    /// False once the subscription has ended.
    pub(super) active: bool,
    pub(super) created: DateTime<Utc>,
    pub(super) tables: HashMap<String, Table>,
    pub(super) next_invoice: u64,
    pub(super) next_credit_note: u64,
    /// What has been settled, by the artefact it settles.
    pub(super) settlements: HashMap<String, Vec<Settlement>>,
    /// Answers kept under their idempotency ids.
    pub(super) remembered: HashMap<String, Remembered>,
    empty: Table,
}

impl Business {
    pub(super) fn new(
        id: String,
        name: &'static str,
        country: &'static str,
        base_currency: &'static str,
        plan: Plan,
        created: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            name,
            country,
            base_currency,
            plan,
            active: true,
            created,
            tables: HashMap::new(),
            next_invoice: 1,
            next_credit_note: 1,
            settlements: HashMap::new(),
            remembered: HashMap::new(),
            empty: Table::default(),
        }
    }

    pub(super) fn table(&self, resource: &str) -> &Table {
        self.tables.get(resource).unwrap_or(&self.empty)
    }

    pub(super) fn table_mut(&mut self, resource: &str) -> &mut Table {
        self.tables.entry(resource.to_owned()).or_default()
    }

    /// The living row with this id.
    pub(super) fn row(&self, resource: &str, id: &str) -> Result<&Row, Refusal> {
        let row = self.table(resource).get(id);
        row.filter(|row| row.deleted.is_none()).ok_or_else(Refusal::not_found)
    }

    pub(super) fn row_mut(&mut self, resource: &str, id: &str) -> Option<&mut Row> {
        self.tables.get_mut(resource).and_then(|table| table.get_mut(id))
    }

    /// `{id, displayed_as, $path}` of the row that `record[key]` names; null when it names none.
    pub(super) fn link(&self, record: &Record, key: &str, resource: &str) -> Result<Value, Refusal> {
        match text(record, key) {
            Some(id) => Ok(self.row(resource, id)?.base()),
            None => Ok(Value::Null),
        }
    }

    /// A setting of one of the settings documents.
    pub(super) fn setting(&self, document: &str, key: &str) -> &Value {
        let row = self.table("settings").get(document);
        row.and_then(|row| row.body.get(key)).unwrap_or(&Value::Null)
    }

    /// Whether it may charge tax at all.
    pub(super) fn taxed(&self) -> bool {
        self.setting("financial_settings", "tax_scheme")["id"] != "NOT_REGISTERED"
    }

    /// Base units for one unit of a foreign currency, from the exchange rates list; one for its own.
    pub(super) fn rate_of(&self, currency: &str) -> Decimal {
        let row = self.table("exchange_rates").get(currency);
        row.and_then(|row| super::money::field(&row.body, "rate")).unwrap_or(Decimal::ONE)
    }
}

/// The rows of one resource, in the order they were made.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
    places: HashMap<String, usize>,
}

impl Table {
    /// Adds a row, or replaces the one with its id.
    pub(super) fn insert(&mut self, row: Row) {
        let id = row.id().to_owned();
        if let Some(old) = self.get_mut(&id) {
            *old = row;
        } else {
            self.places.insert(id, self.rows.len());
            self.rows.push(row);
        }
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.rows.retain(|row| row.id() != id);
        let place = |(place, row): (usize, &Row)| (row.id().to_owned(), place);
        self.places = self.rows.iter().enumerate().map(place).collect();
    }

    /// The row with this id, deleted or not.
    pub(super) fn get(&self, id: &str) -> Option<&Row> {
        self.rows.get(*self.places.get(id)?)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Row> {
        self.rows.get_mut(*self.places.get(id)?)
    }

    /// Every row, deleted ones too.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.rows.iter()
    }

    pub(super) fn living(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.all().filter(|row| row.deleted.is_none())
    }
}

/// One record: what the wire shows, what was asked for, and when.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) body: Record,
    /// The request it was built from; an update is merged into it and everything is worked out afresh.
    pub(super) request: Record,
    /// Lower-case text that `search` looks into.
    pub(super) haystack: String,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
    pub(super) deleted: Option<DateTime<Utc>>,
}

impl Row {
    /// A row made now; `created_at` and `updated_at` are put into the body.
    pub(super) fn new(mut body: Record, request: Record, now: DateTime<Utc>) -> Self {
        body.insert("created_at".to_owned(), stamp(now));
        body.insert("updated_at".to_owned(), stamp(now));
        Self { body, request, created: now, updated: now, ..Self::default() }
    }

    /// A row of a fixed list: id, name, path.
    pub(super) fn fixed(resource: &str, id: &str, name: &str, now: DateTime<Utc>) -> Self {
        Self::new(base(resource, id, name), Record::new(), now)
    }

    /// The same with more fields.
    pub(super) fn with(mut self, fields: Value) -> Self {
        if let Value::Object(fields) = fields {
            self.body.extend(fields);
        }
        self
    }

    pub(super) fn id(&self) -> &str {
        text(&self.body, "id").unwrap_or_default()
    }

    /// `{id, displayed_as, $path}`.
    pub(super) fn base(&self) -> Value {
        let keep = |key: &str| self.body.get(key).cloned().unwrap_or_default();
        json!({"id": keep("id"), "displayed_as": keep("displayed_as"), "$path": keep("$path")})
    }

    /// Marks the row as changed.
    pub(super) fn touch(&mut self, now: DateTime<Utc>) {
        self.updated = now;
        self.body.insert("updated_at".to_owned(), stamp(now));
    }

    /// Marks the row as deleted; it stays for `deleted_since` and for uniqueness.
    pub(super) fn delete(&mut self, now: DateTime<Utc>) {
        self.touch(now);
        self.deleted = Some(now);
        self.body.insert("deleted_at".to_owned(), stamp(now));
    }
}

/// `{id, displayed_as, $path}` of a record in the making.
pub(super) fn base(resource: &str, id: &str, name: &str) -> Record {
    let mut record = Record::new();
    record.insert("id".to_owned(), id.into());
    record.insert("displayed_as".to_owned(), name.into());
    record.insert("$path".to_owned(), format!("/{resource}/{id}").into());
    record
}

/// A timestamp as Sage writes it: UTC, whole seconds.
pub(super) fn stamp(at: DateTime<Utc>) -> Value {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}

/// The text under `key`; empty counts as none.
pub(super) fn text<'a>(record: &'a Record, key: &str) -> Option<&'a str> {
    record.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The day under `key`.
pub(super) fn day(record: &Record, key: &str) -> Option<NaiveDate> {
    text(record, key).and_then(|text| text.parse().ok())
}

/// The objects in the array under `key`.
pub(super) fn records<'a>(record: &'a Record, key: &str) -> impl Iterator<Item = &'a Record> {
    record.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// The id inside the object under `key`.
pub(super) fn id_in<'a>(record: &'a Record, key: &str) -> Option<&'a str> {
    record.get(key).and_then(|value| value["id"].as_str())
}

/// An answer that is kept.
pub(super) struct Remembered {
    /// Method and path.
    pub(super) request: String,
    pub(super) body: Record,
    pub(super) status: u16,
    pub(super) answer: Option<Value>,
    pub(super) at: DateTime<Utc>,
}

/// One artefact settled in part or whole, by one payment or allocation.
#[derive(Debug, Clone)]
pub(super) struct Settlement {
    /// `contact_payments` or `contact_allocations`.
    pub(super) resource: &'static str,
    /// The payment or allocation.
    pub(super) by: String,
    /// Never negative.
    pub(super) amount: Decimal,
    pub(super) discount: Decimal,
}
