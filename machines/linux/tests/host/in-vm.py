#!/usr/bin/env python3
"""Runs the host tests in a virtual machine, under another kernel or another boot line than this host's.

    in-vm.py KERNEL TEST [--cores N] [BOOT-OPTION ...]

KERNEL is a bootable image (vmlinuz), for example from `apt-get download linux-image-…` and `dpkg -x`; TEST is the
test program that `cargo test --test host --no-run` names. Boot options isolate cores, for example
`isolcpus=domain,managed_irq,3 nohz_full=3`; `hallows.cpuset=v1` mounts the old cpuset tree instead of the new one.
Needs qemu-system-x86_64 and a static busybox (package busybox-static; another place: BUSYBOX=…). No host has both
versions of cpusets, and few have isolated cores or more than two to spare: this covers them all. Exit code 0: all tests passed.
"""

import os
import stat
import subprocess
import sys
import tempfile

INIT = """#!/bin/busybox sh
export PATH=/bin RUST_BACKTRACE=0
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /tmp /run
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts pts /dev/pts
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mkdir -p /run/lock
chmod 1777 /tmp /run/lock
if grep -q hallows.cpuset=v1 /proc/cmdline; then
    mount -t tmpfs none /sys/fs/cgroup
    mkdir /sys/fs/cgroup/cpuset
    mount -t cgroup -o cpuset none /sys/fs/cgroup/cpuset
else
    mount -t cgroup2 none /sys/fs/cgroup
fi
echo "kernel $(uname -r), boot line: $(cat /proc/cmdline)"
/test --color never && echo ALL-TESTS-PASSED
poweroff -f
"""


def with_libraries(program):
    """The program's shared libraries, by the paths that the loader looks for."""
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return {word for word in listing.split() if word.startswith("/") and os.path.exists(word)}


def archive(files):
    """An initial file system in cpio's "newc" format from {path: (content, mode)}."""
    data = bytearray()

    def entry(number, name, mode, content):
        name = name.encode() + b"\0"
        fields = [number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0]
        data.extend(b"070701" + b"".join(b"%08X" % field for field in fields) + name)
        data.extend(b"\0" * (-len(data) % 4) + content)
        data.extend(b"\0" * (-len(data) % 4))

    directories = set()
    for path in files:
        while path := os.path.dirname(path):
            directories.add(path)
    entries = [(path, stat.S_IFDIR | 0o755, b"") for path in sorted(directories)]
    entries += [(path, stat.S_IFREG | mode, content) for path, (content, mode) in files.items()]
    for number, (path, mode, content) in enumerate(entries, 1):
        entry(number, path, mode, content)
    entry(0, "TRAILER!!!", 0, b"")
    return bytes(data)


def main():
    arguments = sys.argv[1:]
    cores = "3"
    if "--cores" in arguments:
        place = arguments.index("--cores")
        cores = arguments[place + 1]
        del arguments[place : place + 2]
    if len(arguments) < 2:
        sys.exit(__doc__)
    kernel, test, *boot_options = arguments
    programs = {"bin/setpriv": "/usr/bin/setpriv", "bin/busybox": os.environ.get("BUSYBOX", "/bin/busybox")}
    files = {"init": (INIT.encode(), 0o755), "etc/passwd": (b"root:x:0:0::/:/bin/sh\n", 0o644)}
    # With what a debugger needs it would not fit into the guest's memory.
    stripped = tempfile.NamedTemporaryFile(suffix=".stripped")
    subprocess.run(["strip", "-o", stripped.name, test], check=True)
    programs["test"] = stripped.name
    for place, program in programs.items():
        for library in with_libraries(program):
            with open(library, "rb") as file:
                files[library.lstrip("/")] = (file.read(), 0o755)
        with open(program, "rb") as file:
            files[place] = (file.read(), 0o755)
    with tempfile.NamedTemporaryFile(suffix=".cpio") as initial:
        initial.write(archive(files))
        initial.flush()
        # One host thread for all cores: a guest that patches its own code while several run is emulated wrongly otherwise.
        machine = ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=single", "-cpu", "max", "-smp", cores]
        machine += ["-m", "1024", "-nographic", "-no-reboot", "-kernel", kernel, "-initrd", initial.name]
        machine += ["-append", " ".join(["console=ttyS0 quiet panic=-1 rdinit=/init", *boot_options])]
        run = subprocess.run(machine, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=300)
    output = run.stdout.decode(errors="replace").replace("\r", "")
    print(output[output.find("kernel ") :], run.stderr.decode(errors="replace"))
    sys.exit(0 if "ALL-TESTS-PASSED" in output else 1)


if __name__ == "__main__":
    main()
