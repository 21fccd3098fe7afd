//! The secrets of webhooks.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::AlertChannelId;
use messages::message;
use store::{AlertChannel, Store};

use super::{SealedRow, SealedRows};

/// The channels that hold a secret.
pub(super) struct Channels<'a>(pub(super) &'a dyn Store);

/// A channel.
#[derive(Clone, Copy)]
pub(super) struct ChannelPlace(AlertChannelId);

impl std::fmt::Display for ChannelPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&message!(sealed.channel, id = self.0))
    }
}

/// The channel's secret as a row; none where it has none.
fn row(channel: AlertChannel) -> Option<SealedRow<ChannelPlace>> {
    Some(SealedRow {
        place: ChannelPlace(channel.id),
        associated: AlertChannel::bound_to(channel.id),
        envelope: channel.envelope?,
        version: channel.version,
    })
}

#[async_trait]
impl SealedRows for Channels<'_> {
    type Place = ChannelPlace;

    async fn page(
        &self,
        after: Option<&ChannelPlace>,
        limit: u32,
    ) -> store::Result<Vec<SealedRow<ChannelPlace>>> {
        let page = self.0.sealed_alert_channels(after.map(|ChannelPlace(id)| *id), limit).await?;
        Ok(page.into_iter().filter_map(row).collect())
    }

    async fn again(&self, ChannelPlace(id): &ChannelPlace) -> store::Result<Option<SealedRow<ChannelPlace>>> {
        Ok(self.0.alert_channel(*id).await?.and_then(row))
    }

    async fn replace(
        &self,
        row: &SealedRow<ChannelPlace>,
        envelope: &str,
        _: DateTime<Utc>,
    ) -> store::Result<()> {
        let ChannelPlace(id) = row.place;
        self.0.put_alert_secret(id, envelope, row.version, None).await
    }
}
