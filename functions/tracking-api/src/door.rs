//! Who may see which order.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use domain::ports::Unavailable;
use domain::{OrderId, UserId};
use futures_util::future::try_join_all;
use tracking::OrderRecord;
use tracking::ports::{OrderFile, OrdersFind, OrdersKeep, ParcelFile, ParcelsKeep, WishesKeep};
use web::{Caller, Problem, Role};

use crate::config::Settings;

/// A part of a path as it was sent; one that is no text counts as none that anybody knows.
pub(crate) type Segment = Result<Path<String>, PathRejection>;

/// How many parcels are read at a time.
const AT_ONCE: usize = 8;

/// Where orders and parcels are kept and found.
pub trait Store: OrdersKeep + ParcelsKeep + OrdersFind + WishesKeep + Send + Sync + 'static {}
impl<T: OrdersKeep + ParcelsKeep + OrdersFind + WishesKeep + Send + Sync + 'static> Store for T {}

/// What every route has at hand.
#[derive(Debug)]
pub struct Door<S> {
    /// Where orders and parcels are kept.
    pub store: S,
    /// What the answers depend on besides.
    pub settings: Settings,
}

/// An order that the caller may see.
pub(crate) struct Opened {
    pub(crate) record: OrderRecord,
    pub(crate) file: OrderFile,
}

impl<S: Store> Door<S> {
    /// The order that a path names, if this caller may see it: its owner, or whoever runs the shop.
    ///
    /// Another's order, and one that does not exist, are read alike and refused alike.
    pub(crate) async fn open(&self, caller: &Caller, segment: Segment) -> Result<Opened, Problem> {
        self.open_known(caller, &order_id(segment)?).await
    }

    /// The same for a caller's order whose id has been read.
    pub(crate) async fn open_known(&self, caller: &Caller, id: &OrderId) -> Result<Opened, Problem> {
        let file = self.store.read_order(id).await?;
        let record = file.record.clone().filter(|record| may_see(caller, record));
        let record = record.ok_or_else(Problem::not_found)?;
        Ok(Opened { record, file })
    }

    /// What carriers said of an order's parcels.
    pub(crate) async fn parcels_of(&self, record: &OrderRecord) -> Result<Vec<ParcelFile>, Unavailable> {
        let parcels = &record.registration.parcels;
        let mut files = Vec::with_capacity(parcels.len());
        for some in parcels.chunks(AT_ONCE) {
            let read = some.iter().map(|parcel| self.store.read_parcel(&parcel.number));
            files.extend(try_join_all(read).await?);
        }
        Ok(files)
    }
}

/// The order that a path names.
pub(crate) fn order_id(segment: Segment) -> Result<OrderId, Problem> {
    let Ok(Path(text)) = segment else {
        return Err(Problem::not_found());
    };
    OrderId::try_from(text).map_err(|_no_id| Problem::not_found())
}

fn may_see(caller: &Caller, record: &OrderRecord) -> bool {
    caller.role == Role::Admin || is_owned_by(record, &caller.user)
}

/// Whether this customer ordered it. A guest's order is nobody's.
pub(crate) fn is_owned_by(record: &OrderRecord, user: &UserId) -> bool {
    record.registration.user.as_ref() == Some(user)
}
