//! The compute bench: which kernel to run, how often.

hallows_sdk::form! {
    /// A request.
    pub struct Request {
        /// The number of the kernel, as `hallows-bench-kernels` numbers them.
        pub kernel: u32,
        /// How often to run it; 0 only prepares its input.
        pub runs: u32,
    }

    /// The answer.
    pub struct Response {
        /// The checksum of the last run; 0 if there was none.
        pub checksum: u64,
        /// Bytes of linear memory in use.
        pub memory_bytes: u64,
    }
}
