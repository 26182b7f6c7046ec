//! A few words of this core's own, which the engine reaches through `gs`.

use core::cell::UnsafeCell;

use hallows_engine::LOCAL_WORDS;
use x86_64::{VirtAddr, registers::model_specific::GsBase};

/// The words of the only core.
static WORDS: CoreWords = CoreWords(UnsafeCell::new([0; LOCAL_WORDS]));

struct CoreWords(UnsafeCell<[usize; LOCAL_WORDS]>);

// SAFETY: Rust code never looks inside; one core reaches the words, by instructions that name `gs`.
unsafe impl Sync for CoreWords {}

/// Points `gs` at them.
pub fn load() {
    GsBase::write(VirtAddr::from_ptr(WORDS.0.get()));
}
