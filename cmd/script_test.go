// SPDX-License-Identifier: Apache-2.0

package cmd_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/keymat/keymat/ceremony/plan/plantest"
	"github.com/keymat/keymat/ceremonycmd"
	"github.com/keymat/keymat/cmd"
	"github.com/keymat/keymat/internal/stack/stacktest"
	"github.com/keymat/keymat/mockkms"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"keymat":         func() { os.Exit(cmd.Main()) },
		"keymat-offline": func() { os.Exit(ceremonycmd.Main()) },

		"age-plugin-shift": shiftPlugin,
		"chromium":         printPage,
	})
}

// TestScripts runs what a user could type. Each script has a mock of its own,
// served over HTTP to the real binary, which has no hook for tests.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"kms-calls": kmsCalls,
			"fault":     fault,
			"replace":   replace,
			"encrypt":   encrypt,
			"stack-end": stackEnd,
			"hold":      hold,
			"await":     await,
			"drop":      drop,

			"certificate": certificate,
			"plan-keys":   planKeys,
		},
	})
}

// rotationTime is how long rotations and replications take in these tests.
const rotationTime = time.Second / 5

// stockedMock is what keymat mock serve left in its state file when it had made
// all wrapping keys ahead, and was asked for nothing. A test that does not care how
// its mock comes by them begins with a copy: making one takes the better part of a
// second.
var stockedMock = filepath.Join("testdata", "stocked.db")

type mockKey struct{}

// served is the mock of one script, and how many of its calls were looked at.
type served struct {
	kms    *mockkms.KMS
	seen   int
	holds  *holds
	stacks *stacktest.Service
}

func setUp(env *testscript.Env) error {
	kms := mockkms.New(mockkms.WithSharedWrappingKeys(), mockkms.WithRotationTime(rotationTime), mockkms.WithReplicationTime(rotationTime))
	s := &served{kms: kms, holds: newHolds(), stacks: new(stacktest.Service)}
	server := httptest.NewServer(s.holds.before(kms.Server()))
	env.Defer(server.Close)
	plain := httptest.NewServer(s.holds.before(kms)) // without control, as AWS is
	env.Defer(plain.Close)
	env.Defer(s.holds.dropAll)
	env.Setenv("PLAIN_KMS", plain.URL)
	stacks := httptest.NewServer(s.stacks)
	env.Defer(stacks.Close)
	env.Setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", stacks.URL)
	env.Values[mockKey{}] = s
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("KEYMAT_MOCK_STATE", filepath.Join(env.WorkDir, "mock.db"))
	stocked, err := filepath.Abs(stockedMock)
	if err != nil {
		return err
	}
	env.Setenv("STOCKED_MOCK", stocked)
	env.Setenv("AWS_ENDPOINT_URL_KMS", server.URL)
	env.Setenv("AWS_REGION", "eu-central-1")
	env.Setenv("AWS_ACCESS_KEY_ID", "mock")
	env.Setenv("AWS_SECRET_ACCESS_KEY", "mock")
	env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	env.Setenv("GORACE", "atexit_sleep_ms=0") // or each command takes a second more under the race detector
	return nil
}

// exits N CMD ARGS… demands exactly that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N command args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(interface{ ExitCode() int })
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// kms-calls OPERATION… demands that exactly these calls arrived since the last
// time, in this order, or with -some-order, where several are under way at once,
// in any; kms-calls -ignore only looks. The same call several times in a row
// counts once: the SDK repeats one by itself when an answer breaks off.
func kmsCalls(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(mockKey{}).(*served)
	all := s.kms.Calls()
	got := all[s.seen:]
	s.seen = len(all)
	if slices.Equal(args, []string{"-ignore"}) {
		return
	}
	if len(args) > 0 && args[0] == "-some-order" {
		args = args[1:]
		slices.Sort(args)
		got = slices.Sorted(slices.Values(got))
	}
	if slices.Equal(slices.Compact(slices.Clone(got)), args) == neg {
		ts.Fatalf("calls: %s", strings.Join(got, " "))
	}
}

// fault OPERATION KIND makes the next call of the operation fail.
func fault(ts *testscript.TestScript, neg bool, args []string) {
	kinds := map[string]mockkms.FaultKind{
		"throttle":    mockkms.FaultThrottle,
		"internal":    mockkms.FaultInternal,
		"deny":        mockkms.FaultDenied,
		"drop-before": mockkms.FaultDropBefore,
		"drop-after":  mockkms.FaultDropAfter,
	}
	kind, known := kinds[args[1]]
	if neg || len(args) != 2 || !known {
		ts.Fatalf("usage: fault operation kind")
	}
	s := ts.Value(mockKey{}).(*served)
	s.kms.Inject(mockkms.Fault{Operation: args[0], Kind: kind})
}

// encrypt KEY FILE makes a ciphertext as an application of KMS does.
func encrypt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: encrypt key file")
	}
	client := kms.New(kms.Options{
		Region:      "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("mock", "mock", ""),
		HTTPClient:  &http.Client{Transport: mockkms.Transport(ts.Value(mockKey{}).(*served).kms)},
	})
	out, err := client.Encrypt(context.Background(), &kms.EncryptInput{KeyId: &args[0], Plaintext: []byte("text")})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.CiphertextBlob, 0o600))
}

// certificate CERT KEY makes a certificate of its own for 127.0.0.1.
func certificate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: certificate cert key")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	for i, block := range []*pem.Block{{Type: "CERTIFICATE", Bytes: cert}, {Type: "PRIVATE KEY", Bytes: private}} {
		ts.Check(os.WriteFile(ts.MkAbs(args[i]), pem.EncodeToMemory(block), 0o600))
	}
}

// stack-end STATUS makes the stacks that are changed from now on end so.
func stackEnd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: stack-end status")
	}
	ts.Value(mockKey{}).(*served).stacks.SetEnd(args[0])
}

// plan-keys PLAN makes an ssh key for each person of a draft and fills them in:
// the key of lead is in the file lead.key.
func planKeys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: plan-keys plan")
	}
	ts.Check(plantest.FillKeys(ts.MkAbs(args[0]), ts.MkAbs(".")))
}

// replace FILE OLD NEW changes text in a file.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace file old new")
	}
	before := ts.ReadFile(args[0])
	after := strings.ReplaceAll(before, args[1], args[2])
	if after == before {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(after), 0o644))
}
