// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/sshsig"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
)

const region, replicaRegion = "eu-central-1", "eu-west-1"

// bench is a ceremony up to a KMS of its own, to which everything talks through
// the real SDK.
type bench struct {
	mock     *mockkms.KMS
	service  online.Service
	plan     *plan.Plan
	text     string // of the plan
	material *material.Material
	desk     *desk // the offline machine

	fetching, importing string // the folders of the machines
	people              *people
	seen                int // calls
}

// newBench has an empty KMS.
func newBench(t *testing.T, options ...mockkms.Option) *bench {
	t.Helper()
	mock := mockkms.New(append(options, mockkms.WithSharedWrappingKeys())...)
	t.Cleanup(func() { mock.Close() })
	b := &bench{mock: mock, fetching: quickFolder(t), importing: quickFolder(t), people: &people{}}
	b.service = online.Service{
		Endpoint: "http://127.0.0.1:4566",
		In: func(_ context.Context, region string) (online.KMS, error) {
			return clientOf(mockkms.Transport(mock), region), nil
		},
		Caller: func(context.Context, string) (string, error) {
			return "arn:aws:sts::111122223333:assumed-role/fetch/one", nil
		},
	}
	return b
}

func clientOf(transport http.RoundTripper, region string) *kms.Client {
	return kms.New(kms.Options{
		Region:      region,
		Credentials: credentials.NewStaticCredentialsProvider("mock", "long enough for FIPS 140-3", ""),
		HTTPClient:  &http.Client{Transport: transport},
		Retryer:     retry.NewStandard(), // see the tests of the importer
	})
}

func (b *bench) client(t *testing.T, region string) online.KMS {
	t.Helper()
	client, err := b.service.In(t.Context(), region)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (b *bench) importer(t *testing.T, region string) *importer.Importer {
	return &importer.Importer{KMS: b.client(t, region)}
}

// calls are the operations that arrived since the last time.
func (b *bench) calls() []string {
	all := b.mock.Calls()
	defer func() { b.seen = len(all) }()
	return all[b.seen:]
}

func (b *bench) create(t *testing.T, r importer.CreateRequest) importer.Key {
	t.Helper()
	k, err := b.importer(t, region).Create(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// agree makes a plan of 2 of 3 shares for keys, which all have approved, and puts
// it on both machines. The material is new.
func (b *bench) agree(t *testing.T, spec material.Spec, keys []string, oldAndNew ...string) {
	t.Helper()
	drafted, err := plan.Draft(plan.Sketch{
		File: "plan.yaml", ID: "payments-2026", Title: "Payments: the root key", Date: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		Spec: spec, Threshold: 2, Count: 3, Keys: keys,
	})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	id := ""
	for line := range strings.Lines(string(drafted)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "- id: "); ok {
			id = name
		}
		if strings.HasPrefix(line, "    # key: ") {
			line = "    key: " + string(ssh.MarshalAuthorizedKey(signerOf(id).PublicKey()))
		}
		text.WriteString(line)
	}
	b.text = strings.ReplaceAll(text.String(), "key_spec: RSA_4096", "key_spec: RSA_2048") // quicker to make
	for i := 0; i < len(oldAndNew); i += 2 {
		if !strings.Contains(b.text, oldAndNew[i]) {
			t.Fatalf("the plan has no %q", oldAndNew[i])
		}
		b.text = strings.Replace(b.text, oldAndNew[i], oldAndNew[i+1], 1)
	}
	if b.plan, err = plan.Read(strings.NewReader(b.text)); err != nil {
		t.Fatal(err)
	}
	b.bring(t, b.fetching)
	b.bring(t, b.importing)
	if b.material == nil {
		b.material = generate(t, spec)
	}
	b.desk = newDesk(t, b.plan, b.material)
	b.bring(t, b.desk.folder)
}

func generate(t *testing.T, spec material.Spec) *material.Material {
	t.Helper()
	m, err := material.Generate(spec)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// bring puts the plan and its approvals into a folder.
func (b *bench) bring(t *testing.T, folder string) {
	t.Helper()
	write(t, folder, evidence.PlanFile, []byte(b.text))
	for _, id := range b.plan.Gates[plan.GatePlan] {
		signature, err := sshsig.Sign(b.plan.Message(), plan.Namespace, signerOf(id))
		if err != nil {
			t.Fatal(err)
		}
		write(t, folder, evidence.SignatureFile(evidence.PlanFile, id), signature)
	}
}

// fetch has the fetchers fetch for targets, and gives their medium.
func (b *bench) fetch(t *testing.T, targets ...string) (medium string) {
	t.Helper()
	f, err := online.OpenFetcher(b.fetching, time.Now, b.service)
	if err != nil {
		t.Fatal(err)
	}
	medium = quickFolder(t)
	b.people.media = []string{medium}
	if err := f.Perform(t.Context(), b.people, phase.Task{Step: phase.Fetch, Machine: transcript.FetchMachine, Targets: targets}); err != nil {
		t.Fatal(err)
	}
	return medium
}
