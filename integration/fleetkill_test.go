// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// A fleet of 1,000 keys in two Regions. Of ten keys seven have lost their
// material, and three are to be made.
const (
	fleetKeys  = 1000
	fleetKills = 300
)

var fleetPlaces = []string{"us-east-1", "us-west-2"}

// TestFleetSurvivesKill kills the apply of a plan at 300 random moments, and
// runs it again each time: in the end every key is there once, and holds the
// material of its escrow.
func TestFleetSurvivesKill(t *testing.T) {
	d := newDesk(t)
	s, err := serve(d.dir, "--memory", "--shared-wrapping-keys")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	d.url = s.url
	materials := d.sealFleet()
	had := func(n int) bool { return n%10 < 7 }
	d.writeFleet("imported", had)
	d.applyFleet("fleet.yaml")
	d.writeFleet("deleted", had)
	d.applyFleet("fleet.yaml")
	d.writeFleet("imported", func(int) bool { return true })

	if o := d.try(built.keymat, "fleet", "plan", "fleet.yaml", "--out", "plan.json"); o.status != 3 {
		t.Fatalf("planning: exit code %d\n%s", o.status, o.stderr)
	}
	kills := d.killAndFinish("plan.json")
	t.Logf("killed %d times", kills)
	if kills < fleetKills {
		t.Errorf("only %d kills", kills)
	}
	d.checkFleet(materials)
}

// killAndFinish kills the apply of a plan after a few of its results, and a
// moment later, until it was killed often enough; then it lets it end.
func (d *desk) killAndFinish(plan string) (kills int) {
	seen := make(map[string]bool)
	for tries := 0; kills < fleetKills && tries < 3*fleetKills; tries++ {
		if d.killOnce(plan, seen) {
			kills++
		}
	}
	o := d.try(built.keymat, fleetApply(plan)...)
	if o.status != 0 || !strings.Contains(string(o.stdout), `"event":"summary"`) {
		d.t.Errorf("%s: exit code %d\n%s", plan, o.status, o.stderr)
	}
	return kills
}

func fleetApply(plan string) []string {
	return []string{"fleet", "apply", plan, "--open-key", "seal.key", "--yes", "--json", "--at-once", "4", "--no-input", "--quiet"}
}

// killOnce reports whether the apply was still at work when it was killed.
func (d *desk) killOnce(plan string, seen map[string]bool) bool {
	cmd := exec.Command(built.keymat, fleetApply(plan)...)
	cmd.Dir, cmd.Env = d.dir, append(environment(d.dir, d.url), d.env...)
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		d.t.Error(err)
		return false
	}
	lines := bufio.NewReader(stdout)
	for left := rand.IntN(4); left > 0; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var result struct{ Event, Name string }
		if json.Unmarshal(line, &result) == nil && result.Event == "result" && !seen[result.Name] {
			seen[result.Name] = true
			left--
		}
	}
	time.Sleep(time.Duration(rand.IntN(15)) * time.Millisecond)
	cmd.Process.Kill()
	_, _ = io.Copy(io.Discard, lines)
	cmd.Wait()
	return cmd.ProcessState.ExitCode() < 0
}

// sealFleet makes the escrows.
func (d *desk) sealFleet() map[string]*material.Material {
	d.t.Helper()
	key := material.NewSecret(make([]byte, 32))
	d.write("seal.key", []byte(strings.Repeat("00", 32)))
	all := make(map[string]*material.Material)
	for n := range fleetKeys {
		m, err := material.Generate(material.SymmetricDefault)
		if err != nil {
			d.t.Fatal(err)
		}
		sealed, err := escrow.SealKey(m, time.Now(), key)
		var b bytes.Buffer
		if err == nil {
			err = sealed.Encode(&b)
		}
		if err != nil {
			d.t.Fatal(err)
		}
		name := fmt.Sprintf("app-%04d", n)
		d.write(name+".escrow", b.Bytes())
		all[name] = m
	}
	return all
}

// writeFleet writes the manifest of some of the keys.
func (d *desk) writeFleet(want string, has func(n int) bool) {
	var m strings.Builder
	m.WriteString("kind: keymat/fleet\nversion: 1\nname: killed\nplaces:\n")
	for _, region := range fleetPlaces {
		fmt.Fprintf(&m, "  %s: {region: %s}\n", region, region)
	}
	fmt.Fprintf(&m, "defaults: {escrow: \"{name}.escrow\", expires: never, want: %s, wrapping: {algorithm: RSAES_OAEP_SHA_256, key: RSA_2048}}\nkeys:\n", want)
	for n := range fleetKeys {
		if has(n) {
			fmt.Fprintf(&m, "  - {name: app-%04d, place: %s}\n", n, fleetPlaces[n%len(fleetPlaces)])
		}
	}
	d.write("fleet.yaml", []byte(m.String()))
}

func (d *desk) applyFleet(name string) {
	d.t.Helper()
	d.run(built.keymat, fleetApply(name)...)
}

// checkFleet demands every key once, with its own material: KMS takes back no
// other.
func (d *desk) checkFleet(materials map[string]*material.Material) {
	d.t.Helper()
	sum := 0
	for _, region := range fleetPlaces {
		client := newClient(d.url)
		client = kms.New(client.Options(), func(o *kms.Options) { o.Region = region })
		i := &importer.Importer{KMS: client}
		keys := kms.NewListKeysPaginator(client, &kms.ListKeysInput{})
		for keys.HasMorePages() {
			page, err := keys.NextPage(d.t.Context())
			if err != nil {
				d.t.Fatal(err)
			}
			sum += len(page.Keys)
		}
		aliases := kms.NewListAliasesPaginator(client, &kms.ListAliasesInput{})
		for aliases.HasMorePages() {
			page, err := aliases.NextPage(d.t.Context())
			if err != nil {
				d.t.Fatal(err)
			}
			for _, a := range page.Aliases {
				name := strings.TrimPrefix(aws.ToString(a.AliasName), "alias/")
				m := materials[name]
				if m == nil {
					continue
				}
				delete(materials, name)
				k, err := i.Describe(d.t.Context(), aws.ToString(a.AliasName))
				if err == nil {
					var proof importer.Proof
					proof, err = i.Confirm(d.t.Context(), k, m, importer.ConfirmOptions{Reimport: true, Pair: wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048}})
					if err == nil && (proof.Verdict != importer.Proven || k.State != "Enabled") {
						err = fmt.Errorf("%s, %s", k.State, proof.Verdict)
					}
				}
				if err != nil {
					d.t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	if sum != fleetKeys {
		d.t.Errorf("%d keys, want %d", sum, fleetKeys)
	}
	if len(materials) > 0 {
		var lost []string
		for name := range materials {
			lost = append(lost, name)
		}
		slices.Sort(lost)
		d.t.Errorf("%d keys are lost: %v", len(lost), lost)
	}
}

// TestFleetShards: every key is in exactly one shard, and shards that are
// applied by processes at the same time give the whole.
func TestFleetShards(t *testing.T) {
	const shards = 3
	d := newAccount(t)
	d.sealFleet()
	d.writeFleet("imported", func(n int) bool { return n < 40 })
	var all sync.WaitGroup
	for n := range shards {
		all.Go(func() {
			o := d.try(built.keymat, append(fleetApply("fleet.yaml"), "--shard", fmt.Sprintf("%d/%d", n+1, shards))...)
			if o.status != 0 {
				t.Errorf("shard %d: exit code %d\n%s", n+1, o.status, o.stderr)
			}
		})
	}
	all.Wait()
	if o := d.try(built.keymat, "fleet", "plan", "fleet.yaml"); o.status != 0 {
		t.Errorf("something is left: exit code %d\n%s", o.status, o.stdout)
	}
}
