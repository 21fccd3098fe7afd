//! Key by key, what stays in the audit trail. Taken from the bodies that Ledger sends, from Sage's answers to them and from
//! Magento's documents.

/// Texts under these keys stay: ids, codes, dates, sums, and what is sold.
const PLAIN: &[&str] = &[
    "$dataCode",
    "$message",
    "$path",
    "$severity",
    "$source",
    "amount",
    "attributes",
    "contact_reference",
    "cost",
    "credit_note_number",
    "currency",
    "date",
    "description",
    "details",
    "discount",
    "href",
    "id",
    "invoice_number",
    "item_code",
    "kind",
    "method",
    "payment_method",
    "price",
    "price_name",
    "product_type",
    "qty",
    "quantity",
    "quantity_in_stock",
    "rate",
    "rate_name",
    "reference",
    "rel",
    "search",
    "sku",
    "state",
    "status",
    "subtotal",
    "tax_class",
    "tax_name",
    "total",
    "total_paid",
    "type",
    "void_reason",
];

/// So do those under keys that end like this.
const PLAIN_ENDINGS: &[&str] = &[
    "_amount",
    "_at",
    "_date",
    "_fee",
    "_id",
    "_ids",
    "_percent",
    "_percentage",
    "_price",
    "_quantity",
    "_rate",
    "_tax",
    "_total",
];

/// Never, whatever they end like; not even numbers.
const PRIVATE: &[&str] = &[
    "account_number",
    "access_token",
    "bic",
    "email",
    "fax",
    "gateway_txn_id",
    "iban",
    "mobile",
    "phone",
    "postal_code",
    "postcode",
    "registered_id",
    "refresh_token",
    "sort_code",
    "tax_id",
    "tax_number",
    "taxvat",
    "telephone",
    "vat_id",
    "vat_number",
];

/// What is displayed of these says nothing of a customer; of anything else it may be a name.
const DISPLAYED: &[&str] = &[
    "",
    "address_type",
    "artefact",
    "bank_account",
    "carriage_ledger_account",
    "contact_person_types",
    "contact_types",
    "country",
    "country_group",
    "currency",
    "default_purchase_ledger_account",
    "default_sales_ledger_account",
    "default_sales_tax_rate",
    "eu_goods_services_type",
    "ledger_account",
    "payment_method",
    "product",
    "product_sales_price_type",
    "purchase_ledger_account",
    "sales_ledger_account",
    "sales_tax_rate",
    "service",
    "service_rate_type",
    "shipping_tax_rate",
    "status",
    "stock_item",
    "tax_address_region",
    "tax_rate",
    "tax_treatment",
    "transaction_type",
];

/// Objects under these keys tell of people.
const PEOPLE: &[&str] = &[
    "addresses",
    "contact",
    "contact_person",
    "created_by",
    "customer",
    "main_contact_person",
    "updated_by",
    "user",
];

/// An object with one of these tells of a person.
const MARKS: &[&str] = &[
    "address_line_1",
    "contact_type_ids",
    "contact_types",
    "email",
    "first_name",
    "last_name",
    "main_contact_person",
    "postal_code",
    "postcode",
    "street",
    "telephone",
];

/// What stands under these of a person is looked for in other texts as well. Towns, regions and given names alone are not: they are
/// in time zones, in rules of tax and in names of goods.
const WHO: &[&str] = &["address_line_1", "address_line_2", "company", "contact_name", "name", "street"];

/// The same wherever they stand.
const WHO_ANYWHERE: &[&str] = &[
    "account_name",
    "account_number",
    "email",
    "iban",
    "mobile",
    "phone",
    "po_number",
    "postal_code",
    "postcode",
    "tax_number",
    "taxvat",
    "telephone",
    "vat_id",
];

/// Whether a text stays: `object` is the key that its object stands under.
pub(super) fn stays(name: &str, object: &str, is_person: bool, is_article: bool) -> bool {
    match name {
        "displayed_as" => !is_person && DISPLAYED.contains(&object),
        "name" => is_article && !is_person,
        "notes" | "description" | "details" | "void_reason" if is_person => false,
        "notes" => true,
        _ => {
            !is_private(name)
                && (PLAIN.contains(&name) || PLAIN_ENDINGS.iter().any(|ending| name.ends_with(ending)))
        }
    }
}

/// Whether not even a number stays.
pub(super) fn is_private(name: &str) -> bool {
    PRIVATE.contains(&name)
}

/// Whether what stands under this key tells one person from another.
pub(super) fn tells_who(name: &str, is_person: bool) -> bool {
    WHO_ANYWHERE.contains(&name) || (is_person && WHO.contains(&name))
}

/// Whether an object under this key tells of people.
pub(super) fn is_about_people(key: &str) -> bool {
    PEOPLE.contains(&key) || key.ends_with("_address")
}

/// Whether an object that holds this key tells of a person.
pub(super) fn shows_a_person(name: &str) -> bool {
    MARKS.contains(&name)
}
