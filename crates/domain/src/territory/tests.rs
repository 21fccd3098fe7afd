use super::*;

fn address(country: &str, region: &str, postcode: &str) -> Address {
    Address {
        country_id: Some(country.to_owned()),
        region: Some(region.to_owned()),
        postcode: Some(postcode.to_owned()),
        ..Address::default()
    }
}

fn territory(country: &str, region: &str, postcode: &str) -> Territory {
    of_address(&address(country, region, postcode)).unwrap().unwrap()
}

#[test]
fn a_country_is_known_by_every_code_and_name_that_shops_send() {
    for (text, code, country) in [
        ("EL", "GR", Some("GR")),
        ("uk", "GB", Some("GB")),
        ("XI", "XI", Some("GB")),
        ("IRL", "IE", Some("IE")),
        ("GBR", "GB", Some("GB")),
        ("DEU", "DE", Some("DE")),
        ("Ireland", "IE", Some("IE")),
        ("Éire", "IE", Some("IE")),
        ("United Kingdom", "GB", Some("GB")),
        ("Scotland", "GB", Some("GB")),
        ("Northern Ireland", "XI", Some("GB")),
        ("GB-NIR", "XI", Some("GB")),
        ("Deutschland", "DE", Some("DE")),
        ("Czech Republic", "CZ", Some("CZ")),
        ("U.S.A.", "US", Some("US")),
        ("Côte d'Ivoire", "CI", Some("CI")),
        ("IC", "IC", Some("ES")),
        ("je", "JE", Some("JE")),
        ("XK", "XK", None),
        ("Kosovo", "XK", None),
        (" fr ", "FR", Some("FR")),
    ] {
        let found = territory(text, "", "");
        assert_eq!((found.code, found.country), (Some(code), country), "{text}");
    }
    for text in ["QQ", "Atlantis", "-", "IRE1"] {
        assert_eq!(of_address(&address(text, "", "")), Err(UnknownCountry(text.to_owned())));
    }
    assert_eq!(of_address(&address(" ", "", "")), Ok(None));
}

#[test]
fn every_country_of_the_list_is_found_by_both_codes_and_its_name() {
    for (two, three, name) in COUNTRIES {
        for text in [two, three, name] {
            assert_eq!(territory(text, "", "").code, Some(two), "{text}");
        }
    }
}

#[test]
fn an_area_is_known_by_its_postcode_else_by_its_region() {
    for (country, region, postcode, name) in [
        ("GB", "", "BT7 1AA", "Northern Ireland"),
        ("GB", "", "bt71aa", "Northern Ireland"),
        ("UK", "County Down", "", "Northern Ireland"),
        ("GB", "", "IM1 1AG", "the Isle of Man"),
        ("GB", "", "JE2 3QN", "Jersey"),
        ("GB", "", "GY1 1AA", "Guernsey"),
        ("GB", "", "GX11 1AA", "Gibraltar"),
        ("GB", "Northern Ireland", "RG1 2AB", "United Kingdom"),
        ("FR", "", "98000", "Monaco"),
        ("FR", "", "FR-98000", "Monaco"),
        ("FR", "", "97400", "Réunion"),
        ("FR", "La Réunion", "", "Réunion"),
        ("FR", "", "97133", "Saint Barthélemy"),
        ("FR", "", "97150", "Saint Martin"),
        ("FR", "", "97100", "Guadeloupe"),
        ("FR", "", "75011", "France"),
        ("ES", "", "35001", "the Canary Islands"),
        ("ES", "", "E-38001", "the Canary Islands"),
        ("ES", "Santa Cruz de Tenerife", "00000", "the Canary Islands"),
        ("ES", "", "51001", "Ceuta and Melilla"),
        ("ES", "Las Palmas", "28001", "Spain"),
        ("FI", "", "22100", "the Åland Islands"),
        ("FI", "", "00100", "Finland"),
        ("IT", "", "47890", "San Marino"),
        ("IT", "", "00120", "Vatican City"),
        ("IT", "", "23041", "Livigno"),
        ("IT", "", "22061", "Campione d'Italia"),
        ("IT", "", "00100", "Italy"),
        ("DE", "", "78266", "Büsingen"),
        ("DE", "", "27498", "Heligoland"),
        ("DE", "", "78250", "Germany"),
        ("GR", "", "630 86", "Mount Athos"),
        ("EL", "", "630 87", "Mount Athos"),
        ("CY", "", "9300", "northern Cyprus"),
        ("CY", "Girne", "", "northern Cyprus"),
        ("CY", "", "1010", "Cyprus"),
        ("DK", "", "3900", "Greenland"),
        ("DK", "", "3700", "Denmark"),
    ] {
        assert_eq!(territory(country, region, postcode).name, name, "{country} {region} {postcode}");
    }
}

#[test]
fn each_business_sees_a_territory_from_its_own_side() {
    use TaxArea::{EuropeanUnion, Home, RestOfWorld};
    // Country, postcode; from Great Britain, from Ireland, from Canada.
    for (country, postcode, seen) in [
        ("GB", "RG1 2AB", [Home, RestOfWorld, RestOfWorld]),
        ("GB", "BT7 1AA", [Home, EuropeanUnion, RestOfWorld]),
        ("IM", "IM1 1AG", [Home, RestOfWorld, RestOfWorld]),
        ("GB", "IM1 1AG", [Home, RestOfWorld, RestOfWorld]),
        ("GB", "JE2 3QN", [RestOfWorld, RestOfWorld, RestOfWorld]),
        ("IE", "D02 X285", [EuropeanUnion, Home, RestOfWorld]),
        ("FR", "75011", [EuropeanUnion, EuropeanUnion, RestOfWorld]),
        ("MC", "98000", [EuropeanUnion, EuropeanUnion, RestOfWorld]),
        ("FR", "97400", [RestOfWorld, RestOfWorld, RestOfWorld]),
        ("ES", "35001", [RestOfWorld, RestOfWorld, RestOfWorld]),
        ("DE", "78266", [RestOfWorld, RestOfWorld, RestOfWorld]),
        ("CY", "9300", [RestOfWorld, RestOfWorld, RestOfWorld]),
        ("US", "02139", [RestOfWorld, RestOfWorld, RestOfWorld]),
        ("CA", "K1A 0B1", [RestOfWorld, RestOfWorld, Home]),
        ("XK", "10000", [RestOfWorld, RestOfWorld, RestOfWorld]),
    ] {
        let found = territory(country, "", postcode);
        assert_eq!(["GB", "IE", "CA"].map(|home| found.seen_from(home, true)), seen, "{country} {postcode}");
    }
    // Northern Ireland is the Union's for goods alone.
    assert_eq!(territory("XI", "", "").seen_from("IE", false), RestOfWorld);
}

#[test]
fn the_map_names_a_territory_by_its_own_letters_first() {
    for (country, postcode, home, codes) in [
        ("GB", "BT7 1AA", "IE", &["XI"][..]),
        ("GB", "BT7 1AA", "GB", &["XI", "GB"]),
        ("GB", "BT7 1AA", "CA", &["XI", "GB"]),
        ("ES", "35001", "IE", &["IC"]),
        ("ES", "28001", "IE", &["ES"]),
        ("MC", "98000", "IE", &["MC", "FR"]),
        ("DE", "78266", "IE", &[]),
        ("GB", "IM1 1AG", "GB", &["IM", "GB"]),
    ] {
        assert_eq!(territory(country, "", postcode).rate_codes(home, true), codes, "{country} {postcode}");
    }
    assert_eq!(territory("XI", "", "").rate_codes("IE", false), ["GB"]);
    assert_eq!((canonical_code("EL"), canonical_code("UK"), canonical_code("FR")), ("GR", "GB", "FR"));
}

#[test]
fn sage_sees_by_the_country_alone_and_is_corrected_only_where_that_is_wrong() {
    for (country, postcode, home, is_seen) in [
        ("ES", "35001", "IE", false),
        ("ES", "28001", "IE", true),
        ("GB", "BT7 1AA", "IE", true),
        ("GB", "JE2 3QN", "GB", false),
        ("JE", "JE2 3QN", "GB", true),
        ("MC", "98000", "IE", false),
        ("US", "", "GB", true),
        ("XK", "", "GB", false),
    ] {
        assert_eq!(
            territory(country, "", postcode).is_seen_by_country(home),
            is_seen,
            "{country} {postcode} {home}"
        );
    }
}
