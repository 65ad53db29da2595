// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremonycmd"
)

// TestOfflineOpensNoSocket runs every command of keymat-offline, and demands of the kernel's trace that none opens a socket
// but that of the ssh-agent.
func TestOfflineOpensNoSocket(t *testing.T) {
	d := newDesk(t)
	planWithKeys(d, tool(t, "ssh-keygen", "openssh-client"))
	d.sh("mkdir a b && cp plan.yaml a")
	d.write("noted.txt", []byte("noted"))
	const target = "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
	var ran []string
	for _, tt := range []struct {
		status  int // anyStatus where the machine decides
		command string
		args    []string
	}{
		{0, "version", []string{"--hash"}},
		{anyStatus, "ceremony preflight", []string{"--workspace", "a"}},
		{0, "ceremony plan init", []string{"other.yaml", "--id", "other", "--target", target}},
		{0, "ceremony plan lint", []string{"a/plan.yaml"}},
		{0, "ceremony plan sign", []string{"a/plan.yaml", "--as", "lead", "--key", "lead.key"}},
		{0, "ceremony plan sign", []string{"a/plan.yaml", "--as", "witness", "--key", "witness.key"}},
		{0, "ceremony plan verify", []string{"a/plan.yaml"}},
		{3, "ceremony plan diff", []string{"other.yaml", "a/plan.yaml"}},
		{0, "ceremony status", []string{"a"}},
		{0, "ceremony run", []string{"a", "--dry-run"}},
		{0, "ceremony transcript begin", []string{"a", "b", "--by", "lead"}},
		{0, "ceremony transcript confirm", []string{"a", "b", "--gate", "identity", "--by", "operator-1", "--by", "witness", "--text", "compared"}},
		{0, "ceremony transcript note", []string{"a", "b", "--by", "lead", "--text", "made", "--file", "noted.txt"}},
		{0, "ceremony transcript exception", []string{"a", "b", "--by", "lead", "--expected", "light", "--happened", "dark", "--decided", "candles"}},
		{0, "ceremony transcript end", []string{"a", "b", "--by", "lead"}},
		{0, "ceremony transcript sign", []string{"a", "b", "--as", "lead", "--key", "lead.key"}},
		{0, "ceremony transcript sign", []string{"a", "b", "--as", "witness", "--key", "witness.key"}},
		{0, "ceremony transcript sign", []string{"a", "b", "--as", "operator-1", "--key", "operator-1.key"}},
		{0, "ceremony transcript show", []string{"a"}},
		{0, "ceremony forms", []string{"a/plan.yaml", "--out-dir", "forms"}},
		{0, "ceremony verify", []string{"a"}},
		{0, "ceremony report", []string{"a", "--out", "report.html"}},
		{anyStatus, "ceremony reopen", []string{"a", "--out", "again.yaml"}},
		{0, "ceremony register init", []string{"register.jsonl", "--organisation", "Example", "--by", "officer"}},
		{anyStatus, "ceremony register add", []string{"register.jsonl", "a", "--by", "officer"}},
		{1, "ceremony register state", []string{"register.jsonl", "app", "--to", "active", "--reason", "x", "--by", "officer", "--by", "lead"}},
		{1, "ceremony register schedule", []string{"register.jsonl", "app", "--drill-every", "30d", "--reason", "x", "--by", "officer", "--by", "lead"}},
		{1, "ceremony register drill", []string{"register.jsonl", "noted.txt", "--by", "officer"}},
		{0, "ceremony register show", []string{"register.jsonl"}},
		{0, "ceremony register due", []string{"register.jsonl"}},
	} {
		line := slices.Concat(strings.Fields(tt.command), tt.args, []string{"--yes", "--no-input"})
		if calls := d.networkCalls(tt.status, built.offline, line...); len(calls) > 0 {
			t.Errorf("%s %s: %s", tt.command, strings.Join(tt.args, " "), calls)
		}
		ran = append(ran, tt.command)
	}
	for _, command := range leaves(ceremonycmd.Tree()) {
		if !slices.Contains(ran, command) {
			t.Errorf("keymat-offline %s was not run", command)
		}
	}
}

// TestOfflineAsksTheAgent: the one socket it opens is that of the ssh-agent.
func TestOfflineAsksTheAgent(t *testing.T) {
	d := newDesk(t)
	planWithKeys(d, tool(t, "ssh-keygen", "openssh-client"))
	agent, add := tool(t, "ssh-agent", "openssh-client"), tool(t, "ssh-add", "openssh-client")
	calls := d.networkCalls(0, agent, "sh", "-c", add+` -q lead.key && unset SSH_AGENT_PID && exec "$@"`, "sh",
		built.offline, "ceremony", "plan", "sign", "plan.yaml", "--as", "lead", "--yes")
	connected := slices.ContainsFunc(calls, func(call string) bool { return strings.Contains(call, "connect(") })
	if foreign := slices.DeleteFunc(calls, unixSocket); !connected || len(foreign) > 0 {
		t.Errorf("connected to the agent: %t; besides that: %s", connected, foreign)
	}
}

// TestTraceSeesSockets holds the trace itself to account: it shows the connection of a program that has one.
func TestTraceSeesSockets(t *testing.T) {
	d := newDesk(t)
	calls := d.networkCalls(0, built.keymat, "status", "--all")
	if !slices.ContainsFunc(calls, func(call string) bool { return strings.Contains(call, "connect(") && !unixSocket(call) }) {
		t.Errorf("the trace of keymat status shows no connection: %s", calls)
	}
}

// TestOfflineHashesItself compares what it says of itself with what others see.
func TestOfflineHashesItself(t *testing.T) {
	d := newDesk(t)
	sum := sha256.Sum256(d.run("cat", built.offline))
	var version struct {
		File struct {
			SHA256 string
			Words  []string
		}
	}
	if err := json.Unmarshal(d.run(built.offline, "version", "--hash", "--json"), &version); err != nil {
		t.Fatal(err)
	}
	if want := hex.EncodeToString(sum[:]); version.File.SHA256 != want || len(version.File.Words) != len(sum) {
		t.Errorf("got %+v, want %s", version, want)
	}
}

// anyStatus takes every exit code.
const anyStatus = -1

// networkCalls runs a program with all that it starts, and returns which of the kernel's calls for networks it made.
func (d *desk) networkCalls(status int, program string, args ...string) (calls []string) {
	d.t.Helper()
	line := append([]string{"-f", "-q", "-s", "0", "-o", "network.log", "-e", "trace=network", program}, args...)
	if o := d.try(tool(d.t, "strace", "strace"), line...); status != anyStatus && o.status != status {
		d.t.Fatalf("%s: exit code %d, want %d\n%s%s", strings.Join(args, " "), o.status, status, o.stdout, o.stderr)
	}
	return tracedCalls(string(d.read("network.log")))
}

// tracedCalls are the calls in what strace has logged.
func tracedCalls(log string) (calls []string) {
	call := regexp.MustCompile(`^\d+ +\w+\(`)
	for line := range strings.Lines(log) {
		if call.MatchString(line) { // and no signal, or end of a process
			calls = append(calls, strings.TrimSpace(line))
		}
	}
	return calls
}

// unixSocket reports whether a call is about a socket of this machine: it names one, or names no family at all.
func unixSocket(call string) bool {
	families := regexp.MustCompile(`\bAF_\w+`).FindAllString(call, -1)
	return !slices.ContainsFunc(families, func(family string) bool { return family != "AF_UNIX" })
}

// leaves are the commands of a tree that have none below them, by what is typed.
func leaves(c *cobra.Command) (commands []string) {
	for _, sub := range c.Commands() {
		if below := leaves(sub); len(below) > 0 {
			commands = append(commands, below...)
		} else if _, command, _ := strings.Cut(sub.CommandPath(), " "); sub.Runnable() {
			commands = append(commands, command)
		}
	}
	return commands
}
