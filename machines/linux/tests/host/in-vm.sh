#!/usr/bin/env bash
# Runs the host tests in virtual machines: Debian's kernel instead of this host's, both versions of cpusets, cores isolated at boot.
# Fetches kernel and busybox with apt once, into the target folder; needs qemu-system-x86_64, python3 and strip. Two to three minutes.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
guest=$target/guest

if ! ls "$guest"/boot/vmlinuz-* >/dev/null 2>&1; then
    echo "fetching Debian's kernel for virtual machines and a static busybox"
    kernel=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
    mkdir -p "$guest"
    (cd "$guest" && apt-get download "$kernel" busybox-static && for package in *.deb; do dpkg -x "$package" .; done && rm -f ./*.deb)
fi
kernel=$(find "$guest/boot" -name 'vmlinuz-*' | sort | tail -1)
export BUSYBOX
BUSYBOX=$(find "$guest" -type f -name busybox | head -1)

tests=$(cd "$root" && cargo test -p hallows-linux --test host --no-run --message-format=json |
    python3 -c 'import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == "host":
        print(message["executable"])')

for options in "" "hallows.cpuset=v1" "isolcpus=domain,managed_irq,2 nohz_full=2"; do
    echo "== boot options: ${options:-none}"
    # shellcheck disable=SC2086 # several options
    "$here/in-vm.py" "$kernel" "$tests" $options | grep -E 'kernel |FAILED|failed|panicked|test result|ALL-TESTS-PASSED'
done
