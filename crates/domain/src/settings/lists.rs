//! The lists that settings choose from, and what a person may type to name an entry: its text, its number or Sage's id.

use std::collections::HashMap;

use chrono_tz::Tz;

use crate::business::{LedgerAccount, ReferenceSet};

/// One of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// Tax rates for sales.
    TaxRates,
    /// Ledger accounts that may be used on sales documents.
    SalesAccounts,
    /// Ledger accounts that may be used on purchases.
    ExpenseAccounts,
    /// Bank accounts that are in use.
    BankAccounts,
}

impl List {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::TaxRates, Self::SalesAccounts, Self::ExpenseAccounts, Self::BankAccounts];

    /// The list of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.as_str() == name)
    }

    /// Its name in a page.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TaxRates => "tax-rates",
            Self::SalesAccounts => "sales-accounts",
            Self::ExpenseAccounts => "expense-accounts",
            Self::BankAccounts => "bank-accounts",
        }
    }
}

/// What the rules ask of the lists. The server has the whole reference set at hand, the browser what stands in the page.
pub trait Choices {
    /// Whether a list has an entry with this id.
    fn has(&self, list: List, id: &str) -> bool;

    /// The id of the entry that a person named: by its text, its number or its id.
    fn find(&self, list: List, typed: &str) -> Option<String>;

    /// Whether the business is registered for tax.
    fn is_registered_for_tax(&self) -> bool;

    /// Whether there is such a time zone.
    fn is_time_zone(&self, name: &str) -> bool;
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Sage's id.
    pub id: String,
    /// What people read; of two entries with one name each has its id behind it.
    pub text: String,
    /// A ledger account's number.
    pub number: Option<i64>,
}

/// The lists of a business, ready to be searched.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    lists: HashMap<List, Entries>,
    registered_for_tax: bool,
}

#[derive(Clone, Debug, Default)]
struct Entries {
    choices: Vec<Choice>,
    /// From an id, a text or a number to the entry. Ids win over texts, texts over numbers.
    places: HashMap<String, usize>,
}

impl Lists {
    /// The lists of a reference set.
    pub fn of(reference: &ReferenceSet) -> Self {
        let entries = |list| (list, Entries::of(choices(reference, list)));
        Self {
            lists: List::ALL.into_iter().map(entries).collect(),
            registered_for_tax: reference.registered_for_tax,
        }
    }

    /// The entries of a list, in Sage's order.
    pub fn entries(&self, list: List) -> &[Choice] {
        self.lists.get(&list).map(|entries| entries.choices.as_slice()).unwrap_or_default()
    }

    /// The entries in whose text or number each word of a text is found, at most so many, in Sage's order. Those whose number
    /// or text begins with it come first.
    pub fn search(&self, list: List, text: &str, most: usize) -> Vec<&Choice> {
        let text = text.trim().to_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        let (mut first, mut others) = (Vec::new(), Vec::new());
        for choice in self.entries(list) {
            let number = choice.number.map(|number| number.to_string()).unwrap_or_default();
            let name = choice.text.to_lowercase();
            if !text.is_empty() && (number.starts_with(&text) || name.starts_with(&text)) {
                first.push(choice);
            } else if others.len() < most
                && words.iter().all(|word| name.contains(word) || number.starts_with(word))
            {
                others.push(choice);
            }
            if first.len() == most {
                break;
            }
        }
        first.extend(others);
        first.truncate(most);
        first
    }

    /// The number of a ledger account.
    pub fn number(&self, list: List, id: &str) -> Option<i64> {
        self.lists.get(&list)?.by_id(id)?.number
    }

    /// What people read for an id: the entry's text, or that it is missing.
    pub fn text(&self, list: List, id: &str) -> String {
        let found = self.lists.get(&list).and_then(|entries| entries.by_id(id));
        found.map_or_else(|| format!("{MISSING}{id}"), |choice| choice.text.clone())
    }
}

/// The names of all time zones.
pub fn time_zones() -> impl Iterator<Item = &'static str> {
    chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
}

/// What stands in front of an id that Sage no longer has.
pub const MISSING: &str = "(missing) ";

impl Choices for Lists {
    fn has(&self, list: List, id: &str) -> bool {
        self.lists.get(&list).is_some_and(|entries| entries.by_id(id).is_some())
    }

    fn find(&self, list: List, typed: &str) -> Option<String> {
        let entries = self.lists.get(&list)?;
        let place = entries.places.get(typed).or_else(|| entries.places.get(&typed.to_ascii_lowercase()))?;
        Some(entries.choices.get(*place)?.id.clone())
    }

    fn is_registered_for_tax(&self) -> bool {
        self.registered_for_tax
    }

    fn is_time_zone(&self, name: &str) -> bool {
        name.parse::<Tz>().is_ok()
    }
}

impl Entries {
    fn of(mut choices: Vec<Choice>) -> Self {
        let mut same: HashMap<String, usize> = HashMap::new();
        for choice in &choices {
            *same.entry(choice.text.to_ascii_lowercase()).or_default() += 1;
        }
        for choice in &mut choices {
            if same.get(&choice.text.to_ascii_lowercase()).is_some_and(|count| *count > 1) {
                choice.text = format!("{} [{}]", choice.text, choice.id);
            }
        }
        let mut places = HashMap::with_capacity(choices.len() * 3);
        // The last word on a key is the first reading: ids, texts, numbers.
        for (place, choice) in choices.iter().enumerate().rev() {
            if let Some(number) = choice.number {
                places.insert(number.to_string(), place);
            }
        }
        for (place, choice) in choices.iter().enumerate().rev() {
            places.insert(choice.text.to_ascii_lowercase(), place);
        }
        for (place, choice) in choices.iter().enumerate().rev() {
            places.insert(choice.id.clone(), place);
        }
        Self { choices, places }
    }

    fn by_id(&self, id: &str) -> Option<&Choice> {
        let found = self.choices.get(*self.places.get(id)?)?;
        (found.id == id).then_some(found)
    }
}

fn choices(reference: &ReferenceSet, list: List) -> Vec<Choice> {
    let accounts = |usable: fn(&LedgerAccount) -> bool| {
        let usable = reference.ledger_accounts.iter().filter(move |account| usable(account));
        usable.map(|account| choice(&account.id, &account.name, account.nominal_code)).collect()
    };
    match list {
        List::TaxRates => {
            let rates = reference.tax_rates.iter();
            rates.map(|rate| choice(&rate.id, &named(&rate.name, rate.percentage), None)).collect()
        }
        List::SalesAccounts => accounts(|account| account.visible_in_sales),
        List::ExpenseAccounts => accounts(|account| account.visible_in_expenses),
        List::BankAccounts => {
            let active = reference.bank_accounts.iter().filter(|bank| bank.is_active);
            active.map(|bank| choice(&bank.id, &bank.name, None)).collect()
        }
    }
}

fn choice(id: &str, text: &str, number: Option<i64>) -> Choice {
    Choice { id: id.to_owned(), text: text.trim().to_owned(), number }
}

/// A rate's name with its percentage, where the name does not say it.
fn named(name: &str, percentage: rust_decimal::Decimal) -> String {
    if name.contains('%') { name.to_owned() } else { format!("{name} {percentage:.2}%") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference() -> ReferenceSet {
        serde_json::from_str(include_str!("../../../../fixtures/demo/reference.json")).unwrap()
    }

    #[test]
    fn an_entry_is_found_by_its_text_its_number_and_its_id() {
        let lists = Lists::of(&reference());
        let sales = "d8e032034c2820c906661f5e47782d9b";
        for typed in ["Sales - Products (4000)", "sales - products (4000)", "4000", sales] {
            assert_eq!(lists.find(List::SalesAccounts, typed).as_deref(), Some(sales), "{typed}");
        }
        assert_eq!(lists.find(List::SalesAccounts, "4001"), None);
        assert_eq!(
            lists.find(List::TaxRates, "Irish standard rate 23.00%").as_deref(),
            Some("IE_STANDARD_OSS")
        );
    }

    #[test]
    fn a_search_finds_words_and_numbers_and_stops_in_time() {
        let lists = Lists::of(&reference());
        let found = |text: &str, most| {
            let found = lists.search(List::SalesAccounts, text, most);
            found.into_iter().map(|choice| choice.text.clone()).collect::<Vec<_>>()
        };
        assert_eq!(found("4000", 20), ["Sales - Products (4000)"]);
        assert_eq!(found(" serv sales ", 20), ["Sales - Services (4010)"]);
        assert_eq!(found("", 3).len(), 3);
        assert_eq!(found("nothing of the kind", 20), Vec::<String>::new());
    }

    #[test]
    fn only_what_may_be_used_there_is_in_a_list() {
        let lists = Lists::of(&reference());
        assert!(!lists.has(List::BankAccounts, "3228f837196d851cc8d4ec184b3ae76b"), "it is not in use");
        let sold: Vec<_> = lists.entries(List::SalesAccounts).iter().map(|choice| &choice.id).collect();
        assert!(lists.entries(List::ExpenseAccounts).iter().any(|choice| !sold.contains(&&choice.id)));
    }

    #[test]
    fn of_two_entries_with_one_name_each_says_its_id() {
        let mut reference = reference();
        for account in reference.ledger_accounts.iter_mut().take(2) {
            account.name = "Sales".to_owned();
        }
        let ids: Vec<_> = reference.ledger_accounts[..2].iter().map(|account| account.id.clone()).collect();
        let lists = Lists::of(&reference);
        for id in &ids {
            assert_eq!(lists.text(List::SalesAccounts, id), format!("Sales [{id}]"));
            assert_eq!(lists.find(List::SalesAccounts, &format!("Sales [{id}]")).as_ref(), Some(id));
        }
        assert_eq!(lists.find(List::SalesAccounts, "Sales"), None);
    }

    #[test]
    fn what_sage_no_longer_has_is_said_to_be_missing() {
        assert_eq!(Lists::of(&reference()).text(List::TaxRates, "GB_OLD"), "(missing) GB_OLD");
    }
}
