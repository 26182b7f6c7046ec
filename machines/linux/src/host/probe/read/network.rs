//! Network interfaces, their drivers and queues.

use super::files::Files;
use crate::host::probe::asked::Asked;
use crate::host::probe::network::{Interface, NetworkFacts};

pub(super) fn read(files: &Files<'_>, asked: &Asked) -> NetworkFacts {
    let directory = "sys/class/net";
    let interface = |name: String| {
        let queues = files.names(&format!("{directory}/{name}/queues"));
        let count = |prefix: &str| queues.iter().filter(|queue| queue.starts_with(prefix)).count();
        Interface {
            driver: files.link(&format!("{directory}/{name}/device/driver")),
            receive_queues: count("rx-"),
            transmit_queues: count("tx-"),
            name,
        }
    };
    // Files beside the interfaces, such as `bonding_masters`, have no queues and no type.
    let names = files.names(directory).into_iter();
    let names = names.filter(|name| files.exists(&format!("{directory}/{name}/type")));
    NetworkFacts {
        interfaces: names.map(interface).collect(),
        socket: asked.xdp,
        kernel: asked.host.kernel_version(),
    }
}
