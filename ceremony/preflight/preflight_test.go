// SPDX-License-Identifier: Apache-2.0

package preflight_test

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/preflight"
)

type text = map[string]string

// TestObservations changes one thing of a machine that is fit, and demands what
// is then seen. All other observations must stay good.
func TestObservations(t *testing.T) {
	const (
		ok, warning, stop = preflight.OK, preflight.Warning, preflight.Stop
		ifInet6           = "00000000000000000000000000000001 01 80 10 80       lo\n"
	)
	for _, test := range []struct {
		name       string // of the observation
		files, env text
		change     func(*preflight.Machine)
		verdict    preflight.Verdict
		seen       string
	}{
		{name: "links", verdict: ok, seen: "none up; there, and down: eth0"},
		{name: "links", files: text{"sys/class/net/eth0/flags": gone, "sys/class/net/eth0/operstate": gone, "proc/net/dev": "x\ny\n  lo: 0\n"}, verdict: ok, seen: "none but loopback"},
		{name: "links", files: text{"sys/class/net/eth0/flags": "0x1003\n"}, verdict: stop, seen: "up: eth0"},
		{name: "links", files: text{"sys/class/net/eth0/operstate": "up\n"}, verdict: stop, seen: "up: eth0"},
		{name: "links", files: text{"sys/class/net/wlan0/flags": "0x1003", "sys/class/net/docker0/flags": "0x1003"}, verdict: stop, seen: "up: docker0, wlan0"},
		{name: "links", files: text{"sys/class/net/bonding_masters": "\n"}, verdict: ok, seen: "none up; there, and down: eth0"},
		{name: "links", files: text{"sys/class/net/eth0/flags": "up\n"}, verdict: stop, seen: "not observed: the flags of eth0 are no number"},
		{name: "links", files: text{"proc/net/dev": "x\ny\n lo: 0\n tun0: 0\n"}, verdict: stop, seen: "not observed: open sys/class/net/tun0/flags: file does not exist"},
		{name: "links", files: text{"proc/net/dev": gone}, verdict: stop, seen: "not observed: open proc/net/dev: file does not exist"},

		{name: "routes", verdict: ok, seen: "none"},
		{name: "routes", files: text{"proc/net/ipv6_route": gone}, verdict: ok, seen: "none"},
		{name: "routes", files: text{"proc/net/route": fit["proc/net/route"] + "lo\t0000007F\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n"}, verdict: ok, seen: "none"},
		{name: "routes", files: text{"proc/net/route": fit["proc/net/route"] + "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"}, verdict: stop, seen: "through eth0 (IPv4)"},
		{name: "routes", files: text{"proc/net/ipv6_route": "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000002 00000000 00000001     eth0\n" +
			"ff000000000000000000000000000000 08 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000003 00000000 00000001     eth0\n"}, verdict: ok, seen: "none"},
		{name: "routes", files: text{"proc/net/ipv6_route": "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003     eth1\n"}, verdict: stop, seen: "through eth1 (IPv6)"},
		{name: "routes", files: text{"proc/net/ipv6_route": "what is this\n"}, verdict: stop, seen: "through this (IPv6)"},
		{name: "routes", files: text{"proc/net/route": gone}, verdict: stop, seen: "not observed: open proc/net/route: file does not exist"},

		{name: "addresses", verdict: ok, seen: "none but loopback and link-local"},
		{name: "addresses", files: text{"proc/net/if_inet6": gone}, verdict: ok, seen: "none but loopback and link-local"},
		{name: "addresses", files: text{"proc/net/if_inet6": ifInet6 + "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n"}, verdict: ok, seen: "none but loopback and link-local"},
		{name: "addresses", files: text{"proc/net/if_inet6": ifInet6 + "fd000000000000000000000000000002 04 40 00 82     eth0\n"}, verdict: stop, seen: "[fd00::2]"},
		{name: "addresses", files: text{"proc/net/fib_trie": fit["proc/net/fib_trie"] + "     |-- 169.254.7.7\n        /32 host LOCAL\n"}, verdict: ok, seen: "none but loopback and link-local"},
		{name: "addresses", files: text{"proc/net/fib_trie": fit["proc/net/fib_trie"] + "  |-- 192.0.2.2\n   /32 host LOCAL\n  |-- 192.0.2.2\n   /32 host LOCAL\n |-- 192.0.2.255\n  /32 link BROADCAST\n"}, verdict: stop, seen: "[192.0.2.2]"},
		{name: "addresses", files: text{"proc/net/fib_trie": gone}, verdict: stop, seen: "not observed: open proc/net/fib_trie: file does not exist"},

		{name: "radios", verdict: ok, seen: "none"},
		{name: "radios", files: text{"sys/class/bluetooth/hci0/address": "x"}, verdict: stop, seen: "hci0 (bluetooth)"},
		{name: "radios", files: text{"sys/class/ieee80211/phy0/index": "0", "sys/class/rfkill/rfkill0/hard": "0\n", "sys/class/rfkill/rfkill1/hard": "1\n"}, verdict: stop, seen: "phy0 (ieee80211)"},
		{name: "radios", files: text{"sys/class/ieee80211/phy0/index": "0", "sys/class/rfkill/rfkill0/hard": "1\n"}, verdict: warning, seen: "phy0 (ieee80211); blocked by a switch"},
		{name: "radios", files: text{"sys/class/rfkill/rfkill0/hard": "0\n"}, verdict: ok, seen: "none"},
		{name: "radios", files: text{"sys/class/wwan/wwan0/type": "", "sys/class/nfc/nfc0/name": "", "sys/class/ieee802154/phy0/name": ""}, verdict: stop, seen: "wwan0 (wwan), nfc0 (nfc), phy0 (ieee802154)"},

		{name: "swap", verdict: ok, seen: "off"},
		{name: "swap", files: text{"proc/swaps": gone}, verdict: ok, seen: "off"},
		{name: "swap", files: text{"proc/swaps": fit["proc/swaps"] + "/dev/zram0 partition 8000000 0 100\n"}, verdict: stop, seen: "on: /dev/zram0"},

		{name: "hibernation", verdict: ok, seen: "disabled"},
		{name: "hibernation", files: text{"sys/power/state": "freeze mem\n"}, verdict: ok, seen: "not in this kernel"},
		{name: "hibernation", files: text{"sys/power/state": gone}, verdict: ok, seen: "not in this kernel"},
		{name: "hibernation", files: text{"sys/power/disk": "[platform] shutdown reboot\n"}, verdict: warning, seen: "possible, but without swap there is nowhere to write to"},
		{name: "hibernation", files: text{"sys/power/disk": gone}, verdict: stop, seen: "not observed: open sys/power/disk: file does not exist"},

		{name: "core pattern", verdict: ok, seen: "to files, which the core limit decides on"},
		{name: "core pattern", files: text{"proc/sys/kernel/core_pattern": "|/bin/false\n"}, verdict: ok, seen: "to /bin/false, which keeps nothing"},
		{name: "core pattern", files: text{"proc/sys/kernel/core_pattern": "|/usr/lib/systemd/systemd-coredump %P %u\n"}, verdict: stop, seen: "to /usr/lib/systemd/systemd-coredump, whatever the core limit is"},
		{name: "core pattern", files: text{"proc/sys/kernel/core_pattern": "|\n"}, verdict: stop, seen: "to ?, whatever the core limit is"},
		{name: "core pattern", files: text{"proc/sys/kernel/core_pattern": gone}, verdict: stop, seen: "not observed: open proc/sys/kernel/core_pattern: file does not exist"},

		{name: "core limit", verdict: ok, seen: "0"},
		{name: "core limit", files: text{"proc/self/limits": limits("0", "unlimited")}, verdict: ok, seen: "0"},
		{name: "core limit", files: text{"proc/self/limits": limits("1", "1")}, verdict: stop, seen: "core files may be written"},
		{name: "core limit", files: text{"proc/self/limits": limits("unlimited", "unlimited")}, verdict: stop, seen: "core files may be written"},
		{name: "core limit", files: text{"proc/self/limits": "Max data size 0 0 bytes\n"}, verdict: stop, seen: "not observed: /proc/self/limits does not say it"},

		{name: "workspace", verdict: ok, seen: "/mnt/work space/keys is in tmpfs, with noexec and nosuid"},
		{name: "workspace", change: func(m *preflight.Machine) { m.Workspace = "/mnt/work space" }, verdict: ok, seen: "/mnt/work space is in tmpfs, with noexec and nosuid"},
		{name: "workspace", change: func(m *preflight.Machine) { m.Workspace = "/mnt/work spaces" }, verdict: stop, seen: "/mnt/work spaces is in overlay, on a medium"},
		{name: "workspace", change: func(m *preflight.Machine) { m.Workspace = "" }, verdict: stop, seen: "not observed: no folder was named"},
		{name: "workspace", files: text{"proc/self/mountinfo": strings.ReplaceAll(fit["proc/self/mountinfo"], "rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=700", "rw,relatime - tmpfs tmpfs rw")}, verdict: stop, seen: "/mnt/work space/keys is in tmpfs without noexec and nosuid"},
		{name: "workspace", files: text{"proc/self/mountinfo": fit["proc/self/mountinfo"] + "40 27 0:50 / /mnt/work\\040space rw,noexec,nosuid - tmpfs tmpfs rw\n41 27 0:51 / /mnt/work\\040space rw,nosuid - ramfs ramfs rw\n"}, verdict: stop, seen: "/mnt/work space/keys is in ramfs without noexec"},

		{name: "mounts", verdict: ok, seen: "nothing that can be written to, but memory"},
		{name: "mounts", files: text{"proc/self/mountinfo": fit["proc/self/mountinfo"] + "40 27 8:17 / /media/usb rw,relatime - vfat /dev/sdb1 rw\n"}, verdict: stop, seen: "can be written to, or are elsewhere: /media/usb (vfat)"},
		{name: "mounts", files: text{"proc/self/mountinfo": fit["proc/self/mountinfo"] + "40 27 8:17 / /media/usb ro,relatime - vfat /dev/sdb1 rw\n"}, verdict: ok, seen: "nothing that can be written to, but memory"},
		{name: "mounts", files: text{"proc/self/mountinfo": fit["proc/self/mountinfo"] + "40 27 8:17 / /media/usb rw,relatime - vfat /dev/sdb1 ro\n"}, verdict: ok, seen: "nothing that can be written to, but memory"},
		{name: "mounts", files: text{"proc/self/mountinfo": fit["proc/self/mountinfo"] + "40 27 0:40 / /srv ro,relatime - nfs4 host:/srv ro\n"}, verdict: stop, seen: "can be written to, or are elsewhere: /srv (nfs4)"},
		{name: "mounts", files: text{"proc/self/mountinfo": strings.Replace(fit["proc/self/mountinfo"], "overlay overlay rw,lowerdir=/run/live/rootfs/,upperdir=/run/live/overlay/rw,workdir=/run/live/overlay/work", "ext4 /dev/sda1 rw", 1)}, verdict: warning, seen: "the system runs from a disk that can be written to (ext4)"},
		{name: "mounts", files: text{"proc/self/mountinfo": strings.Replace(fit["proc/self/mountinfo"], "upperdir=/run/live", "upperdir=/persistent", 1)}, verdict: warning, seen: "the system runs from a disk that can be written to (overlay)"},

		{name: "terminal", verdict: ok, seen: "no multiplexer, recorder or remote session"},
		{name: "terminal", env: text{"TMUX": "/tmp/tmux-0/default,1,0"}, verdict: stop, seen: "TMUX is set"},
		{name: "terminal", env: text{"STY": "x", "SSH_CONNECTION": "192.0.2.7 1 192.0.2.2 22"}, verdict: stop, seen: "STY is set, SSH_CONNECTION is set"},
		{name: "terminal", files: text{"proc/700/status": "PPid:\t600\n", "proc/600/comm": "script\n", "proc/600/status": "PPid:\t1\n"}, verdict: stop, seen: "started in script"},
		{name: "terminal", files: text{"proc/1/comm": "tmux: server\n"}, verdict: stop, seen: "started in tmux: server"},
		{name: "terminal", files: text{"proc/1/status": gone}, verdict: stop, seen: "not observed: open proc/1/status: file does not exist"},
		{name: "terminal", files: text{"proc/1/status": "PPid:\tx\n"}, verdict: stop, seen: "not observed: /proc/1/status does not say what started it"},
		{name: "terminal", files: text{"proc/1/status": "PPid:\t700\n"}, verdict: stop, seen: "not observed: the processes have no beginning"},

		{name: "history", verdict: ok, seen: "none kept so far"},
		{name: "history", env: text{"HISTFILE": "/dev/null"}, verdict: ok, seen: "none kept so far"},
		{name: "history", env: text{"HISTFILE": "/root/.x"}, verdict: warning, seen: "HISTFILE is set"},
		{name: "history", env: text{"HOME": ""}, verdict: warning, seen: "the home folder is not known"},
		{name: "history", files: text{"root/.bash_history": "ls\n", "root/.zsh_history": ""}, verdict: warning, seen: "kept in .bash_history"},

		{name: "traceback", verdict: ok, seen: "GOTRACEBACK is not set"},
		{name: "traceback", env: text{"GOTRACEBACK": "none"}, verdict: ok, seen: "GOTRACEBACK is none"},
		{name: "traceback", env: text{"GOTRACEBACK": "crash"}, verdict: stop, seen: "GOTRACEBACK is set"},

		{name: "user", verdict: ok, seen: "root"},
		{name: "user", change: func(m *preflight.Machine) { m.UID = 1000 }, verdict: ok, seen: "user ID 1000; memory that can be locked is limited"},
		{name: "user", change: func(m *preflight.Machine) { m.UID = -1 }, verdict: stop, seen: "not observed: the system has no user IDs"},

		{name: "clock", verdict: ok, seen: "2026-11-22T12:00:00Z"},
		{name: "clock", change: func(m *preflight.Machine) { m.Now = time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC) }, verdict: stop, seen: "2025-12-31T23:59:59Z, which was before this program"},
		{name: "clock", change: func(m *preflight.Machine) { m.Now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }, verdict: ok, seen: "2026-01-01T00:00:00Z"},

		{name: "random numbers", verdict: ok, seen: "the kernel's generator is initialised"},
		{name: "random numbers", change: func(m *preflight.Machine) { m.RandomReady = func() (bool, error) { return false, nil } }, verdict: stop, seen: "the kernel's generator is not initialised"},
		{name: "random numbers", change: func(m *preflight.Machine) {
			m.RandomReady = func() (bool, error) { return true, syscall.ENOSYS }
		}, verdict: stop, seen: "not observed: " + syscall.ENOSYS.Error()},

		{name: "hypervisor", verdict: ok, seen: "none that shows itself"},
		{name: "hypervisor", files: text{"proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu hypervisor aes\n"}, verdict: warning, seen: "a virtual machine"},
		{name: "hypervisor", files: text{"sys/hypervisor/type": "xen\n"}, verdict: warning, seen: "a virtual machine (xen)"},
		{name: "hypervisor", files: text{"proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd\n"}, verdict: warning, seen: "the processor does not say"},
		{name: "hypervisor", files: text{"proc/cpuinfo": gone}, verdict: stop, seen: "not observed: open proc/cpuinfo: file does not exist"},
	} {
		t.Run(test.name+": "+test.seen, func(t *testing.T) {
			m := machine(test.files, test.env)
			if test.change != nil {
				test.change(&m)
			}
			report := preflight.Observe(m)
			for _, o := range report.Observations {
				if o.Name == test.name {
					if o.Seen != test.seen || o.Verdict != test.verdict {
						t.Errorf("%s: %s, want %s: %s", o.Verdict, o.Seen, test.verdict, test.seen)
					}
				} else if o.Verdict == stop && test.files["proc/self/mountinfo"] == "" {
					t.Errorf("also stops: %s: %s", o.Name, o.Seen)
				}
				if (o.Do == "") != (o.Verdict == ok) && o.Name != "clock" {
					t.Errorf("%s is %s, and to be done is %q", o.Name, o.Verdict, o.Do)
				}
			}
			if report.Verdict != stop && test.verdict == stop || report.Verdict == ok && test.verdict == warning {
				t.Errorf("all in all %s", report.Verdict)
			}
		})
	}
}

// TestHibernationToSwap has both, of which each alone is told less of.
func TestHibernationToSwap(t *testing.T) {
	r := preflight.Observe(machine(text{"sys/power/disk": "[platform]\n", "proc/swaps": fit["proc/swaps"] + "/dev/sda2 partition 1 0 1\n"}, nil))
	for _, o := range r.Observations {
		if o.Name == "hibernation" && (o.Verdict != preflight.Stop || o.Seen != "possible, and there is swap to write to") {
			t.Errorf("%s: %s", o.Verdict, o.Seen)
		}
	}
}

func TestReport(t *testing.T) {
	r := preflight.Observe(machine(nil, nil))
	if r.Verdict != preflight.OK || !r.At.Equal(noon) || r.Kernel != "6.12.48+deb13-amd64" || r.BootID != "0176fe8d-fdb2-4194-8a55-e8ad906434b2" || r.Workspace != "/mnt/work space/keys" {
		t.Errorf("%+v", r)
	}
	var names []string
	for _, o := range r.Observations {
		names = append(names, o.Name)
	}
	if !slices.Equal(names, preflight.Names()) {
		t.Errorf("observations %q, want %q", names, preflight.Names())
	}
}

// TestFailsClosed looks at machines of which nothing can be seen.
func TestFailsClosed(t *testing.T) {
	windows := machine(nil, nil)
	windows.OS = "windows"
	blank := machine(nil, nil)
	blank.Files = machine(func() text {
		none := text{}
		for name := range fit {
			none[name] = gone
		}
		return none
	}(), nil).Files
	r := preflight.Observe(windows)
	for _, o := range r.Observations {
		if o.Verdict != preflight.Stop || o.Seen != "not observed: windows is not known here" || o.Do == "" {
			t.Errorf("%+v", o)
		}
	}
	seen := []string{"history", "traceback", "user", "clock", "random numbers"} // without /proc and /sys
	r = preflight.Observe(blank)
	for _, o := range r.Observations {
		if stops := o.Verdict == preflight.Stop; stops == slices.Contains(seen, o.Name) {
			t.Errorf("%s without /proc and /sys: %s: %s", o.Name, o.Verdict, o.Seen)
		}
	}
	if r.Verdict != preflight.Stop {
		t.Errorf("all in all %s", r.Verdict)
	}
}

// TestHost looks at the machine of the test: whatever it is like, each thing is
// looked at.
func TestHost(t *testing.T) {
	m, err := preflight.Host(t.TempDir(), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	r := preflight.Observe(m)
	if len(r.Observations) != len(preflight.Names()) {
		t.Errorf("%d observations", len(r.Observations))
	}
	if _, err := preflight.Host("never/made", func(string) string { return "" }); err == nil {
		t.Error("a workspace that is not there")
	}
}
