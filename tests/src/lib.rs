//! The package of the tests of the whole; see `it/`.
