//! Counts what each request takes at the table, where the SDK calls it: every call and every repetition comes by here.

use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextMut, BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};
use aws_smithy_types::config_bag::{Storable, StoreReplace};

use crate::log::{Began, Tally};

/// Counts for the request that a call is made for, and leaves others alone.
#[derive(Debug)]
pub(super) struct Meter;

/// When the attempt that is under way began.
#[derive(Debug, Clone, Copy)]
struct Attempt(Began);

impl Storable for Attempt {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if Tally::current().is_none() {
            return Ok(());
        }
        let input = context.input_mut();
        macro_rules! ask {
            ($($input:ty),*) => {
                $(if let Some(input) = input.downcast_mut::<$input>() {
                    // It costs nothing, and some bytes of the answer.
                    input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
                })*
            };
        }
        ask!(
            GetItemInput,
            BatchGetItemInput,
            QueryInput,
            PutItemInput,
            UpdateItemInput,
            DeleteItemInput,
            TransactWriteItemsInput
        );
        Ok(())
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(tally) = Tally::current() {
            bag.interceptor_state().store_put(Attempt(tally.begin()));
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(tally) = Tally::current() else { return Ok(()) };
        if let Some(Attempt(began)) = bag.load::<Attempt>() {
            tally.end(*began);
        }
        let Some(Ok(output)) = context.output_or_error() else { return Ok(()) };
        macro_rules! taken {
            ($($output:ty),*) => {
                [$(output.downcast_ref::<$output>().map(|output| units(&output.consumed_capacity))),*]
                    .into_iter().flatten().sum()
            };
        }
        let read = taken!(GetItemOutput, BatchGetItemOutput, QueryOutput);
        let written = taken!(PutItemOutput, UpdateItemOutput, DeleteItemOutput, TransactWriteItemsOutput);
        tally.add(read, written);
        Ok(())
    }
}

/// One for each table: ours is the only one.
fn units<'a>(consumed: impl IntoIterator<Item = &'a (impl Consumed + 'a)>) -> f64 {
    consumed.into_iter().map(Consumed::units).sum()
}

/// Calls that may go to several tables tell of each.
trait Consumed {
    fn units(&self) -> f64;
}

impl Consumed for ConsumedCapacity {
    fn units(&self) -> f64 {
        self.capacity_units.unwrap_or_default()
    }
}

impl Consumed for Vec<ConsumedCapacity> {
    fn units(&self) -> f64 {
        self.iter().map(Consumed::units).sum()
    }
}
