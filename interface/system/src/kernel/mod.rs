//! Stubs of what kernel objects answer, one module for each file of `wit/kernel`. The SDK's typed handles say the same with less.

#[rustfmt::skip]
pub mod budget;
#[rustfmt::skip]
pub mod cell;
#[rustfmt::skip]
pub mod endpoint;
#[rustfmt::skip]
pub mod notification;
#[rustfmt::skip]
pub mod object;
#[rustfmt::skip]
pub mod program;
#[rustfmt::skip]
pub mod region;
#[rustfmt::skip]
pub mod space;
#[rustfmt::skip]
pub mod timer;
