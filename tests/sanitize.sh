#!/bin/sh
# The unit tests of the two crates that build arrays without checks, and share memory with Lua, under
# AddressSanitizer. Wants a nightly compiler (`rustup toolchain install nightly`). LuaJIT itself, which is
# C, is not instrumented. A first run builds DataFusion once more.
set -eu
cd "$(dirname "$0")/.."
target=$(rustc +nightly -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR="${SANITIZED_TARGET_DIR:-target/sanitized}"
export RUSTFLAGS=-Zsanitizer=address
# A Lua state is left to the end of its process, on purpose.
export ASAN_OPTIONS=detect_leaks=0
cargo +nightly test --locked --target "$target" -p gleam-sql-formats -p gleam-sql-executor --lib "$@"
