//! Runs WebAssembly programs as kernel threads.
#![no_std]
