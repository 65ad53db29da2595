// SPDX-License-Identifier: Apache-2.0

package preflight_test

import (
	"maps"
	"testing/fstest"
	"time"

	"github.com/keymat/keymat/ceremony/preflight"
)

// noon is what the clock of machines in tests says.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fit are the files of a machine on which a ceremony can be held: started from
// a read-only medium, with a network adapter that is down.
var fit = map[string]string{
	"proc/sys/kernel/osrelease":      "6.12.48+deb13-amd64\n",
	"proc/sys/kernel/random/boot_id": "0176fe8d-fdb2-4194-8a55-e8ad906434b2\n",
	"proc/sys/kernel/core_pattern":   "core\n",
	"proc/swaps":                     "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
	"proc/net/dev": "Inter-|   Receive                                                |  Transmit\n" +
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n" +
		"    lo:     336       4    0    0    0     0          0         0      336       4    0    0    0     0       0          0\n" +
		"  eth0:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0\n",
	"proc/net/route":      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n",
	"proc/net/ipv6_route": "00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000002 00000000 80200001       lo\n",
	"proc/net/fib_trie": "Local:\n  +-- 127.0.0.0/8 2 0 2\n     +-- 127.0.0.0/31 1 0 0\n        |-- 127.0.0.0\n           /8 host LOCAL\n        |-- 127.0.0.1\n           /32 host LOCAL\n" +
		"     |-- 127.255.255.255\n        /32 link BROADCAST\n",
	"proc/net/if_inet6": "00000000000000000000000000000001 01 80 10 80       lo\n",
	"proc/self/limits":  limits("0", "0"),
	"proc/self/mountinfo": "22 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n" +
		"23 27 0:22 / /sys rw,nosuid,nodev,noexec,relatime - sysfs sysfs rw\n" +
		"24 27 0:6 / /dev rw,nosuid,relatime - devtmpfs udev rw,size=12334460k\n" +
		"27 1 0:24 / / rw,relatime - overlay overlay rw,lowerdir=/run/live/rootfs/,upperdir=/run/live/overlay/rw,workdir=/run/live/overlay/work\n" +
		"28 27 0:25 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,size=1638400k,mode=755\n" +
		"29 28 11:0 / /run/live/medium ro,noatime - iso9660 /dev/sr0 ro,nojoliet\n" +
		"30 28 7:0 / /run/live/rootfs ro,noatime - squashfs /dev/loop0 ro\n" +
		"31 27 0:30 / /mnt/work\\040space rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=700\n",
	"proc/self/status":             "Name:\tkeymat\nPid:\t812\nPPid:\t700\nTracerPid:\t0\n",
	"proc/700/status":              "Name:\tbash\nPid:\t700\nPPid:\t1\n",
	"proc/700/comm":                "bash\n",
	"proc/1/status":                "Name:\tsystemd\nPid:\t1\nPPid:\t0\n",
	"proc/1/comm":                  "systemd\n",
	"proc/cpuinfo":                 "processor\t: 0\nflags\t\t: fpu vme de sse2 aes rdrand\n\nprocessor\t: 1\nflags\t\t: fpu vme de sse2 aes rdrand\n",
	"sys/class/net/lo/flags":       "0x9\n",
	"sys/class/net/eth0/flags":     "0x1002\n",
	"sys/class/net/eth0/operstate": "down\n",
	"sys/power/state":              "freeze mem disk\n",
	"sys/power/disk":               "[disabled]\n",
}

func limits(soft, hard string) string {
	return "Limit                     Soft Limit           Hard Limit           Units     \n" +
		"Max data size             unlimited            unlimited            bytes     \n" +
		"Max core file size        " + soft + "                    " + hard + "            bytes     \n"
}

// gone in the changes of a case says that a file is not there.
const gone = "\x00"

// machine is fit, but for the changes to its files and its environment.
func machine(changes, env map[string]string) preflight.Machine {
	content := maps.Clone(fit)
	maps.Copy(content, changes)
	files := fstest.MapFS{}
	for name, text := range content {
		if text != gone {
			files[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	environment := map[string]string{"HOME": "/root"}
	maps.Copy(environment, env)
	return preflight.Machine{
		OS: "linux", Files: files, Getenv: func(name string) string { return environment[name] }, UID: 0, Now: noon,
		Workspace: "/mnt/work space/keys", RandomReady: func() (bool, error) { return true, nil },
	}
}
