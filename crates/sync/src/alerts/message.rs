//! What a message says: the same facts as a letter for people, and as a payload for programs. No names and addresses of customers.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::{
    alert::{AlertFacts, AlertKind},
    ids::AlertChannelId,
    money,
};
use messages::message;
use serde_json::{Value, json};
use store::{Alert, AlertDelivery};
use uuid::Uuid;

/// A letter.
pub(super) struct EmailMessage {
    /// Names the message; the same on every try.
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// A message before it takes its form.
pub(super) struct Notice {
    /// Names the message; the same on every try.
    pub(super) id: String,
    kind: String,
    at: DateTime<Utc>,
    data: Value,
    subject: String,
    items: Vec<EmailItem>,
    page: String,
}

/// One thing that is told.
struct EmailItem {
    shop: String,
    at: DateTime<Utc>,
    told: String,
    about: Option<String>,
    action: &'static str,
    href: String,
}

/// The page where members say what they want to be told.
pub(super) fn page(public_url: &str) -> String {
    format!("{public_url}/dashboard/account/alerts")
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl Notice {
    /// What a parcel says.
    pub(super) fn of_delivery(message: &AlertDelivery, public_url: &str) -> Self {
        let items: Vec<EmailItem> =
            message.alerts.iter().map(|alert| EmailItem::of(alert, public_url)).collect();
        let page = page(public_url);
        let name = message.id.0.as_simple();
        match message.alerts.as_slice() {
            [alert] if !message.channel.wants.mode.is_digest() => Self {
                id: format!("msg_{name}"),
                kind: alert.kind.to_string(),
                at: alert.at,
                data: data(alert, public_url),
                subject: format!("{}: {}", plain(&alert.shop), alert.kind.subject()),
                items,
                page,
            },
            alerts => Self {
                id: format!("digest_{name}"),
                kind: "digest".to_owned(),
                at: message.slot,
                data: json!({ "alerts": alerts.iter().map(|alert| event(alert, public_url)).collect::<Vec<_>>() }),
                subject: digest_subject(alerts.len()),
                items,
                page,
            },
        }
    }

    /// A message that says that it is a test.
    pub(super) fn test(channel: AlertChannelId, id: Uuid, at: DateTime<Utc>, public_url: &str) -> Self {
        let item = EmailItem {
            shop: "Ledger".to_owned(),
            at,
            told: message!(letters.test).to_owned(),
            about: None,
            action: message!(letters.no_action),
            href: page(public_url),
        };
        Self {
            id: format!("test_{}", id.as_simple()),
            kind: "test".to_owned(),
            at,
            data: json!({ "channel_id": channel }),
            subject: message!(letters.test_subject).to_owned(),
            items: vec![item],
            page: page(public_url),
        }
    }

    /// The body of a webhook.
    pub(super) fn payload(&self) -> String {
        json!({ "type": self.kind, "timestamp": instant(self.at), "data": self.data }).to_string()
    }

    /// The e-mail.
    pub(super) fn email_message(&self) -> EmailMessage {
        let texts: Vec<String> = self.items.iter().map(EmailItem::text).collect();
        let htmls: Vec<String> = self.items.iter().map(EmailItem::html).collect();
        let preferences = message!(letters.preferences);
        EmailMessage {
            id: self.id.clone(),
            subject: self.subject.clone(),
            text: format!("{}\n\n-- \n{preferences}: {}\n", texts.join("\n\n"), self.page),
            html: sheet(&htmls.concat(), &self.page),
        }
    }
}

/// The letter that proves an address.
pub(super) fn letter_of_code(id: Uuid, code: &str, public_url: &str) -> EmailMessage {
    let page = page(public_url);
    let why = message!(letters.channel_code);
    let else_ = message!(letters.channel_ignore);
    let body = body_of_code(why, code, else_);
    EmailMessage {
        id: format!("code_{}", id.as_simple()),
        subject: message!(letters.channel_subject).to_owned(),
        text: format!("{why}\n\n    {code}\n\n{page}\n\n{else_}\n"),
        html: sheet(&body, &page),
    }
}

/// The letter that proves whose address it is.
pub(super) fn letter_of_address(id: Uuid, code: &str, public_url: &str) -> EmailMessage {
    let why = message!(letters.address_code);
    let else_ = message!(letters.address_ignore);
    let sender = message!(letters.sent_by, address = public_url);
    let body = body_of_code(why, code, else_);
    EmailMessage {
        id: format!("address_{}", id.as_simple()),
        subject: message!(letters.address_subject).to_owned(),
        text: format!("{why}\n\n    {code}\n\n{else_}\n\n-- \n{sender}\n"),
        html: format!(
            "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif\">{body}<hr><p>{}</p></body></html>",
            escaped(&sender)
        ),
    }
}

fn body_of_code(why: &str, code: &str, else_: &str) -> String {
    format!("<p>{why}</p><p style=\"font-family:monospace;font-size:20px\">{code}</p><p>{else_}</p>")
}

/// The longest name of a shop in a subject, in characters.
const LONGEST_NAME: usize = 60;

/// A shop's name as a subject holds it. Its organisation chooses it: it is short, of one line, and no address of a page or a person.
fn plain(name: &str) -> String {
    let apart = |email_message: char| {
        if email_message.is_alphanumeric() || "-&'.,()".contains(email_message) { email_message } else { ' ' }
    };
    let name: String = name.chars().map(apart).collect();
    let words: Vec<&str> = name.split_whitespace().collect();
    let name = words.join(" ");
    if name.chars().count() <= LONGEST_NAME {
        return name;
    }
    name.chars().take(LONGEST_NAME - 1).chain(['\u{2026}']).collect()
}

fn digest_subject(count: usize) -> String {
    if count == 1 {
        message!(letters.one_alert).to_owned()
    } else {
        message!(letters.many_alerts, count = count)
    }
}

fn event(alert: &Alert, public_url: &str) -> Value {
    json!({ "type": alert.kind, "timestamp": instant(alert.at), "data": data(alert, public_url) })
}

/// Facts and ids.
fn data(alert: &Alert, public_url: &str) -> Value {
    let mut data = json!(alert.facts);
    data["alert_id"] = json!(alert.id);
    data["binding_id"] = json!(alert.binding_id);
    if let Some(run) = alert.run_id {
        data["run_id"] = json!(run);
    }
    data["link"] = format!("{public_url}{}", alert.kind.path(alert.binding_id, alert.run_id)).into();
    data
}

/// Which document, where the alert is about one.
fn document(kind: AlertKind, facts: &AlertFacts) -> Option<String> {
    if !matches!(kind, AlertKind::DocumentFailed | AlertKind::MappingMissing) {
        return None;
    }
    let number = facts.increment_id.clone().or_else(|| facts.magento_id.map(|id| id.to_string()))?;
    let event = facts.event.map(|event| event.to_string()).unwrap_or_default();
    let sum = facts.amount_minor.map(|minor| money::text(money::from_minor(minor)));
    let sum = sum
        .map(|sum| format!(", {sum} {}", facts.currency.as_deref().unwrap_or_default()))
        .unwrap_or_default();
    Some(format!("{event} {number}{sum}").trim().to_owned())
}

impl EmailItem {
    fn of(alert: &Alert, public_url: &str) -> Self {
        Self {
            shop: alert.shop.clone(),
            at: alert.at,
            told: alert.kind.told(&alert.facts),
            about: document(alert.kind, &alert.facts),
            action: alert.kind.to_do(&alert.facts),
            href: format!("{public_url}{}", alert.kind.path(alert.binding_id, alert.run_id)),
        }
    }

    fn head(&self) -> String {
        format!("{}, {} UTC", self.shop, self.at.format("%-d %b %Y %H:%M"))
    }

    fn text(&self) -> String {
        let about = self.about.as_ref().map(|about| format!("{about}\n")).unwrap_or_default();
        format!("{}\n{}\n{about}{}\n{}", self.head(), self.told, self.action, self.href)
    }

    fn html(&self) -> String {
        let about = self.about.as_ref().map(|about| format!("<br>{}", escaped(about))).unwrap_or_default();
        let (head, told, href) = (escaped(&self.head()), escaped(&self.told), escaped(&self.href));
        format!(
            "<p><b>{head}</b><br>{told}{about}<br>{}<br><a href=\"{href}\">{href}</a></p>",
            escaped(self.action)
        )
    }
}

fn sheet(body: &str, page: &str) -> String {
    let page = escaped(page);
    format!(
        "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif\">{body}<hr><p>{}: <a \
         href=\"{page}\">{page}</a></p></body></html>",
        message!(letters.preferences)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use domain::{
        alert::{AlertMode, ChannelKind},
        code::Code,
        ids::{AlertId, BindingId, MemberId, RunId},
        run::EventName,
    };
    use store::{AlertChannel, AlertWants};

    use super::*;

    #[test]
    fn a_shops_name_in_a_subject_is_short_and_leads_nowhere() {
        assert_eq!(plain("Mugs & More (Dublin)"), "Mugs & More (Dublin)");
        assert_eq!(plain("mugs.example"), "mugs.example");
        assert_eq!(plain("Bl\u{e5} Kop"), "Bl\u{e5} Kop");
        assert_eq!(
            plain("Your bank: https://evil.example/phish?x=1"),
            "Your bank https evil.example phish x 1"
        );
        assert_eq!(plain("a\r\nBcc: b@c.example"), "a Bcc b c.example");
        let long = plain(&"x".repeat(300));
        assert_eq!((long.chars().count(), long.ends_with('\u{2026}')), (60, true));
    }

    const URL: &str = "https://ledger.example";

    fn alert(kind: AlertKind) -> Alert {
        Alert {
            id: AlertId(Uuid::from_u128(0xa)),
            binding_id: BindingId(Uuid::from_u128(0xb)),
            shop: "Mugs & <More>".to_owned(),
            kind,
            run_id: Some(RunId(Uuid::from_u128(0xc))),
            facts: AlertFacts {
                code: Some(Code::SageValidation),
                event: Some(EventName::InvoiceCreated),
                magento_id: Some(7),
                increment_id: Some("000000007".to_owned()),
                currency: Some("GBP".to_owned()),
                amount_minor: Some(12_345),
                failed_in_a_row: Some(1),
            },
            at: "2026-03-01T09:05:07Z".parse().unwrap(),
        }
    }

    fn message(mode: AlertMode, alerts: Vec<Alert>) -> AlertDelivery {
        let at = alerts[0].at;
        let channel = AlertChannel {
            id: AlertChannelId::default(),
            member_id: MemberId::default(),
            kind: ChannelKind::Email,
            target: "ada@shop.example".to_owned(),
            envelope: None,
            version: 1,
            wants: AlertWants { kinds: AlertKind::ALL.to_vec(), bindings: None, mode },
            created_at: at,
            confirmed_at: Some(at),
            last_ok_at: None,
            last_error: None,
            disabled_at: None,
        };
        AlertDelivery { channel, id: alerts[0].id, slot: at, attempts: 1, alerts, claim: 1, rests: 0 }
    }

    #[test]
    fn a_payload_holds_ids_sums_codes_and_a_link() {
        let notice =
            Notice::of_delivery(&message(AlertMode::AtOnce, vec![alert(AlertKind::DocumentFailed)]), URL);
        assert_eq!(notice.id, "msg_0000000000000000000000000000000a");
        let payload: Value = serde_json::from_str(&notice.payload()).unwrap();
        let expected = json!({
            "type": "document.failed",
            "timestamp": "2026-03-01T09:05:07Z",
            "data": {
                "alert_id": "00000000-0000-0000-0000-00000000000a",
                "binding_id": "00000000-0000-0000-0000-00000000000b",
                "run_id": "00000000-0000-0000-0000-00000000000c",
                "code": "sage_validation", "event": "invoice.created", "magento_id": 7, "increment_id": "000000007",
                "currency": "GBP", "amount_minor": 12345, "failed_in_a_row": 1,
                "link": "https://ledger.example/dashboard/sync/00000000-0000-0000-0000-00000000000c",
            },
        });
        assert_eq!(payload, expected);
    }

    #[test]
    fn a_letter_says_what_where_and_what_to_do() {
        let notice =
            Notice::of_delivery(&message(AlertMode::AtOnce, vec![alert(AlertKind::DocumentFailed)]), URL);
        let email_message = notice.email_message();
        assert_eq!(email_message.subject, "Mugs & More: a document needs attention");
        for part in [
            "Mugs & <More>, 1 Mar 2026 09:05 UTC\n",
            "A document could not be posted to Sage.",
            "invoice.created 000000007, 123.45 GBP\n",
            Code::SageValidation.action(),
            "https://ledger.example/dashboard/sync/00000000-0000-0000-0000-00000000000c\n",
            "https://ledger.example/dashboard/account/alerts",
        ] {
            assert!(email_message.text.contains(part), "{part}: {}", email_message.text);
        }
        assert!(email_message.html.contains("Mugs &amp; &lt;More&gt;"), "{}", email_message.html);
    }

    #[test]
    fn a_digest_holds_all_in_one_message() {
        let alerts = vec![alert(AlertKind::BindingTroubled), alert(AlertKind::BindingRecovered)];
        let notice = Notice::of_delivery(&message(AlertMode::DigestDaily, alerts), URL);
        assert_eq!(notice.id, "digest_0000000000000000000000000000000a");
        let payload: Value = serde_json::from_str(&notice.payload()).unwrap();
        let kinds: Vec<_> =
            payload["data"]["alerts"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
        assert_eq!((&payload["type"], kinds.len()), (&json!("digest"), 2));
        let email_message = notice.email_message();
        assert_eq!(email_message.subject, "Ledger: 2 alerts");
        assert!(
            email_message.text.contains("1 documents failed in a row")
                && email_message.text.contains("The shop is working again.")
        );
        let one =
            Notice::of_delivery(&message(AlertMode::DigestDaily, vec![alert(AlertKind::BindingPaused)]), URL);
        assert_eq!((one.email_message().subject.as_str(), one.kind.as_str()), ("Ledger: 1 alert", "digest"));
    }
}
