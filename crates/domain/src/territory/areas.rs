//! The areas that are taxed otherwise than the country of their address, by postcode or by the name of the place.
//!
//! Sources: Directive 2006/112/EC, articles 5 to 8 (in the consolidated text of 2025), and its Protocols; the Windsor Framework,
//! article 8; HMRC VAT Notice 725 (Northern Ireland) and manual VATPOSG2300 (Isle of Man, Channel Islands).

use super::vat_area::VatArea;

/// An area within or beside a country.
#[derive(Debug)]
pub struct Area {
    /// Its two letters: ISO 3166-1 or reserved there, XI as the European Union has it; none where nobody gave it any.
    pub code: Option<&'static str>,
    /// What people read.
    pub name: &'static str,
    /// The country that its addresses name.
    pub country: &'static str,
    /// What its postcodes begin with, without spaces; a British area's letters are followed by a digit.
    pub postcodes: &'static [&'static str],
    /// Its regions and towns as [`crate::text::folded`] leaves them, for addresses without a postcode.
    pub regions: &'static [&'static str],
    /// Whose value added tax it is under.
    pub vat: VatArea,
    /// Where that is said.
    pub source: &'static str,
}

const WINDSOR: &str = "Windsor Framework, art. 8; HMRC VAT Notice 725";
const THIRD_TERRITORY: &str = "Directive 2006/112/EC, art. 6(1)";
const OUTSIDE_CUSTOMS: &str = "Directive 2006/112/EC, art. 6(2)";
const CHANNEL: &str = "HMRC manual VATPOSG2300: outside the UK for VAT";
const OVERSEAS: &str = "TFEU, art. 355(2) and Annex II: not a part of the Union's territory";

const fn area(
    code: &'static str,
    name: &'static str,
    country: &'static str,
    postcodes: &'static [&'static str],
    regions: &'static [&'static str],
    source: &'static str,
) -> Area {
    Area { code: Some(code), name, country, postcodes, regions, vat: VatArea::Elsewhere, source }
}

/// One that has no letters of its own.
const fn unnamed(
    name: &'static str,
    country: &'static str,
    postcodes: &'static [&'static str],
    regions: &'static [&'static str],
    source: &'static str,
) -> Area {
    Area { code: None, name, country, postcodes, regions, vat: VatArea::Elsewhere, source }
}

/// All of them.
pub const AREAS: &[Area] = &[
    Area {
        vat: VatArea::NorthernIreland,
        ..area("XI", "Northern Ireland", "GB", &["BT"], NORTHERN_IRELAND, WINDSOR)
    },
    Area {
        vat: VatArea::UnitedKingdom,
        ..area(
            "IM",
            "the Isle of Man",
            "GB",
            &["IM"],
            &["isle of man"],
            "HMRC manual VATPOSG2300: treated as part of the UK",
        )
    },
    area("JE", "Jersey", "GB", &["JE"], &["jersey", "saint helier", "st helier"], CHANNEL),
    area("GG", "Guernsey", "GB", &["GY"], &["guernsey", "alderney", "sark", "st peter port"], CHANNEL),
    area("GI", "Gibraltar", "GB", &["GX11"], &["gibraltar"], "Directive 2006/112/EC, art. 5"),
    area("FK", "the Falkland Islands", "GB", &["FIQQ"], &["falkland islands"], OVERSEAS),
    area("SH", "Saint Helena", "GB", &["STHL", "ASCN", "TDCU"], &["saint helena"], OVERSEAS),
    area("MC", "Monaco", "FR", &["980"], &["monaco", "monte carlo"], MONACO).of_union(),
    area("GP", "Guadeloupe", "FR", &["971"], &["guadeloupe"], THIRD_TERRITORY),
    area("MQ", "Martinique", "FR", &["972"], &["martinique"], THIRD_TERRITORY),
    area("GF", "French Guiana", "FR", &["973"], &["guyane", "french guiana"], THIRD_TERRITORY),
    area("RE", "Réunion", "FR", &["974"], &["reunion", "la reunion"], THIRD_TERRITORY),
    area("PM", "Saint Pierre and Miquelon", "FR", &["975"], &["saint pierre et miquelon"], OVERSEAS),
    area("YT", "Mayotte", "FR", &["976"], &["mayotte"], THIRD_TERRITORY),
    area("BL", "Saint Barthélemy", "FR", &["97133", "977"], &["saint barthelemy"], OVERSEAS),
    area("MF", "Saint Martin", "FR", &["97150", "978"], &[], THIRD_TERRITORY),
    area("TF", "the French Southern Territories", "FR", &["984"], &[], OVERSEAS),
    area("WF", "Wallis and Futuna", "FR", &["986"], &["wallis et futuna"], OVERSEAS),
    area("PF", "French Polynesia", "FR", &["987"], &["polynesie francaise"], OVERSEAS),
    area("NC", "New Caledonia", "FR", &["988"], &["nouvelle caledonie"], OVERSEAS),
    area("IC", "the Canary Islands", "ES", &["35", "38"], CANARIES, THIRD_TERRITORY),
    area("EA", "Ceuta and Melilla", "ES", &["51", "52"], &["ceuta", "melilla"], OUTSIDE_CUSTOMS),
    area("AX", "the Åland Islands", "FI", &["22"], &["aland", "ahvenanmaa"], THIRD_TERRITORY),
    area(
        "SM",
        "San Marino",
        "IT",
        &["4789"],
        &["san marino"],
        "a third country; Directive 2006/112/EC, art. 5",
    ),
    area("VA", "Vatican City", "IT", &["00120"], &["citta del vaticano"], "a third country"),
    area("GL", "Greenland", "DK", &["39"], &["greenland", "kalaallit nunaat"], OVERSEAS),
    area("FO", "the Faroe Islands", "DK", &[], &["faroe islands", "foroyar"], "TFEU, art. 355(5)(a)"),
    unnamed("Büsingen", "DE", &["78266"], &["busingen"], OUTSIDE_CUSTOMS),
    unnamed("Heligoland", "DE", &["27498"], &["helgoland", "heligoland"], OUTSIDE_CUSTOMS),
    unnamed("Livigno", "IT", &["23041"], &["livigno"], OUTSIDE_CUSTOMS),
    unnamed("Campione d'Italia", "IT", &["22061"], &["campione d italia"], THIRD_TERRITORY),
    unnamed("Mount Athos", "GR", &["63086", "63087"], &["mount athos", "agion oros"], THIRD_TERRITORY),
    unnamed("northern Cyprus", "CY", &["9"], NORTHERN_CYPRUS, "Protocol No 10 to the Act of Accession 2003"),
    unnamed("the waters of Lake Lugano", "IT", &[], &["lake lugano", "lago di lugano"], THIRD_TERRITORY),
];

const MONACO: &str = "Directive 2006/112/EC, art. 7: treated as France";

impl Area {
    const fn of_union(self) -> Self {
        Self { vat: VatArea::EuropeanUnion, ..self }
    }
}

/// The province and its counties.
const NORTHERN_IRELAND: &[&str] = &[
    "northern ireland",
    "antrim",
    "county antrim",
    "co antrim",
    "armagh",
    "county armagh",
    "co armagh",
    "down",
    "county down",
    "co down",
    "fermanagh",
    "county fermanagh",
    "londonderry",
    "county londonderry",
    "derry",
    "tyrone",
    "county tyrone",
    "belfast",
];

const CANARIES: &[&str] = &[
    "las palmas",
    "santa cruz de tenerife",
    "tenerife",
    "gran canaria",
    "lanzarote",
    "fuerteventura",
    "canarias",
    "islas canarias",
    "canary islands",
];

/// The areas in which the Republic's government has no effective control.
const NORTHERN_CYPRUS: &[&str] =
    &["northern cyprus", "north cyprus", "kktc", "trnc", "kyrenia", "girne", "mersin 10", "mersin 10 turkey"];
