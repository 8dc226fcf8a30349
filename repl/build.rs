//! Says how the binary is linked.

#![expect(clippy::disallowed_macros, reason = "Cargo reads what a build script prints")]

/// The first glibc whose loader understands packed relocations.
const PACKED_SINCE: (u32, u32) = (2, 36);

/// The pointers that the loader adjusts at the start of a position-independent program this size are
/// hundreds of thousands, and the usual table of them is many megabytes, which every agent and every
/// child reads once and then holds. Packed it is a hundredth.
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_native = std::env::var("HOST") == std::env::var("TARGET");
    if is_native && glibc_version().is_some_and(|version| version >= PACKED_SINCE) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// That of this machine, where the binary is linked against it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn glibc_version() -> Option<(u32, u32)> {
    // SAFETY: gnu_get_libc_version(3) gives a constant string.
    let version = unsafe { std::ffi::CStr::from_ptr(libc::gnu_get_libc_version()) };
    let (major, minor) = version.to_str().ok()?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn glibc_version() -> Option<(u32, u32)> {
    None
}
