// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/preflight"
)

// observed reads what keymat ceremony preflight --json printed, and demands the
// exit code that follows from it.
func observed(t *testing.T, o outcome) map[string]preflight.Observation {
	t.Helper()
	printed := o.stdout
	if begin := strings.IndexByte(string(printed), '{'); begin > 0 {
		printed = printed[begin:]
	}
	var report preflight.Report
	if err := json.NewDecoder(strings.NewReader(string(printed))).Decode(&report); err != nil {
		t.Fatalf("%v: %s%s", err, o.stdout, o.stderr)
	}
	if want := map[bool]int{true: 3}[report.Verdict == preflight.Stop]; o.status != want {
		t.Errorf("exit code %d, want %d", o.status, want)
	}
	all := map[string]preflight.Observation{}
	for _, seen := range report.Observations {
		all[seen.Name] = seen
	}
	return all
}

// linksUp asks the kernel by another way than /sys: SIOCGIFFLAGS, 0x8913.
const linksUp = `import fcntl, socket, struct
with socket.socket() as s:
    for _, name in socket.if_nameindex():
        answer = fcntl.ioctl(s, 0x8913, struct.pack("40s", name.encode()))
        if struct.unpack_from("H", answer, 16)[0] & 1 and name != "lo":
            print(name)`

// TestPreflightOfThisMachine compares what is seen of this machine with what
// others see.
func TestPreflightOfThisMachine(t *testing.T) {
	d := newDesk(t)
	all := observed(t, d.try(built.keymat, "ceremony", "preflight", "--json"))
	links := strings.Fields(string(d.run(tool(t, "python3", "python3"), "-c", linksUp)))
	for _, name := range links {
		if !strings.Contains(all["links"].Seen, name) || all["links"].Verdict != preflight.Stop {
			t.Errorf("%s is up, seen was %+v", name, all["links"])
		}
	}
	if kind := strings.TrimSpace(string(d.sh("df --output=fstype . | tail -n 1"))); !strings.Contains(all["workspace"].Seen, " is in "+kind) {
		t.Errorf("the workspace is in %s, seen was %+v", kind, all["workspace"])
	}
	if n := strings.TrimSpace(string(d.sh("id -u"))); n == "0" != (all["user"].Seen == "root") {
		t.Errorf("user ID %s, seen was %+v", n, all["user"])
	}
}

// TestPreflightSeesRecorders starts keymat in script(1), which keeps all that
// is on the terminal.
func TestPreflightSeesRecorders(t *testing.T) {
	d := newDesk(t)
	script := tool(t, "script", "bsdutils")
	all := observed(t, d.try(script, "-qec", built.keymat+" ceremony preflight --json", "typescript"))
	if seen := all["terminal"]; seen.Verdict != preflight.Stop || !strings.Contains(seen.Seen, "started in script") {
		t.Errorf("%+v", seen)
	}
}

// TestPreflightWithoutNetwork gives keymat a network namespace without any
// network, and a workspace as it should be. Where the kernel gives nobody a
// namespace it says so, and the cases of the package stand alone.
func TestPreflightWithoutNetwork(t *testing.T) {
	d := newDesk(t)
	flags := []string{"--net", "--mount"}
	if os.Geteuid() != 0 {
		flags = append(flags, "--map-root-user")
	}
	inside := func(line string) outcome {
		return d.try(tool(t, "unshare", "util-linux"), append(flags, "sh", "-c", line)...)
	}
	const prepare = "mkdir -p keys && mount -t sysfs sysfs /sys && mount -t tmpfs -o noexec,nosuid,mode=0700 tmpfs keys"
	if o := inside(prepare); o.status != 0 {
		denied := strings.ToLower(string(o.stderr))
		if !strings.Contains(denied, "not permitted") && !strings.Contains(denied, "permission denied") {
			t.Fatalf("no namespace: %s", denied)
		}
		t.Logf("the kernel gives no namespace here: %s", denied)
		return
	}
	command := fmt.Sprintf("%s && ulimit -S -c 0 && exec %s ceremony preflight --workspace keys --json", prepare, built.keymat)
	all := observed(t, inside(command))
	for name, seen := range map[string]string{
		"links": "none but loopback", "routes": "none", "addresses": "none but loopback and link-local", "core limit": "0",
	} {
		if all[name].Seen != seen || all[name].Verdict != preflight.OK {
			t.Errorf("%s: %+v, want %s", name, all[name], seen)
		}
	}
	if all["workspace"].Verdict != preflight.OK {
		t.Errorf("%+v", all["workspace"])
	}
	withLoopback := strings.Replace(command, "ulimit", linkUp+" && ulimit", 1)
	if all := observed(t, inside(withLoopback)); all["links"].Verdict != preflight.OK {
		t.Errorf("with loopback up: %+v", all["links"])
	}
}

// linkUp switches loopback on: SIOCSIFFLAGS, 0x8914.
const linkUp = `python3 -c 'import fcntl, socket, struct
with socket.socket() as s: fcntl.ioctl(s, 0x8914, struct.pack("16sH22x", b"lo", 1))'`
