// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// fleetRegions is where the keys of a fleet are, evenly.
var fleetRegions = []string{"eu-central-1", "eu-west-1", "us-east-1", "us-west-2", "ap-southeast-2"}

// measureFleet plans fleets of growing size against a mock that holds their
// keys, none of which has its material. Told are the time that passes, and the
// processor time and memory of keymat alone: the mock has the same two cores.
func measureFleet(dir, keymat string, keys int) error {
	mock, err := serve(keymat, "mock", "serve", "--listen", "127.0.0.1:0", "--shared-wrapping-keys", "--memory")
	if err != nil {
		return err
	}
	defer mock.stop()
	if err := mock.fill(keys); err != nil {
		return err
	}
	if err := sealOne(dir, keymat); err != nil {
		return err
	}
	fmt.Printf("\n| keys | asked for | plan | time | processor time | memory | file |\n| ---: | --- | --- | ---: | ---: | ---: | ---: |\n")
	for _, want := range []string{"deleted", "imported"} {
		for _, n := range []int{keys / 4, keys / 2, keys} {
			if err := planFleet(dir, keymat, mock, n, want); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill makes keys with aliases, over some connections at once.
func (s *server) fill(keys int) error {
	const connections = 8
	errs := make([]error, connections)
	var all sync.WaitGroup
	for c := range connections {
		all.Go(func() { errs[c] = s.fillPart(c, connections, keys) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func (s *server) fillPart(first, step, keys int) error {
	connection, err := net.Dial("tcp", s.address)
	if err != nil {
		return err
	}
	defer connection.Close()
	answers := bufio.NewReader(connection)
	ask := func(region, operation, body string) ([]byte, error) {
		if _, err := connection.Write(s.requestIn(region, loadRequest{operation, body})); err != nil {
			return nil, err
		}
		return readAnswer(answers)
	}
	for n := first; n < keys; n += step {
		region := fleetRegions[n%len(fleetRegions)]
		answer, err := ask(region, "CreateKey", `{"Origin":"EXTERNAL"}`)
		if err != nil {
			return err
		}
		var created struct{ KeyMetadata struct{ KeyID string } }
		if err := json.Unmarshal(answer, &created); err != nil {
			return err
		}
		if _, err := ask(region, "CreateAlias", fmt.Sprintf(`{"AliasName":"alias/app-%06d","TargetKeyId":%q}`, n, created.KeyMetadata.KeyID)); err != nil {
			return err
		}
	}
	return nil
}

// sealOne makes an escrow, which will do for all keys.
func sealOne(dir, keymat string) error {
	if err := os.WriteFile(filepath.Join(dir, "seal.key"), []byte(strings.Repeat("00", 32)), 0o600); err != nil {
		return err
	}
	seal := exec.Command(keymat, "escrow", "seal", "--generate", "--spec", "SYMMETRIC_DEFAULT", "--seal-key", "seal.key", "--out", "all.escrow", "--quiet")
	seal.Dir = dir
	return seal.Run()
}

// planFleet writes a manifest and has it planned.
func planFleet(dir, keymat string, mock *server, keys int, want string) error {
	name := filepath.Join(dir, fmt.Sprintf("fleet-%d-%s.yaml", keys, want))
	var m strings.Builder
	m.WriteString("kind: keymat/fleet\nversion: 1\nname: bench\nplaces:\n")
	for _, region := range fleetRegions {
		fmt.Fprintf(&m, "  %s: {region: %s}\n", region, region)
	}
	fmt.Fprintf(&m, "defaults: {escrow: all.escrow, expires: 365d, want: %s}\nkeys:\n", want)
	for n := range keys {
		fmt.Fprintf(&m, "  - name: app-%06d\n    key: alias/app-%06d\n    place: %s\n    spec: SYMMETRIC_DEFAULT\n", n, n, fleetRegions[n%len(fleetRegions)])
	}
	if err := os.WriteFile(name, []byte(m.String()), 0o644); err != nil {
		return err
	}
	out := name + ".json"
	plan := exec.Command(keymat, "fleet", "plan", name, "--out", out, "--endpoint-url", "http://"+mock.address, "--quiet")
	plan.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=mock", "AWS_SECRET_ACCESS_KEY=mock")
	start := time.Now()
	said, err := plan.Output()
	took := time.Since(start)
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 3) {
		return fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	used := plan.ProcessState
	memory := used.SysUsage().(*syscall.Rusage).Maxrss / 1024
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	sum := ""
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "fleet bench: "); ok {
			sum = rest
		}
	}
	fmt.Printf("| %d | %s | %s | %.1f s | %.1f s | %d MB | %.1f MB |\n", keys, want, sum, took.Seconds(), (used.UserTime() + used.SystemTime()).Seconds(), memory, float64(info.Size())/1e6)
	return nil
}
