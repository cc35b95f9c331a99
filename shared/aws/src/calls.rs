//! What the hot path asks of DynamoDB, SQS and SES, whoever takes it there: the SDK's own client, or [`crate::ThinConnection`].
//!
//! Requests, answers and errors are the SDK's types, so that an adapter reads the same whichever client it is given.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::{
    batch_execute_statement, batch_get_item, batch_write_item, get_item, query, update_item,
};
use aws_sdk_sesv2::operation::send_email;
use aws_sdk_sqs::operation::{change_message_visibility_batch, send_message, send_message_batch};

/// How a call went.
pub type Answer<T, E> = Result<T, SdkError<E, HttpResponse>>;

macro_rules! calls {
    ($(#[$doc:meta])* $service:ident of $client:ty { $($operation:ident: $builder:ty => $output:ty, $error:ty;)* }) => {
        $(#[$doc])*
        pub trait $service: Clone + Send + Sync + 'static {
            $(
                /// Makes this call.
                fn $operation(&self, request: $builder) -> impl Future<Output = Answer<$output, $error>> + Send;
            )*
        }

        impl $service for $client {
            $(
                async fn $operation(&self, request: $builder) -> Answer<$output, $error> {
                    request.send_with(self).await
                }
            )*
        }
    };
}

calls! {
    /// What the hot path asks of DynamoDB.
    DynamoDb of aws_sdk_dynamodb::Client {
        batch_execute_statement: batch_execute_statement::builders::BatchExecuteStatementInputBuilder
            => batch_execute_statement::BatchExecuteStatementOutput, batch_execute_statement::BatchExecuteStatementError;
        batch_get_item: batch_get_item::builders::BatchGetItemInputBuilder
            => batch_get_item::BatchGetItemOutput, batch_get_item::BatchGetItemError;
        batch_write_item: batch_write_item::builders::BatchWriteItemInputBuilder
            => batch_write_item::BatchWriteItemOutput, batch_write_item::BatchWriteItemError;
        get_item: get_item::builders::GetItemInputBuilder => get_item::GetItemOutput, get_item::GetItemError;
        query: query::builders::QueryInputBuilder => query::QueryOutput, query::QueryError;
        update_item: update_item::builders::UpdateItemInputBuilder
            => update_item::UpdateItemOutput, update_item::UpdateItemError;
    }
}

calls! {
    /// What the hot path asks of SQS.
    Sqs of aws_sdk_sqs::Client {
        change_message_visibility_batch: change_message_visibility_batch::builders::ChangeMessageVisibilityBatchInputBuilder
            => change_message_visibility_batch::ChangeMessageVisibilityBatchOutput,
            change_message_visibility_batch::ChangeMessageVisibilityBatchError;
        send_message: send_message::builders::SendMessageInputBuilder
            => send_message::SendMessageOutput, send_message::SendMessageError;
        send_message_batch: send_message_batch::builders::SendMessageBatchInputBuilder
            => send_message_batch::SendMessageBatchOutput, send_message_batch::SendMessageBatchError;
    }
}

calls! {
    /// What the hot path asks of SES.
    Ses of aws_sdk_sesv2::Client {
        send_email: send_email::builders::SendEmailInputBuilder
            => send_email::SendEmailOutput, send_email::SendEmailError;
    }
}
