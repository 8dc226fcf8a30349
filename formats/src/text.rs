//! Pure functions on text, for use in expressions.
