//! Has the linker make a program for a fixed address. One that can be loaded anywhere has some 25,000 addresses put right
//! before it begins, in a hundred pages of its file that it has to copy for that: a tenth of a cold start and more. Heap, stack
//! and libraries still are where nobody can guess.

fn main() {
    println!("cargo::rerun-if-changed=../link.rs");
    println!("cargo::rustc-link-arg-bins=-no-pie");
}
