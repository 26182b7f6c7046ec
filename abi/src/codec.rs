//! Little-endian reading and writing of the fixed layouts: pure, bounds-checked, allocation-free.

/// Takes fields off the front of a byte slice.
#[derive(Clone, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the front.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `length` bytes.
    pub fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    /// What is left.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The next byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.bytes(1).and_then(|bytes| bytes.first().copied())
    }

    /// The next two bytes.
    pub fn u16(&mut self) -> Option<u16> {
        self.bytes(2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes)
    }

    /// The next four bytes.
    pub fn u32(&mut self) -> Option<u32> {
        self.bytes(4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes)
    }

    /// The next eight bytes.
    pub fn u64(&mut self) -> Option<u64> {
        self.bytes(8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes)
    }
}

/// Puts fields at the front of a byte slice and remembers how far it got.
#[derive(Debug)]
pub struct Writer<'a> {
    bytes: &'a mut [u8],
    written: usize,
}

impl<'a> Writer<'a> {
    /// Starts at the front.
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, written: 0 }
    }

    /// Puts bytes; `None`, and nothing put, if they do not fit.
    pub fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.written.checked_add(bytes.len())?;
        self.bytes.get_mut(self.written..end)?.copy_from_slice(bytes);
        self.written = end;
        Some(())
    }

    /// Puts a byte.
    pub fn u8(&mut self, value: u8) -> Option<()> {
        self.bytes(&[value])
    }

    /// Puts two bytes.
    pub fn u16(&mut self, value: u16) -> Option<()> {
        self.bytes(&value.to_le_bytes())
    }

    /// Puts four bytes.
    pub fn u32(&mut self, value: u32) -> Option<()> {
        self.bytes(&value.to_le_bytes())
    }

    /// Puts eight bytes.
    pub fn u64(&mut self, value: u64) -> Option<()> {
        self.bytes(&value.to_le_bytes())
    }

    /// How many bytes were put.
    #[must_use]
    pub const fn written(&self) -> usize {
        self.written
    }
}
