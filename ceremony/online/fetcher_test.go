// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// fetching is the task of the fetchers.
var fetching = phase.Task{Step: phase.Fetch, Machine: transcript.FetchMachine}

func (b *bench) fetcher(t *testing.T) *online.Fetcher {
	t.Helper()
	f, err := online.OpenFetcher(b.fetching, time.Now, b.service)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// withKey is a bench with a symmetric key and a plan for it.
func withKey(t *testing.T, oldAndNew ...string) *bench {
	t.Helper()
	b := newBench(t)
	k := b.create(t, importer.CreateRequest{Spec: material.SymmetricDefault})
	b.agree(t, material.SymmetricDefault, []string{k.ARN}, oldAndNew...)
	b.calls()
	return b
}

func TestFetch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		medium := evidence.Folder(b.fetch(t))
		if got, want := b.calls(), []string{"DescribeKey", "GetParametersForImport"}; !slices.Equal(got, want) {
			t.Errorf("calls %q, want %q", got, want)
		}
		m, err := medium.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range m.Files {
			names = append(names, f.Name)
		}
		want := []string{"bundle-1.json", "bundle-1.json.fetcher-1.sig", "bundle-1.json.fetcher-2.sig", "params-1-primary.json"}
		if err := m.Check(medium.FS()); err != nil || m.Direction != gap.In || !slices.Equal(names, want) {
			t.Errorf("the manifest goes %s with %q, error %v", m.Direction, names, err)
		}
		bundle, content, err := medium.Bundle(1)
		if err != nil {
			t.Fatal(err)
		}
		f := bundle.Fetched[0]
		if f.Caller != "arn:aws:sts::111122223333:assumed-role/fetch/one" || f.RequestID == "" || f.Key.State != "PendingImport" || !f.At.Equal(time.Now()) {
			t.Errorf("fetched %+v", f)
		}
		if !b.people.hears(strings.Join(gap.Words(content)[24:], " ")) || !b.people.hears("wrap before 2000-01-01T20:00:00Z") {
			t.Errorf("people were told %q", b.people.told)
		}
		again := evidence.Folder(b.fetch(t))
		if _, _, err := again.Bundle(2); err != nil {
			t.Error(err)
		}
		write(t, b.fetching, evidence.ParametersFile(3, "primary"), nil) // a power cut came before its bundle
		again = evidence.Folder(b.fetch(t))
		if _, _, err := again.Bundle(4); err != nil {
			t.Error(err)
		}
	})
}

// TestFetchRefusesFirst: nothing is asked of KMS that can be seen before.
func TestFetchRefusesFirst(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(t *testing.T, b *bench)
		task   phase.Task
		want   string
	}{
		"one is absent":        {func(_ *testing.T, b *bench) { b.people.absent = []string{"fetcher-2"} }, fetching, "fetch is not done without fetcher-2"},
		"a medium in use":      {func(t *testing.T, b *bench) { write(t, b.people.media[0], "holiday.jpg", nil) }, fetching, "the medium at MEDIUM is not empty: it holds holiday.jpg"},
		"a target of no plan":  {nil, phase.Task{Step: phase.Fetch, Targets: []string{"primary", "other"}}, "the plan has no target other"},
		"a task of others":     {nil, phase.Task{Step: phase.Wrap, Machine: transcript.OfflineMachine}, "wrap is for the offline machine, not for the fetch machine"},
		"nobody brings medium": {func(_ *testing.T, b *bench) { b.people.media = nil }, fetching, "context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := withKey(t)
				medium := quickFolder(t)
				b.people.media = []string{medium}
				if tt.change != nil {
					tt.change(t, b)
				}
				err := b.fetcher(t).Perform(t.Context(), b.people, tt.task)
				if got := strings.ReplaceAll(text(err), medium, "MEDIUM"); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
				if calls := b.calls(); len(calls) > 0 {
					t.Errorf("calls %q", calls)
				}
			})
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestFetchChecksTheKey: nothing is fetched for a key that is not what the plan says.
func TestFetchChecksTheKey(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*kms.DescribeKeyOutput)
		want   string
	}{
		"another account": {func(o *kms.DescribeKeyOutput) {
			*o.KeyMetadata.Arn = "arn:aws:kms:eu-central-1:999988887777:key/one"
		}, `primary: key_arn is "arn:aws:kms:eu-central-1:999988887777:key/one", want "KEY"`},
		"not for imports":   {func(o *kms.DescribeKeyOutput) { o.KeyMetadata.Origin = "AWS_KMS" }, `primary: origin is "AWS_KMS", want "EXTERNAL"`},
		"another spec":      {func(o *kms.DescribeKeyOutput) { o.KeyMetadata.KeySpec = "HMAC_256" }, `primary: key_spec is "HMAC_256", want "SYMMETRIC_DEFAULT"`},
		"another usage":     {func(o *kms.DescribeKeyOutput) { o.KeyMetadata.KeyUsage = "SIGN_VERIFY" }, `primary: key_usage is "SIGN_VERIFY", want "ENCRYPT_DECRYPT"`},
		"about to be gone":  {func(o *kms.DescribeKeyOutput) { o.KeyMetadata.KeyState = "PendingDeletion" }, `primary: key_state is "PendingDeletion", want "PendingImport"`},
		"disabled":          {func(o *kms.DescribeKeyOutput) { o.KeyMetadata.KeyState = "Disabled" }, `primary: key_state is "Disabled", want "PendingImport"`},
		"it had a material": {func(o *kms.DescribeKeyOutput) { o.KeyMetadata.CurrentKeyMaterialId = aws.String("5a") }, `primary: current_material_id is "5a", want "none: the key waits for material that it had"`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := withKey(t)
				b.puts(double{describe: tt.change})
				_, err := b.fetcher(t).Fetch(t.Context(), b.people, nil)
				if want := strings.ReplaceAll(tt.want, "KEY\"", b.plan.Targets[0].Key+"\""); text(err) != want {
					t.Errorf("got  %v\nwant %s", err, want)
				}
				if got, want := b.calls(), []string{"DescribeKey"}; !slices.Equal(got, want) {
					t.Errorf("calls %q, want %q", got, want)
				}
			})
		})
	}
}

// TestSignLater: what is not signed by both does not leave the machine.
func TestSignLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		f, medium := b.fetcher(t), quickFolder(t)
		b.people.media, b.people.unwilling = []string{medium}, []string{"fetcher-2"}
		err := f.Perform(t.Context(), b.people, fetching)
		if e, ok := errors.AsType[*online.SignatureError](err); !ok || !slices.Equal(e.People, []string{"fetcher-2"}) || e.Problem != "has not signed" {
			t.Fatalf("error %v", err)
		}
		if left, err := os.ReadDir(medium); err != nil || len(left) > 0 {
			t.Errorf("the medium has %v, error %v", left, err)
		}
		b.people.media, b.people.unwilling = []string{medium}, nil
		if err := errors.Join(f.Sign(t.Context(), b.people, 1), f.Carry(t.Context(), b.people, 1)); err != nil {
			t.Fatal(err)
		}
		a := f.Agenda()
		if len(a.Here) > 0 || a.Progress != "FETCHED" || len(a.Elsewhere) != 1 || a.Elsewhere[0].String() != "bundle: operator-1, operator-2, witness" {
			t.Errorf("agenda %+v", a)
		}
	})
}

// TestSignsSomethingElse: a signature of another file is found before it is written.
func TestSignsSomethingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withKey(t)
		b.people.media = []string{quickFolder(t)}
		b.people.signs = func(id string, message []byte) []byte {
			if id == "fetcher-2" {
				return []byte("another bundle")
			}
			return message
		}
		err := b.fetcher(t).Perform(t.Context(), b.people, fetching)
		if e, ok := errors.AsType[*online.SignatureError](err); !ok || !slices.Equal(e.People, []string{"fetcher-2"}) {
			t.Fatalf("error %v", err)
		}
		if evidence.Folder(b.fetching).Has("bundle-1.json.fetcher-2.sig") {
			t.Error("the signature was written")
		}
	})
}

// TestMediumThatForgets: what a medium does not give back was not carried.
func TestMediumThatForgets(t *testing.T) {
	t.Parallel()
	for name, taken := range map[string]func(folder string) error{
		"altered": func(folder string) error {
			return os.WriteFile(filepath.Join(folder, "params-1-primary.json"), []byte("x"), 0o600)
		},
		"missing":              func(folder string) error { return os.Remove(filepath.Join(folder, "params-1-primary.json")) },
		"extra":                func(folder string) error { return os.WriteFile(filepath.Join(folder, "x"), nil, 0o600) },
		"without its manifest": func(folder string) error { return os.Remove(filepath.Join(folder, gap.ManifestFile)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := withKey(t)
				b.people.media = []string{quickFolder(t)}
				b.people.taken = func(folder string) {
					if err := taken(folder); err != nil {
						t.Error(err)
					}
				}
				f := b.fetcher(t)
				err := f.Perform(t.Context(), b.people, fetching)
				if _, ok := errors.AsType[*gap.MediumError](err); !ok && !errors.Is(err, os.ErrNotExist) {
					t.Errorf("error %v", err)
				}
				if len(f.Agenda().Here) == 0 {
					t.Error("the machine takes it for carried")
				}
			})
		})
	}
}
