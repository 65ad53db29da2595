// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/token"
)

// busy is how often KMS refuses: as often as the SDK tries by itself.
const busy = 3

// throttled makes KMS too busy to import.
func throttled(s *stage) *disturbance {
	return faulty(s, mockkms.Fault{Operation: "ImportKeyMaterial", Kind: mockkms.FaultThrottle, Times: busy})
}

// connectionLost breaks the connection once the material is in KMS.
func connectionLost(s *stage) *disturbance {
	return faulty(s, mockkms.Fault{Operation: "ImportKeyMaterial", Kind: mockkms.FaultDropAfter})
}

// faulty has a fault strike before the first import.
func faulty(s *stage, f mockkms.Fault) *disturbance {
	const struck = "the fault has struck"
	d := &disturbance{}
	d.owe(struck)
	injected := false
	d.before = func(t phase.Task) error {
		if t.Step == phase.Submit && !injected {
			injected = true
			s.world.mock.Inject(f)
		}
		return nil
	}
	d.after = func(t phase.Task) error {
		if t.Step == phase.Submit && len(s.world.mock.Faults()) == 0 {
			d.met(struck)
		}
		return nil
	}
	return d
}

// substitution puts another wrapping key in the place of KMS's, where it is fetched.
// Nobody who reads digests aloud can notice: the bundle is whole.
func substitution(*stage) *disturbance {
	d := &disturbance{incident: true}
	d.fetching = func(s online.Service) online.Service {
		honest := s.In
		s.In = func(ctx context.Context, region string) (online.KMS, error) {
			client, err := honest(ctx, region)
			return substitute{client}, err
		}
		return s
	}
	d.failed = func(t phase.Task, err error) bool {
		refused, ok := errors.AsType[*online.RefusedError](err)
		return ok && refused.Remedy == transcript.Incident
	}
	d.check = func(s *stage, state *phase.State) (bad []string) {
		for _, t := range state.Targets() {
			if t.MaterialID != "" || t.Method != "" {
				bad = append(bad, t.ID+" has material in spite of the incident")
			}
		}
		return bad
	}
	return d
}

// substitute is a KMS between which and the fetchers somebody sits.
type substitute struct{ online.KMS }

// GetParametersForImport answers with a wrapping key of the attacker's.
func (s substitute) GetParametersForImport(ctx context.Context, in *kms.GetParametersForImportInput, o ...func(*kms.Options)) (*kms.GetParametersForImportOutput, error) {
	out, err := s.KMS.GetParametersForImport(ctx, in, o...)
	if err != nil {
		return nil, err
	}
	bits := map[types.WrappingKeySpec]int{types.WrappingKeySpecRsa2048: 2048, types.WrappingKeySpecRsa3072: 3072, types.WrappingKeySpecRsa4096: 4096}
	key, err := rsa.GenerateKey(rand.Reader, bits[in.WrappingKeySpec])
	if err != nil {
		return nil, err
	}
	out.PublicKey, err = x509.MarshalPKIXPublicKey(&key.PublicKey)
	return out, err
}

// rehearsalToAWS tries in the end to get what was made into something else than
// the mock.
func rehearsalToAWS(*stage) *disturbance {
	return &disturbance{check: func(s *stage, _ *phase.State) (bad []string) {
		for name, service := range map[string]online.Service{
			"AWS":                       {In: noConnection},
			"an endpoint on the way":    {Endpoint: "https://kms.example.org", In: noConnection},
			"a mock of another machine": {Endpoint: "http://192.0.2.1:8080", Mock: true, In: noConnection},
			"what is no mock":           {Endpoint: "http://127.0.0.1:8080", In: noConnection},
		} {
			_, err := online.OpenFetcher(string(s.folder(transcript.FetchMachine)), s.world.now, service)
			bad = append(bad, unless[*online.ServiceError](err, "a fetcher talks to "+name)...)
			_, err = online.Open(string(s.folder(transcript.ImportMachine)), nil, s.world.now, s.tool, service)
			bad = append(bad, unless[*online.ServiceError](err, "an importer talks to "+name)...)
		}
		return append(bad, s.legible()...)
	}}
}

func noConnection(context.Context, string) (online.KMS, error) {
	return nil, errors.New("nobody should have asked for a connection")
}

// unless is empty if an error is of a type, and else says what happened.
func unless[E error](err error, otherwise string) []string {
	if _, ok := errors.AsType[E](err); ok {
		return nil
	}
	return []string{fmt.Sprintf("%s: error %v", otherwise, err)}
}

// legible are the files that a program which knows nothing of rehearsals would take
// for real.
func (s *stage) legible() (bad []string) {
	f := s.folder(transcript.ImportMachine)
	numbers, err := f.Packages()
	if err != nil || len(numbers) == 0 {
		return []string{fmt.Sprintf("there is no package: error %v", err)}
	}
	for _, n := range numbers {
		pack, _, err := f.Package(n)
		if err != nil {
			bad = append(bad, err.Error())
			continue
		}
		bad = append(bad, unless[*gap.RehearsalError](pack.CheckReal(), evidence.PackageFile(n)+" passes for real")...)
		for _, w := range pack.Wrapped {
			content, err := f.Read(w.File.Name, gap.MaxArtefact)
			if err == nil {
				_, err = token.ReadWrapped(strings.NewReader(string(content)))
			}
			if err == nil {
				bad = append(bad, w.File.Name+" reads as real")
			}
		}
	}
	return bad
}
