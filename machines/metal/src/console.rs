//! The serial console: the machine's only way to speak and to be spoken to.

use core::fmt::{self, Write};

use crossbeam_queue::ArrayQueue;
use spin::{Mutex, Once};
use uart_16550::{BaudRate, Config, Uart16550, backend::PioBackend, spec::registers::IER};
use x86_64::instructions::interrupts::without_interrupts;

/// The first serial port of a PC.
const PORT: u16 = 0x3f8;

/// Bytes received and not yet read: what a person or a script sends ahead. More are dropped, as a terminal line does.
const RECEIVED_BYTES: usize = 4096;

static UART: Mutex<Option<Uart16550<PioBackend>>> = Mutex::new(None);
static RECEIVED: Once<ArrayQueue<u8>> = Once::new();

/// Makes the port ready to send.
///
/// # Panics
/// If there is none: then nobody sees it, and the machine stops.
pub fn initialise() {
    let mut uart = open();
    uart.init(config()).expect("there is a serial port at 0x3f8");
    *UART.lock() = Some(uart);
}

/// Makes the port interrupt when something arrives. The heap works.
pub fn receive_by_interrupt() {
    RECEIVED.call_once(|| ArrayQueue::new(RECEIVED_BYTES));
    without_interrupts(|| {
        if let Some(uart) = UART.lock().as_mut() {
            uart.enable_interrupts(IER::DATA_READY);
        }
    });
}

/// The port's interrupt: moves what has arrived out of its 16 bytes of buffer.
pub fn receive() {
    // On one core the lock is free: who holds it has interrupts off.
    let (mut uart, Some(received)) = (UART.lock(), RECEIVED.get()) else { return };
    let Some(uart) = uart.as_mut() else { return };
    while let Ok(byte) = uart.try_receive_byte() {
        // A full queue drops the byte; the sender sees no echo of it.
        let _ = received.push(byte);
    }
}

/// The next byte that was received.
pub fn read_byte() -> Option<u8> {
    RECEIVED.get()?.pop()
}

/// Whether [`read_byte`] would give something.
pub fn has_input() -> bool {
    RECEIVED.get().is_some_and(|received| !received.is_empty())
}

/// The console as something to write to.
pub struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                send(b'\r');
            }
            send(byte);
        }
        Ok(())
    }
}

/// Prints a line.
macro_rules! println {
    ($($arguments:tt)*) => {{
        // The console cannot fail; a `Display` that does is not worth stopping for.
        let _ = core::fmt::Write::write_fmt(&mut $crate::console::Console, format_args!("{}\n", format_args!($($arguments)*)));
    }};
}
pub(crate) use println;

/// The line of last resort: whoever holds the lock will not run again.
pub fn println_in_emergency(message: &dyn fmt::Display) {
    struct Unlocked(Uart16550<PioBackend>);
    impl Write for Unlocked {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.send_bytes_exact(text.as_bytes());
            Ok(())
        }
    }
    let mut uart = open();
    // The port may never have been made ready; and to do it again does no harm.
    if uart.init(config()).is_ok() {
        let _ = writeln!(Unlocked(uart), "\r\n{message}\r");
    }
}

fn open() -> Uart16550<PioBackend> {
    // SAFETY: the port range of the first serial port, which nobody but this module uses.
    unsafe { Uart16550::new_port(PORT) }.expect("0x3f8 and the seven ports after it exist")
}

fn config() -> Config {
    Config { baud_rate: BaudRate::Baud115200, ..Config::DEFAULT }
}

/// Sends a byte; interrupts are off only while the port is looked at, not while it is slow.
fn send(byte: u8) {
    loop {
        let sent =
            without_interrupts(|| UART.lock().as_mut().is_none_or(|uart| uart.try_send_byte(byte).is_ok()));
        if sent {
            return;
        }
        core::hint::spin_loop();
    }
}
