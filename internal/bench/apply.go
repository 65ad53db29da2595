// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// applied is a fleet that loses its material and gets it back.
type applied struct {
	dir, keymat string
	mock        *server
	keys        int
	regions     []string
	materials   []*material.Material
}

// measureApply re-imports the material of keys, as fast as quotas allow, and as
// fast as it goes, beside a loop of the bare SDK on the same keys.
func measureApply(dir, keymat string, sizes fleetSizes) error {
	mock, err := serve(keymat, "mock", "serve", "--listen", "127.0.0.1:0", "--shared-wrapping-keys", "--memory")
	if err != nil {
		return err
	}
	defer mock.stop()
	f := &applied{dir: dir, keymat: keymat, mock: mock, keys: sizes.applied, regions: fleetRegions[:sizes.regions]}
	if err := f.seal(); err != nil {
		return err
	}
	fmt.Printf("\n| %d keys, Regions: %d | time | a second | calls | throttled | keymat, processor time a key | server's | \n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n", f.keys, len(f.regions))
	if err := f.round("make and import, no quotas", "imported"); err != nil {
		return err
	}
	if err := f.lose(); err != nil {
		return err
	}
	if err := f.round("re-import, no quotas", "imported"); err != nil {
		return err
	}
	if err := f.lose(); err != nil {
		return err
	}
	if err := f.bare(); err != nil {
		return err
	}
	if !sizes.quotas {
		return nil
	}
	if err := errors.Join(f.lose(), f.conditions(true)); err != nil {
		return err
	}
	if err := f.round("re-import, KMS's quotas", "imported"); err != nil {
		return err
	}
	if err := errors.Join(f.conditions(false), f.lose(), f.plan("imported")); err != nil {
		return err
	}
	if _, err := f.run("fleet", "prefetch", "plan.json", "--out", "ahead", "--quiet"); err != nil {
		return err
	}
	if err := f.conditions(true); err != nil {
		return err
	}
	return f.round("re-import, KMS's quotas, parameters fetched ahead", "imported", "--params", "ahead")
}

// seal makes an escrow for each key.
func (f *applied) seal() error {
	key := material.NewSecret(make([]byte, 32))
	if err := os.WriteFile(filepath.Join(f.dir, "seal.key"), []byte(strings.Repeat("00", 32)), 0o600); err != nil {
		return err
	}
	for n := range f.keys {
		m, err := material.Generate(material.SymmetricDefault)
		if err != nil {
			return err
		}
		sealed, err := escrow.SealKey(m, time.Now(), key)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := sealed.Encode(&b); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(f.dir, fmt.Sprintf("app-%05d.escrow", n)), b.Bytes(), 0o644); err != nil {
			return err
		}
		f.materials = append(f.materials, m)
	}
	return nil
}

// run runs keymat, and gives its stdout and the processor time it took.
func (f *applied) run(args ...string) (ran, error) {
	c := exec.Command(f.keymat, append(args, "--endpoint-url", "http://"+f.mock.address)...)
	c.Dir = f.dir
	c.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=mock", "AWS_SECRET_ACCESS_KEY=mock", "AWS_REGION=us-east-1")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	before, start := f.mock.cpu(), time.Now()
	out, err := c.Output()
	r := ran{stdout: out, took: time.Since(start), server: f.mock.cpu() - before}
	if c.ProcessState != nil {
		r.cpu = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	}
	if err != nil {
		err = fmt.Errorf("keymat %s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return r, err
}

// ran is how a run went.
type ran struct {
	stdout            []byte
	took, cpu, server time.Duration
}

// cpu is the processor time that the server has used.
func (s *server) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks [2]int64
	for n := range ticks {
		fmt.Sscan(fields[11+n], &ticks[n])
	}
	return time.Duration(ticks[0]+ticks[1]) * 10 * time.Millisecond
}

// plan makes plan.json for a wanted state.
func (f *applied) plan(want string) error {
	var m strings.Builder
	m.WriteString("kind: keymat/fleet\nversion: 1\nname: bench\nplaces:\n")
	for _, region := range f.regions {
		fmt.Fprintf(&m, "  %s: {region: %s}\n", region, region)
	}
	fmt.Fprintf(&m, "defaults: {escrow: \"{name}.escrow\", expires: never, want: %s, wrapping: {algorithm: RSAES_OAEP_SHA_256, key: RSA_2048}}\nkeys:\n", want)
	for n := range f.keys {
		fmt.Fprintf(&m, "  - {name: app-%05d, place: %s}\n", n, f.regions[n%len(f.regions)])
	}
	if err := os.WriteFile(filepath.Join(f.dir, "fleet.yaml"), []byte(m.String()), 0o644); err != nil {
		return err
	}
	_, err := f.run("fleet", "plan", "fleet.yaml", "--out", "plan.json", "--force", "--quiet")
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 3 {
		return nil
	}
	return err
}

// round plans and applies, and prints how that went.
func (f *applied) round(title, want string, flags ...string) error {
	if err := f.plan(want); err != nil {
		return err
	}
	r, err := f.run(append([]string{"fleet", "apply", "plan.json", "--open-key", "seal.key", "--yes", "--json", "--quiet"}, flags...)...)
	if err != nil {
		return err
	}
	var sum struct{ Calls, Throttled int }
	lines := bytes.Split(bytes.TrimSpace(r.stdout), []byte("\n"))
	if err := json.Unmarshal(lines[len(lines)-1], &sum); err != nil {
		return err
	}
	if title != "" {
		f.row(title, r, sum.Calls, sum.Throttled)
	}
	return nil
}

func (f *applied) row(title string, r ran, calls, throttled int) {
	each := func(d time.Duration) time.Duration { return short(d / time.Duration(f.keys)) }
	fmt.Printf("| %s | %.1f s | %.0f | %d | %d | %s | %s |\n", title, r.took.Seconds(), float64(f.keys)/r.took.Seconds(), calls, throttled, each(r.cpu), each(r.server))
}

// lose deletes all material.
func (f *applied) lose() error {
	return errors.Join(f.conditions(false), f.round("", "deleted"))
}

func (f *applied) conditions(quotas bool) error {
	_, err := f.run("mock", "conditions", fmt.Sprintf("--quotas=%t", quotas), "--quiet")
	return err
}

// bare re-imports with nothing but the SDK and the material in memory: no
// escrow, no journal, no looking before or after.
func (f *applied) bare() error {
	ids, err := f.ids()
	if err != nil {
		return err
	}
	clients := make([]*kms.Client, len(f.regions))
	for n, region := range f.regions {
		clients[n] = kms.New(kms.Options{Region: region, BaseEndpoint: aws.String("http://" + f.mock.address), Credentials: credentials.NewStaticCredentialsProvider("mock", "mock", "")})
	}
	before, server, start := self(), f.mock.cpu(), time.Now()
	var next atomic.Int64
	const atOnce = 16
	errs := make([]error, atOnce)
	var all sync.WaitGroup
	for w := range atOnce {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < f.keys && errs[w] == nil; n = int(next.Add(1)) - 1 {
				errs[w] = reimportBare(clients[n%len(clients)], ids[n], f.materials[n])
			}
		})
	}
	all.Wait()
	f.row("re-import, no quotas, the bare SDK", ran{took: time.Since(start), cpu: self() - before, server: f.mock.cpu() - server}, 2*f.keys, 0)
	return errors.Join(errs...)
}

// ids are those of the keys, out of the last plan.
func (f *applied) ids() ([]string, error) {
	raw, err := os.ReadFile(filepath.Join(f.dir, "plan.json"))
	if err != nil {
		return nil, err
	}
	var plan struct {
		Changes []struct {
			Seen []struct {
				KeyARN string `json:"key_arn"`
			}
		}
	}
	if err := json.Unmarshal(raw, &plan); err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range plan.Changes {
		ids = append(ids, c.Seen[0].KeyARN)
	}
	return ids, nil
}

func reimportBare(k *kms.Client, id string, m *material.Material) error {
	p, err := k.GetParametersForImport(context.Background(), &kms.GetParametersForImportInput{
		KeyId: aws.String(id), WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256, WrappingKeySpec: types.WrappingKeySpecRsa2048,
	})
	if err != nil {
		return err
	}
	public, err := wrap.ParsePublicKey(p.PublicKey)
	if err != nil {
		return err
	}
	wrapped, err := wrap.Wrap(public, wrap.OAEPSHA256, m.Secret())
	if err != nil {
		return err
	}
	_, err = k.ImportKeyMaterial(context.Background(), &kms.ImportKeyMaterialInput{
		KeyId: aws.String(id), ImportToken: p.ImportToken, EncryptedKeyMaterial: wrapped, ExpirationModel: types.ExpirationModelTypeKeyMaterialDoesNotExpire,
	})
	return err
}

// self is the processor time of this process.
func self() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
