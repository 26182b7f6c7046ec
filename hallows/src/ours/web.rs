//! A web server: a machine of this executable with a port of the host.

use std::process::Command;

use hallows_bench::web::WebServer;

use super::machine::wrong;

/// One with its programs on the second core and its timekeeper on the first.
pub fn web_server() -> WebServer<'static> {
    WebServer::ours(
        "`hallows run http-host --net host:PORT=80 --dir FOLDER --quantum-us 500 --tier shared`, programs on the second core, timekeeper on the first",
        |place| {
            let mut command = Command::new(std::env::current_exe().map_err(wrong)?);
            command.args(["run", "http-host", "--net", &format!("host:{}=80", place.port), "--dir"]);
            command.arg(place.site);
            // It gives way by itself; shorter quanta would have the timekeeper take its core from whoever else is there.
            command.args(["--quantum-us", "500", "--tier", "shared"]);
            command.args(["--cores", &place.cores.second()?.to_string()]);
            command.args(["--housekeeping", &place.cores.first().to_string()]);
            Ok(command)
        },
    )
}
