//! What every function behind API Gateway shares.
