//! Two people's changes to one version of the settings, put together field by field.

use super::{
    Lists, Settings,
    cards::{self, Kind},
    differences::said,
    form::{Form, Row},
};

/// A field that both have changed, each in another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its path, down to the entry of a map.
    pub path: String,
    /// What people call it.
    pub label: String,
    /// What the other one saved, as people read it; empty for nothing.
    pub theirs: String,
    /// The same as the form holds it.
    pub theirs_typed: String,
    /// What this one wants.
    pub mine: String,
}

/// What became of the two.
#[derive(Clone, Debug)]
pub struct Merged {
    /// Both persons' changes; where they cross, mine.
    pub form: Form,
    /// Where they cross.
    pub asked: Vec<Asked>,
}

/// Puts together what two people have made of the same settings.
pub fn merge(base: &Settings, theirs: &Settings, mine: &Settings, lists: &Lists) -> Merged {
    let [base, theirs, mine] = [base, theirs, mine].map(|settings| Form::of(settings, lists));
    let (mut pairs, mut asked) = (Vec::new(), Vec::new());
    let mut ask = |path: String, label: String, field: &cards::Field, theirs: &str, mine: &str| {
        let (theirs_said, mine) = (said(field, theirs), said(field, mine));
        asked.push(Asked { path, label, theirs: theirs_said, theirs_typed: theirs.to_owned(), mine });
    };
    for field in cards::fields() {
        if matches!(field.kind, Kind::PaymentMethods | Kind::TaxRates | Kind::ProductTypes) {
            let of = [&base, &theirs, &mine].map(|form| form.rows(field.path));
            // Without any row the form would say nothing of the map.
            pairs.extend(["key", "value"].map(|part| (format!("{}.{part}", field.path), String::new())));
            for key in keys(&of) {
                let [base, theirs, mine] =
                    [0, 1, 2].map(|place| of.get(place).and_then(|rows| value(rows, key)));
                let (kept, is_crossed) = either(base, theirs, mine);
                if is_crossed {
                    let (path, label) = (format!("{}.{key}", field.path), format!("{}: {key}", field.label));
                    ask(path, label, field, theirs.unwrap_or_default(), mine.unwrap_or_default());
                }
                if let Some(kept) = kept {
                    pairs.push((format!("{}.key", field.path), key.to_owned()));
                    pairs.push((format!("{}.value", field.path), kept.to_owned()));
                }
            }
        } else {
            let [base, theirs, mine] =
                [&base, &theirs, &mine].map(|form| form.get(field.path).unwrap_or_default());
            let (kept, is_crossed) = either(base, theirs, mine);
            if is_crossed {
                ask(field.path.to_owned(), field.label.to_owned(), field, theirs, mine);
            }
            pairs.push((field.path.to_owned(), kept.to_owned()));
        }
    }
    Merged { form: Form::from(pairs), asked }
}

/// What is kept of a field, and whether both have changed it.
fn either<T: PartialEq + Copy>(base: T, theirs: T, mine: T) -> (T, bool) {
    if mine == base {
        (theirs, false)
    } else {
        let is_crossed = theirs != base && theirs != mine;
        (mine, is_crossed)
    }
}

fn keys<'a>(of: &[Vec<Row<'a>>; 3]) -> Vec<&'a str> {
    let mut keys: Vec<&str> = of.iter().flatten().map(|row| row.key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn value<'a>(rows: &[Row<'a>], key: &str) -> Option<&'a str> {
    rows.iter().find(|row| row.key == key).map(|row| row.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Settings {
        serde_json::from_str(include_str!("../../../../fixtures/demo/settings.json")).unwrap()
    }

    fn lists() -> Lists {
        Lists::of(&serde_json::from_str(include_str!("../../../../fixtures/demo/reference.json")).unwrap())
    }

    #[test]
    fn what_only_one_has_changed_is_kept_whoever_it_was() {
        let (lists, base) = (lists(), good());
        let mut theirs = base.clone();
        theirs.invoice_number_prefix = Some("ONE-".to_owned());
        theirs.tax_rate_map.remove("5.00");
        let mut mine = base.clone();
        mine.record_refunds = false;
        mine.tax_rate_map.insert("0.00".to_owned(), "GB_EXEMPT".to_owned());
        let merged = merge(&base, &theirs, &mine, &lists);
        assert_eq!(merged.asked, []);
        let (settings, problems) = merged.form.read(&base, &lists);
        assert_eq!(problems, []);
        let mut both = theirs;
        both.record_refunds = false;
        both.tax_rate_map.insert("0.00".to_owned(), "GB_EXEMPT".to_owned());
        assert_eq!(settings, both);
    }

    #[test]
    fn what_both_have_changed_is_asked_for_unless_they_agree() {
        let (lists, base) = (lists(), good());
        let mut theirs = base.clone();
        theirs.invoice_number_prefix = Some("ONE-".to_owned());
        theirs.record_refunds = false;
        let mut mine = base.clone();
        mine.invoice_number_prefix = Some("TWO-".to_owned());
        mine.record_refunds = false;
        let merged = merge(&base, &theirs, &mine, &lists);
        let asked: Vec<_> = merged
            .asked
            .iter()
            .map(|asked| (asked.path.as_str(), asked.theirs.as_str(), asked.mine.as_str()))
            .collect();
        assert_eq!(asked, [("invoice_number_prefix", "ONE-", "TWO-")]);
        assert_eq!(merged.form.get("invoice_number_prefix"), Some("TWO-"));
    }
}
