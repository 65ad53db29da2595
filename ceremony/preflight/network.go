// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// loopback is the one interface that leads nowhere.
const loopback = "lo"

// links looks at what the kernel could send through. /proc/net shows the
// interfaces of this process's network namespace, /sys those of whoever mounted
// it, which usually are the machine's: an interface in either counts.
func links(m Machine) (finding, error) {
	names, err := m.interfaces()
	if err != nil {
		return finding{}, err
	}
	var up, down []string
	for _, name := range names {
		isUp, err := m.linkUp(name)
		switch {
		case err != nil:
			return finding{}, err
		case isUp:
			up = append(up, name)
		default:
			down = append(down, name)
		}
	}
	switch {
	case len(up) > 0:
		return stop("up: "+strings.Join(up, ", "), "pull the cable, take the adapter out, and: ip link set dev NAME down")
	case len(down) > 0:
		return ok("none up; there, and down: " + strings.Join(down, ", "))
	}
	return ok("none but loopback")
}

func (m Machine) interfaces() (names []string, err error) {
	entries, err := m.entries("sys/class/net")
	if err == nil && len(entries) == 0 {
		err = errors.New("/sys/class/net is empty")
	}
	if err != nil {
		return nil, err
	}
	devices, err := m.read("proc/net/dev")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(devices) {
		if name, _, found := strings.Cut(line, ":"); found {
			entries = append(entries, strings.TrimSpace(name))
		}
	}
	slices.Sort(entries)
	for _, name := range slices.Compact(entries) {
		if name != loopback && name != "bonding_masters" { // a file of the bonding driver's
			names = append(names, name)
		}
	}
	return names, nil
}

// iffUp is the flag IFF_UP: somebody switched the interface on (netdevice(7)).
const iffUp = 0x1

func (m Machine) linkUp(name string) (bool, error) {
	flags, err := m.read("sys/class/net/" + name + "/flags")
	if err != nil {
		return false, err
	}
	bits, err := strconv.ParseUint(strings.TrimSpace(flags), 0, 32)
	if err != nil {
		return false, fmt.Errorf("the flags of %s are no number", name)
	}
	return bits&iffUp != 0 || m.line("sys/class/net/"+name+"/operstate") == "up", nil
}

// routes looks for ways to other machines: in IPv6 all but those to the same
// link and to groups, which every interface has.
func routes(m Machine) (finding, error) {
	table4, err := m.read("proc/net/route")
	if err != nil {
		return finding{}, err
	}
	table6, err := m.optional("proc/net/ipv6_route") // not there without IPv6
	if err != nil {
		return finding{}, err
	}
	through := map[string]bool{}
	for _, row := range lines(table4, 1) {
		through[row[0]+" (IPv4)"] = row[0] != loopback
	}
	for _, row := range lines(table6, 0) {
		to, device := parseIPv6(row[0]), row[len(row)-1]
		through[device+" (IPv6)"] = through[device+" (IPv6)"] || device != loopback && !to.IsLinkLocalUnicast() && !to.IsMulticast()
	}
	var ways []string
	for way, leads := range through {
		if leads {
			ways = append(ways, way)
		}
	}
	if len(ways) == 0 {
		return ok("none")
	}
	slices.Sort(ways)
	return stop("through "+strings.Join(ways, ", "), "ip route flush table all; stop what configures the network")
}

// parseIPv6 reads 32 hexadecimal digits. What is none gives an address that is
// of no special kind, and so counts as a way out.
func parseIPv6(digits string) netip.Addr {
	b, err := hex.DecodeString(digits)
	if err != nil {
		return netip.Addr{}
	}
	address, _ := netip.AddrFromSlice(b)
	return address
}

// addresses looks for addresses that others could reach.
func addresses(m Machine) (finding, error) {
	trie, err := m.read("proc/net/fib_trie")
	if err != nil {
		return finding{}, err
	}
	table6, err := m.optional("proc/net/if_inet6")
	if err != nil {
		return finding{}, err
	}
	found := append(localIPv4(trie), localIPv6(table6)...)
	found = slices.DeleteFunc(found, func(a netip.Addr) bool { return a.IsLoopback() || a.IsLinkLocalUnicast() })
	if len(found) == 0 {
		return ok("none but loopback and link-local")
	}
	slices.SortFunc(found, netip.Addr.Compare)
	return stop(fmt.Sprint(slices.Compact(found)), "ip address flush dev NAME; stop what configures the network")
}

// localIPv4 finds the machine's own addresses in the kernel's trie of routes:
// leaves that say "host LOCAL".
func localIPv4(trie string) (found []netip.Addr) {
	var leaf netip.Addr
	for line := range strings.Lines(trie) {
		if address, ok := strings.CutPrefix(strings.TrimSpace(line), "|-- "); ok {
			leaf, _ = netip.ParseAddr(address)
		} else if strings.Contains(line, "/32 host LOCAL") {
			found = append(found, leaf)
		}
	}
	return found
}

// localIPv6 reads the addresses of all interfaces, which are in the first
// column.
func localIPv6(table string) (found []netip.Addr) {
	for _, row := range lines(table, 0) {
		found = append(found, parseIPv6(row[0]))
	}
	return found
}

// radios looks for hardware that sends without a cable. A switch on the machine
// that blocks it is better than software that does, but less than its absence.
func radios(m Machine) (finding, error) {
	var found []string
	for _, kind := range []string{"ieee80211", "bluetooth", "wwan", "nfc", "ieee802154"} {
		names, err := m.entries("sys/class/" + kind)
		if err != nil {
			return finding{}, err
		}
		for _, name := range names {
			found = append(found, name+" ("+kind+")")
		}
	}
	if len(found) == 0 {
		return ok("none")
	}
	seen := strings.Join(found, ", ")
	blocked, err := m.hardBlocked()
	if err != nil {
		return finding{}, err
	}
	if blocked {
		return warning(seen+"; blocked by a switch", "take them out if that is possible; watch the switch")
	}
	return stop(seen, "take them out, or disable them in the firmware; rfkill block all is not enough")
}

// hardBlocked reports whether there are switches for radios, all of them off.
func (m Machine) hardBlocked() (bool, error) {
	switches, err := m.entries("sys/class/rfkill")
	for _, s := range switches {
		if m.line("sys/class/rfkill/"+s+"/hard") != "1" {
			return false, nil
		}
	}
	return len(switches) > 0, err
}
