//! The boxes that follow from the document itself: where it goes, what Magento charged, and what was sold. Nothing of the translation is
//! used: no row, no recovered percentage, no chosen rate.

use std::collections::BTreeMap;

use domain::{
    business::{RateOwner, ReferenceSet, TaxRate},
    documents::{Address, Line},
    money::{round2, text},
    province,
    settings::{Settings, TaxMap},
    territory::{self, TaxArea, Territory},
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    context::Context,
    percentage::fraction,
    sales_document::SalesDocument,
    tax_return::{
        boxes::{BoxRange, E1, ES1, GST_HST, PST, QST, REVENUE, SALES, T1, TAX_DUE, VIES},
        canada,
    },
    tolerances::{CASH_ROUNDING, HIGHEST_RATE_IN_PRICE, LARGEST_ROUNDED_AWAY, LEAST_RATE, PENNY},
};

/// What a document shows of its tax.
pub(crate) struct DocumentFacts<'a> {
    document: &'a SalesDocument<'a>,
    territory: Option<Territory>,
    /// The province that taxes, of a sale within Canada.
    region: Option<String>,
    /// Where it goes, seen from the business.
    pub area: TaxArea,
    /// Whether goods are sold.
    pub is_goods: bool,
    /// What a credit memo adjusts without tax, beside the sale.
    beside: Decimal,
    settings: &'a Settings,
    reference: &'a ReferenceSet,
}

/// A part of the sale that was taxed.
struct TaxedPart {
    subtotal: Decimal,
    discount: Decimal,
    tax: Decimal,
}

impl TaxedPart {
    /// How far its tax is from a percentage's, in whichever way Magento taxed the discount: after it, within it, or before it.
    fn error(&self, percent: Decimal) -> Decimal {
        let rate = fraction(percent);
        let full = self.subtotal * rate;
        let within = (self.discount * rate).checked_div(Decimal::ONE + rate).unwrap_or_default();
        let taxes = [full - self.discount * rate, full - within, full];
        taxes.into_iter().map(|tax| (tax - self.tax).abs()).min().unwrap_or_default()
    }
}

impl<'a> DocumentFacts<'a> {
    /// Reads a document.
    pub fn of(
        document: &'a SalesDocument<'a>,
        beside: Decimal,
        is_goods: bool,
        context: &Context<'a>,
    ) -> Self {
        let (buyer, reference) = (&document.buyer, context.reference);
        let of =
            |address: Option<&Address>| address.and_then(|one| territory::of_address(one).ok().flatten());
        let territory = of(buyer.delivery_address).or_else(|| of(buyer.main_address));
        let area =
            territory.as_ref().map_or(TaxArea::Home, |one| one.seen_from(&reference.country, is_goods));
        let province = buyer.delivery_address.or(buyer.main_address).and_then(province::of_address);
        let region = province.filter(|_| area == TaxArea::Home).map(|(code, _)| format!("CA-{code}"));
        Self { document, territory, region, area, is_goods, beside, settings: context.settings, reference }
    }

    /// The territory's letters in the map.
    pub fn key_code(&self) -> Option<&'static str> {
        self.rate_codes().first().copied()
    }

    /// The territory as people read it.
    pub fn place_name(&self) -> &'static str {
        self.territory.as_ref().map_or(message!(place_of_supply.unknown_country), |territory| territory.name)
    }

    /// Whether the customer has a VAT number, without which no supply is declared by one.
    pub fn has_vat_number(&self) -> bool {
        self.document.buyer.vat_number.is_some()
    }

    fn rate_codes(&self) -> Vec<&'static str> {
        let codes = |territory: &Territory| territory.rate_codes(&self.reference.country, self.is_goods);
        self.territory.as_ref().map(codes).unwrap_or_default()
    }

    /// The boxes, or why they cannot be known.
    pub fn boxes(&self) -> Result<BTreeMap<&'static str, BoxRange>, String> {
        let tax = self.home_tax()?;
        Ok(match self.reference.country.as_str() {
            "IE" => self.irish(tax),
            "CA" => self.canadian(tax),
            _ => [(TAX_DUE, BoxRange::exactly(tax)), (SALES, self.sold())].into(),
        })
    }

    fn irish(&self, tax: Decimal) -> BTreeMap<&'static str, BoxRange> {
        let nothing = BoxRange::exactly(Decimal::ZERO);
        let to_union = match self.area {
            TaxArea::EuropeanUnion => self.sold_untaxed(),
            TaxArea::Home | TaxArea::RestOfWorld => nothing,
        };
        let (goods, services) = if self.is_goods { (to_union, nothing) } else { (nothing, to_union) };
        let by_number = if self.has_vat_number() { to_union } else { nothing };
        [(T1, BoxRange::exactly(tax)), (E1, goods), (ES1, services), (VIES, by_number)].into()
    }

    fn canadian(&self, tax: Decimal) -> BTreeMap<&'static str, BoxRange> {
        let region = self.region.as_deref().unwrap_or_default();
        let divisions = canada::divisions(region);
        if divisions.is_empty() {
            return [(REVENUE, self.sold()), (GST_HST, BoxRange::exactly(tax))].into();
        }
        let federal = |part: &TaxedPart| {
            let nearest = divisions.iter().min_by_key(|(percent, _)| part.error(*percent));
            nearest.map_or(part.tax, |(percent, division)| division.federal(part.tax, *percent))
        };
        let parts: Vec<TaxedPart> = self.taxed_parts().collect();
        let provincial: Decimal = parts.iter().map(|part| part.tax - federal(part)).sum();
        // What no line carries divides as the rest does.
        let on_parts: Decimal = parts.iter().map(|part| part.tax).sum();
        let provincial = provincial.checked_mul(tax).and_then(|all| all.checked_div(on_parts));
        let provincial = round2(provincial.unwrap_or_default());
        let own = if region == "CA-QC" { QST } else { PST };
        let slack = self.roundings();
        let about = |amount| BoxRange::about(amount, slack);
        [(REVENUE, self.sold()), (GST_HST, about(tax - provincial)), (own, about(provincial))].into()
    }

    /// The tax that is the business's own country's: all of it at home; abroad what the merchant says is.
    fn home_tax(&self) -> Result<Decimal, String> {
        let tax = round2(self.document.totals.tax);
        if self.area == TaxArea::Home || tax.is_zero() {
            return Ok(tax);
        }
        let words = self.merchants_words();
        let is_passed_on = self.settings.foreign_tax_ledger_account_id.is_some();
        if !words.iter().any(|(_, is_home)| *is_home) {
            return Ok(Decimal::ZERO);
        }
        if !is_passed_on && words.iter().all(|(_, is_home)| *is_home) {
            return Ok(tax);
        }
        // Some of it is home's and some is not: each part by its own percentage.
        let mut sum = Decimal::ZERO;
        for part in self.taxed_parts() {
            let fits = |percent: Decimal| part.error(percent) <= self.roundings();
            let mut fitting = words.iter().filter(|(percent, _)| fits(*percent)).map(|(_, is_home)| *is_home);
            let first = fitting.next();
            match (first, fitting.all(|other| Some(other) == first)) {
                (Some(true), true) => sum += part.tax,
                (Some(false), true) => {}
                (None, _) if is_passed_on => {}
                _ => {
                    let tax = text(part.tax);
                    return Err(message!(figures.whose_tax, tax = tax, place = self.place_name()));
                }
            }
        }
        Ok(round2(sum))
    }

    /// The percentages that the map has for this very place, and whether their rates are the business's own country's.
    fn merchants_words(&self) -> Vec<(Decimal, bool)> {
        let codes = self.rate_codes();
        let postal = self.territory.as_ref().map(|territory| territory.postal_country);
        let is_here = |code: &str| codes.contains(&code) || (codes.is_empty() && postal == Some(code));
        let rate = |id: &str| self.reference.tax_rates.iter().find(|rate| rate.id == id);
        let is_home = |rate: &TaxRate| rate.owner(&self.reference.country) == RateOwner::Home;
        let map = TaxMap::read(&self.settings.tax_rate_map);
        let taxing = map.entries().filter(|(key, _)| !key.percentage().is_zero());
        let here = taxing.filter(|(key, _)| key.country().is_some_and(is_here));
        here.filter_map(|(key, id)| Some((key.percentage(), is_home(rate(id)?)))).collect()
    }

    /// The taxed parts of the sale: its lines and shipping, which bears what the header has of discounts beyond the lines'.
    fn taxed_parts(&self) -> impl Iterator<Item = TaxedPart> {
        let totals = &self.document.totals;
        let line = |line: &Line| TaxedPart {
            subtotal: line.line_subtotal,
            discount: line.discount(),
            tax: line.line_tax,
        };
        let on_lines: Decimal = self.document.lines.iter().map(Line::discount).sum();
        let discount = (-totals.discount - on_lines).max(Decimal::ZERO);
        let shipping = TaxedPart { subtotal: totals.shipping, discount, tax: totals.shipping_tax };
        self.document.lines.iter().map(line).chain([shipping]).filter(|part| !part.tax.is_zero())
    }

    /// A penny for each line, for shipping and for the header.
    fn roundings(&self) -> Decimal {
        PENNY * Decimal::from(self.document.lines.len() + 2)
    }

    /// What was sold without tax. It is the total without tax and without money that is no sale: vouchers that are sold, and stored
    /// value that paid, which is what the total lacks of lines and shipping. Tax within discounts and fixed product taxes, which no
    /// field shows, may hide some of that.
    fn sold(&self) -> BoxRange {
        let totals = &self.document.totals;
        let net = round2(totals.grand_total) - round2(totals.tax) + round2(self.beside) - self.vouchers();
        let (rest, hidden) = (self.rest(), self.hidden());
        let slack = self.roundings() + CASH_ROUNDING;
        let least = net + (-rest).max(Decimal::ZERO) - slack;
        let most = net + (hidden - rest).max(Decimal::ZERO) + slack;
        // What the merchant puts on "No VAT" at 0 % is left out of the return by their own word.
        let outside = if self.untaxed_is_outside() {
            self.untaxed_lines() + totals.discount.abs() + rest.max(Decimal::ZERO)
        } else {
            Decimal::ZERO
        };
        BoxRange { least: least - outside, most }
    }

    /// What the total holds beyond lines and shipping; below zero where something that is no sale paid.
    fn rest(&self) -> Decimal {
        let totals = &self.document.totals;
        let sold = self.of_lines() + self.beyond_lines() + totals.discount + totals.shipping;
        totals.grand_total - totals.tax - sold
    }

    fn of_lines(&self) -> Decimal {
        self.document.lines.iter().map(|line| line.line_subtotal).sum()
    }

    /// What the header's subtotal holds beyond the lines: fixed product taxes, where the shop counts them in.
    fn beyond_lines(&self) -> Decimal {
        (self.document.totals.subtotal - self.of_lines()).max(Decimal::ZERO)
    }

    /// The most that no field shows: the tax within discounts, and product taxes by the tax that is on no line.
    fn hidden(&self) -> Decimal {
        let totals = &self.document.totals;
        let on_parts: Decimal = self.taxed_parts().map(|part| part.tax).sum();
        let ratios = self.taxed_parts().filter_map(|part| part.tax.checked_div(part.subtotal));
        let least = ratios.filter(|ratio| *ratio > LEAST_RATE).min().unwrap_or(LEAST_RATE);
        let unshown = (totals.tax - on_parts).max(Decimal::ZERO);
        let unshown = if unshown > self.roundings() {
            unshown.checked_div(least).unwrap_or_default()
        } else {
            Decimal::ZERO
        };
        totals.discount.abs() * HIGHEST_RATE_IN_PRICE + unshown
    }

    /// What of it bears no tax.
    fn sold_untaxed(&self) -> BoxRange {
        if round2(self.document.totals.tax).is_zero() {
            return self.sold();
        }
        let untaxed = self.untaxed_lines();
        let slack = self.roundings() + CASH_ROUNDING + self.document.totals.discount.abs();
        // Fees and product taxes that are on no line may be untaxed, wherever the header has them.
        let beyond = self.rest().max(Decimal::ZERO) + self.beyond_lines();
        BoxRange { least: untaxed - self.pence() - slack, most: untaxed + beyond + slack }
    }

    fn untaxed_lines(&self) -> Decimal {
        let totals = &self.document.totals;
        let lines = self.document.lines.iter().filter(|line| line.line_tax.is_zero());
        let shipping = if totals.shipping_tax.is_zero() { totals.shipping } else { Decimal::ZERO };
        lines.map(|line| line.line_subtotal).sum::<Decimal>() + shipping + self.beside.abs()
    }

    /// Lines without tax that may be taxed all the same, because the tax of one piece rounds to nothing.
    fn pence(&self) -> Decimal {
        let is_pence = |line: &&Line| {
            line.line_tax.is_zero() && line.line_subtotal <= LARGEST_ROUNDED_AWAY * line.qty.max(Decimal::ONE)
        };
        self.document.lines.iter().filter(is_pence).map(|line| line.line_subtotal).sum()
    }

    fn vouchers(&self) -> Decimal {
        let sold = self.document.lines.iter().filter(|line| line.is_multi_purpose_voucher());
        sold.map(|line| round2(line.line_subtotal) - round2(Line::discount(line))).sum()
    }

    /// Whether the merchant's rate of 0 % is on no return.
    fn untaxed_is_outside(&self) -> bool {
        let map = TaxMap::read(&self.settings.tax_rate_map);
        let codes = self.rate_codes();
        let is_here = |code: &str| codes.contains(&code);
        let here =
            map.entries().filter(|(key, _)| key.percentage().is_zero() && key.country().is_none_or(is_here));
        let default = self.settings.default_tax_rate_id.as_deref();
        let mut ids = here.map(|(_, id)| id).chain(default);
        let is_outside = |id: &str| {
            let rate = self.reference.tax_rates.iter().find(|rate| rate.id == id);
            rate.is_some_and(|rate| rate.owner(&self.reference.country) == RateOwner::NoTax)
        };
        ids.any(is_outside)
    }
}
