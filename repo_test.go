// SPDX-License-Identifier: Apache-2.0

// Package keymat_test holds the repository to its own rules.
package keymat_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/keymat/keymat"

// layers says for each package which others of the module it may import. It is
// the picture of the design: what stands lower never knows what stands above
// it, and the mock, the judge, knows nothing of the toolkit. Tests may import
// what they like.
var layers = map[string][]string{
	"cmd/keymat": {"cmd"},
	"cmd": {
		"rules", "lab", "audit", "audit/trail", "inventory", "importer", "token", "wrap", "escrow", "escrow/shamir", "escrow/slip39", "material", "material/entropy", "mockkms",
		"ceremonycmd", "ceremony/gap", "ceremony/online", "ceremony/plan", "ceremony/rehearsal", "ceremony/transcript", "fleet", "fleet/journal", "fleet/manifest",
		"internal/awsclient", "internal/card", "internal/cli", "internal/entry", "internal/experiment", "internal/files", "internal/lazyregexp", "internal/ledger",
		"internal/pace",
		"internal/page", "internal/shelf", "internal/stack", "internal/term",
	},
	"cmd/keymat-offline": {"ceremonycmd"},
	"ceremonycmd": {
		"ceremony/console", "ceremony/evidence", "ceremony/gap", "ceremony/offline", "ceremony/phase", "ceremony/plan", "ceremony/preflight",
		"ceremony/record", "ceremony/register", "ceremony/register/disk", "ceremony/report", "ceremony/room", "ceremony/transcript", "escrow", "material",
		"internal/browser", "internal/card", "internal/cli", "internal/entry", "internal/files", "internal/lockdown", "internal/sshsig", "internal/term",
	},
	"ceremony/console": {
		"ceremony/room", "ceremony/plan", "ceremony/phase", "ceremony/transcript", "escrow", "material", "material/entropy",
		"internal/card", "internal/entry", "internal/files", "internal/spoken", "internal/sshsig", "internal/term",
	},
	"ceremony/console/consoletest": {"internal/card", "internal/term/termtest"},
	"ceremony/report": {
		"ceremony/evidence", "ceremony/phase", "ceremony/gap", "ceremony/plan", "ceremony/transcript",
		"audit", "escrow", "token", "material", "material/entropy", "internal/page", "internal/spoken",
	},
	"ceremony/evidence": {"ceremony/plan", "ceremony/transcript", "ceremony/record", "ceremony/phase", "ceremony/gap", "escrow", "token", "internal/files", "internal/sshsig"},
	"ceremony/online": {
		"ceremony/evidence", "ceremony/room", "ceremony/phase", "ceremony/gap", "ceremony/plan", "ceremony/transcript", "ceremony/record", "importer", "token",
		"material", "internal/files",
	},
	"ceremony/room": {"ceremony/plan", "ceremony/phase", "escrow", "material", "material/entropy"},
	"ceremony/rehearsal": {
		"ceremony/offline", "ceremony/online", "ceremony/evidence", "ceremony/room", "ceremony/phase", "ceremony/gap", "ceremony/plan", "ceremony/transcript",
		"importer", "token", "escrow", "material", "material/entropy", "mockkms", "internal/awsclient", "internal/files", "internal/spoken", "internal/sshsig",
	},
	"ceremony/offline": {
		"ceremony/evidence", "ceremony/room", "ceremony/phase", "ceremony/gap", "ceremony/plan", "ceremony/transcript", "ceremony/record",
		"escrow", "material", "material/entropy", "wrap", "token", "internal/files", "internal/sshsig",
	},
	"ceremony/intoken":    {"ceremony/offline", "ceremony/transcript", "hsm", "token", "wrap", "material"},
	"ceremony/record":     {"ceremony/transcript", "internal/files"},
	"ceremony/phase":      {"ceremony/transcript", "ceremony/plan", "escrow", "material"},
	"ceremony/gap":        {"ceremony/plan", "token", "wrap", "escrow", "material", "internal/lazyregexp", "internal/spoken"},
	"ceremony/transcript": {"ceremony/chain", "ceremony/plan", "material"},
	"ceremony/plan":       {"escrow", "wrap", "material", "internal/lazyregexp", "internal/sshsig"},

	"ceremony/evidence/evidencetest": {"ceremony/evidence", "ceremony/plan", "ceremony/transcript", "ceremony/gap", "escrow", "token", "material", "internal/sshsig"},

	"rules":       {"importer", "token", "wrap", "material", "internal/experiment"},
	"lab":         {"importer", "token", "wrap", "material", "internal/experiment", "internal/page"},
	"fleet":       {"fleet/journal", "fleet/manifest", "escrow", "importer", "inventory", "token", "wrap", "material", "internal/pace", "internal/lazyregexp"},
	"audit":       {},
	"audit/trail": {"audit"},
	"inventory":   {"importer", "material"},
	"importer":    {"token", "wrap", "material"},
	"token":       {"wrap", "material"},
	"wrap":        {"material"},
	"material":    {},

	"material/entropy": {"material", "internal/lazyregexp"},

	"ceremony/preflight": {},

	"ceremony/chain":         {"escrow/slip39"},
	"ceremony/register":      {"ceremony/chain", "ceremony/phase", "ceremony/plan", "ceremony/transcript", "escrow", "material"},
	"ceremony/register/disk": {"ceremony/chain", "ceremony/register", "internal/files"},

	"ceremony/plan/plantest": {},

	"cmd/keymat-hsm": {"hsmcmd", "hsm/cryptoki"},
	"hsmcmd": {
		"hsm", "token", "wrap", "material", "internal/cli", "internal/files", "internal/term",
		"ceremonycmd", "ceremony/intoken", "ceremony/offline",
	},
	"hsm":          {"wrap", "material"},
	"hsm/cryptoki": {"hsm"},

	"escrow":                 {"material", "escrow/slip39", "escrow/shamir"},
	"escrow/slip39":          {"material", "escrow/internal/gf256", "escrow/internal/subset"},
	"escrow/shamir":          {"material", "escrow/internal/gf256", "escrow/internal/subset"},
	"escrow/internal/gf256":  {},
	"escrow/internal/subset": {},

	"fleet/manifest": {"importer", "wrap", "material", "internal/lazyregexp"},

	"mockkms":                 {"mockkms/internal/hsm", "mockkms/internal/policy"},
	"mockkms/internal/hsm":    {},
	"mockkms/internal/policy": {},

	"fleet/journal": {},

	"internal/awsclient":     {},
	"internal/browser":       {"internal/files"},
	"internal/cli":           {"internal/files", "internal/spoken", "internal/term"},
	"internal/entry":         {"escrow", "escrow/slip39", "material", "material/entropy", "internal/term"},
	"internal/experiment":    {"importer", "token", "wrap", "material"},
	"internal/files":         {},
	"internal/lazyregexp":    {},
	"internal/ledger":        {},
	"internal/lockdown":      {},
	"internal/pace":          {},
	"internal/card":          {"escrow", "internal/page", "internal/lazyregexp"},
	"internal/page":          {},
	"internal/shelf":         {"escrow", "internal/files"},
	"internal/spoken":        {},
	"internal/sshsig":        {},
	"internal/stack":         {},
	"internal/term":          {},
	"internal/term/termtest": {},
	"internal/transcript":    {},

	"internal/stack/stacktest": {},

	"docs":        {},
	"docs/gen":    {"ceremonycmd", "cmd", "hsmcmd"},
	"integration": {},

	"internal/bench":           {"escrow", "wrap", "material"},
	"internal/bench/hello":     {},
	"internal/bench/hellohttp": {},
	"internal/bench/hellosdk":  {},
	"internal/bench/least":     {},
}

// libraries says which modules of others the packages that handle key material
// may import, for each is trusted with it: paths, or beginnings of paths. A
// package without a row may import any.
var libraries = map[string][]string{
	"material": {"golang.org/x/crypto/", "github.com/decred/dcrd/dcrec/secp256k1/v4"},
	"wrap":     {"github.com/tink-crypto/tink-go/v2/kwp/subtle"},
	"token":    {},

	"material/entropy": {},

	"audit": {},

	"ceremony/preflight": {"golang.org/x/sys/"},

	// Of the library for PKCS #11, hsm has the standard's numbers only, which need no C compiler.
	"hsm":          {"github.com/miekg/pkcs11", "github.com/tink-crypto/tink-go/v2/kwp/subtle", "golang.org/x/crypto/cryptobyte"},
	"hsm/cryptoki": {"github.com/miekg/pkcs11"},

	"lab": {"github.com/aws/aws-sdk-go-v2/", "github.com/aws/smithy-go", "golang.org/x/crypto/ssh"},

	"escrow":                 {"filippo.io/age"},
	"escrow/slip39":          {},
	"escrow/shamir":          {},
	"escrow/internal/gf256":  {},
	"escrow/internal/subset": {},

	"mockkms": {"go.etcd.io/bbolt", "github.com/tidwall/btree", "golang.org/x/sys/"},
	"mockkms/internal/hsm": {"github.com/tink-crypto/tink-go/v2/kwp/subtle", "github.com/decred/dcrd/dcrec/secp256k1/v4",
		"filippo.io/mldsa", "github.com/cloudflare/circl/kem/mlkem/mlkem512"},
	"mockkms/internal/policy": {},

	"fleet/manifest": {"github.com/goccy/go-yaml", "github.com/agnivade/levenshtein", "github.com/aws/aws-sdk-go-v2/service/kms/types"},

	"internal/browser":  {},
	"internal/entry":    {},
	"internal/card":     {"rsc.io/qr", "codeberg.org/go-pdf/fpdf"},
	"internal/files":    {"golang.org/x/sys/"},
	"internal/lockdown": {"golang.org/x/sys/"},
	"internal/term":     {"golang.org/x/sys/", "golang.org/x/term"},
	"internal/ledger":   {"github.com/gofrs/flock"},
	"internal/spoken":   {},
	"internal/sshsig":   {"github.com/hiddeco/sshsig", "golang.org/x/crypto/ssh"},

	"ceremonycmd": {"filippo.io/age", "github.com/spf13/cobra", "golang.org/x/crypto/ssh"},

	"ceremony/chain":      {},
	"ceremony/rehearsal":  {"github.com/aws/aws-sdk-go-v2/", "github.com/goccy/go-yaml", "filippo.io/age", "golang.org/x/crypto/ssh"},
	"ceremony/transcript": {},
	"ceremony/phase":      {},
	"ceremony/gap":        {},
	"ceremony/report":     {"golang.org/x/crypto/ssh"},
	"ceremony/evidence":   {},
	"ceremony/online":     {"github.com/aws/aws-sdk-go-v2/", "github.com/aws/smithy-go"},
	"ceremony/room":       {},
	"ceremony/console":    {"golang.org/x/crypto/ssh", "golang.org/x/sys/"},
	"ceremony/offline":    {"github.com/tink-crypto/tink-go/v2/kwp/subtle", "golang.org/x/crypto/ssh"},
	"ceremony/intoken":    {},
	"ceremony/record":     {"github.com/gofrs/flock"},
	"ceremony/plan":       {"github.com/goccy/go-yaml", "github.com/agnivade/levenshtein", "golang.org/x/crypto/ssh"},

	"ceremony/register":      {},
	"ceremony/register/disk": {"github.com/gofrs/flock"},

	"fleet/journal": {"github.com/gofrs/flock"},
}

// pure packages do no input or output but what their callers hand them.
var pure = []string{
	"material", "material/entropy", "wrap", "token", "hsm", "fleet/manifest", "mockkms/internal/hsm", "mockkms/internal/policy",
	"escrow", "escrow/slip39", "escrow/shamir", "escrow/internal/gf256", "escrow/internal/subset",
	"internal/spoken", "internal/sshsig", "ceremony/plan", "ceremony/chain", "ceremony/register", "ceremony/transcript", "ceremony/phase", "ceremony/gap", "ceremony/report", "ceremony/room",
}

// outside is the part of the standard library that reaches the machine.
var outside = []string{"log", "net", "net/http", "os", "os/exec", "syscall"}

func TestImports(t *testing.T) {
	packages := list(t)
	for name := range layers {
		if _, ok := packages[name]; !ok {
			t.Errorf("the table has a row for %s, which does not exist", name)
		}
	}
	for name, imports := range packages {
		allowed, ok := layers[name]
		if !ok {
			t.Errorf("package %s has no row in the table", name)
			continue
		}
		for _, path := range imports {
			if err := checkImport(name, path, allowed); err != nil {
				t.Error(err)
			}
		}
	}
}

// checkImport holds one import of the package name against the tables.
func checkImport(name, path string, allowed []string) error {
	if own, ok := strings.CutPrefix(path, module+"/"); ok {
		if !slices.Contains(allowed, own) {
			return fmt.Errorf("%s imports %s", name, own)
		}
		return nil
	}
	if root, _, _ := strings.Cut(path, "/"); !strings.Contains(root, ".") { // standard library
		if slices.Contains(pure, name) && slices.Contains(outside, path) {
			return fmt.Errorf("%s imports %s, but is pure", name, path)
		}
		return nil
	}
	trusted, limited := libraries[name]
	if limited && !slices.ContainsFunc(trusted, func(prefix string) bool { return strings.HasPrefix(path, prefix) }) {
		return fmt.Errorf("%s imports %s", name, path)
	}
	return nil
}

// without says what the binaries must not have in them, anywhere below: keymat runs on every machine, and no code of a
// token's maker runs in it; keymat-hsm and keymat-offline run where there is no network, and have none.
var without = map[string][]string{
	"cmd/keymat":     {"github.com/miekg/pkcs11"},
	"cmd/keymat-hsm": {"net/http", "github.com/aws/", module + "/mockkms", module + "/importer"},
	"cmd/keymat-offline": {
		"net/", "crypto/tls", "log/syslog", "golang.org/x/net/", "github.com/aws/", "github.com/miekg/pkcs11",
		module + "/cmd", module + "/mockkms", module + "/importer", module + "/internal/awsclient",
	},
}

// harmless packages of net/ hold no code that talks to anybody.
var harmless = []string{"net/netip", "net/url"}

// netInOffline are the packages of keymat-offline that import net, and what they want of it.
var netInOffline = map[string]string{
	"crypto/x509":                   "IP addresses in certificates",
	"github.com/spf13/pflag":        "flags that hold IP addresses",
	"golang.org/x/crypto/ssh":       "addresses, for protocols of which only the keys are used",
	"golang.org/x/crypto/ssh/agent": "the same",
	module + "/ceremonycmd":         "the socket of the ssh-agent",
}

func TestBinaries(t *testing.T) {
	for binary, unwanted := range without {
		for _, path := range strings.Fields(string(goList(t, "-deps", "./"+binary))) {
			if path == module+"/"+binary || slices.Contains(harmless, path) {
				continue
			}
			if slices.ContainsFunc(unwanted, func(prefix string) bool { return strings.HasPrefix(path, prefix) }) {
				t.Errorf("%s has %s in it", binary, path)
			}
		}
	}
}

// TestOfflineImportsOfNet: package net cannot be kept out of keymat-offline, but who brings it in is known.
func TestOfflineImportsOfNet(t *testing.T) {
	for name, imports := range imports(t, "-deps", "./cmd/keymat-offline") {
		if _, known := netInOffline[name]; known != slices.Contains(imports, "net") {
			t.Errorf("%s is in the table: %t; it imports net: %t", name, known, !known)
		}
	}
}

// reaching are the functions of package net that reach another machine, or wait for one. The linker leaves out what nobody
// calls: in a program that only ever dials a unix socket there are none.
var reaching = regexp.MustCompile(`^net\.(\(\*(Resolver|TCPConn|TCPListener|UDPConn|IPConn|sysListener)\)|\(\*sysDialer\)\.dial(Parallel|Serial|Single|TCP|MPTCP|UDP|IP)|Dial|Listen|[lL]ookup)`)

// TestOfflineReachesNobody looks at what is linked into keymat-offline.
func TestOfflineReachesNobody(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "keymat-offline")
	goTool(t, "build", "-trimpath", "-o", binary, "./cmd/keymat-offline") // what was compiled so serves every clone
	symbols := string(goTool(t, "tool", "nm", binary))
	if !strings.Contains(symbols, " net.(*sysDialer).dialUnix\n") {
		t.Fatal("the symbols do not show how it finds the ssh-agent: they cannot show what is missing either")
	}
	for line := range strings.Lines(symbols) {
		if _, name, isCode := strings.Cut(strings.TrimSpace(line), " T "); isCode && reaching.MatchString(name) {
			t.Errorf("keymat-offline has %s in it", name)
		}
	}
}

// goList asks as if there were a C compiler, so that the packages that need one are seen everywhere.
func goList(t *testing.T, args ...string) []byte {
	t.Helper()
	return run(t, "1", append([]string{"list"}, args...)...)
}

// goTool runs a command of go as for a release.
func goTool(t *testing.T, args ...string) []byte {
	t.Helper()
	return run(t, "0", args...)
}

func run(t *testing.T, cgo string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.Bytes())
	}
	return out
}

// list returns the imports of each package of the module, by its folder.
func list(t *testing.T) map[string][]string {
	t.Helper()
	packages := make(map[string][]string)
	for path, imports := range imports(t, "./...") {
		if path != module { // this test alone
			packages[strings.TrimPrefix(path, module+"/")] = imports
		}
	}
	return packages
}

// imports returns the imports of each package that go list shows.
func imports(t *testing.T, args ...string) map[string][]string {
	t.Helper()
	packages := make(map[string][]string)
	for decoder := json.NewDecoder(bytes.NewReader(goList(t, append([]string{"-json=ImportPath,Imports"}, args...)...))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p.Imports
	}
	return packages
}

const license = "// SPDX-License-Identifier: Apache-2.0\n\n"

func TestSources(t *testing.T) {
	for name, source := range files(t, ".go") {
		if !bytes.HasPrefix(source, []byte(license)) {
			t.Errorf("%s does not begin with %q", name, license)
		}
		if formatted, err := format.Source(source); err != nil {
			t.Error(err)
		} else if !bytes.Equal(formatted, source) {
			t.Errorf("%s: gofmt would change it", name)
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		if strings.HasSuffix(name, "_test.go") {
			for _, call := range skips(file) {
				t.Errorf("%s: a test that may skip itself", set.Position(call))
			}
			continue
		}
		for _, id := range undocumented(file) {
			t.Errorf("%s: %s has no doc comment", set.Position(id.Pos()), id.Name)
		}
	}
}

// skips returns where a test gives itself up.
func skips(file *ast.File) (calls []token.Pos) {
	testers := []string{"t", "b", "f", "tb"}
	methods := []string{"Skip", "Skipf", "SkipNow"}
	ast.Inspect(file, func(n ast.Node) bool {
		method, ok := n.(*ast.SelectorExpr)
		if !ok || !slices.Contains(methods, method.Sel.Name) {
			return true
		}
		if receiver, ok := method.X.(*ast.Ident); ok && slices.Contains(testers, receiver.Name) {
			calls = append(calls, method.Pos())
		}
		return true
	})
	return calls
}

// undocumented returns the exported identifiers of a file that nothing is said
// about: nothing before them, behind them, or before their group.
func undocumented(file *ast.File) (missing []*ast.Ident) {
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) && !selfEvident(d) {
				missing = append(missing, d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				missing = append(missing, undocumentedSpec(d, spec)...)
			}
		}
	}
	return missing
}

func undocumentedSpec(d *ast.GenDecl, spec ast.Spec) (missing []*ast.Ident) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
			missing = append(missing, s.Name)
		}
	case *ast.ValueSpec:
		for _, id := range s.Names {
			if id.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
				missing = append(missing, id)
			}
		}
	}
	return missing
}

// exportedReceiver reports whether a function belongs to no type or to one that
// can be seen from outside.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	receiver := d.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	id, ok := receiver.(*ast.Ident)
	return !ok || id.IsExported()
}

// selfEvident reports whether a method only makes its type an error: what
// there is to say, the type's own comment says.
func selfEvident(d *ast.FuncDecl) bool {
	return d.Recv != nil && slices.Contains([]string{"Error", "Unwrap"}, d.Name.Name)
}

func TestPackageComments(t *testing.T) {
	documented := make(map[string]bool)
	for name, source := range files(t, ".go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Error(err)
			continue
		}
		folder := filepath.Dir(name)
		documented[folder] = documented[folder] || file.Doc != nil
	}
	for folder, ok := range documented {
		if !ok {
			t.Errorf("package %s has no comment", folder)
		}
	}
}

// TestScriptsRun: what a script of the command line leaves out is not tested.
func TestScriptsRun(t *testing.T) {
	skip := regexp.MustCompile(`(?m)^(\[[^]]*\] *)*(skip|stop)\b`)
	for _, ext := range []string{".txtar", ".txt"} {
		for name, script := range files(t, ext) {
			if at := skip.FindIndex(script); at != nil {
				t.Errorf("%s:%d: a script that may skip itself", name, 1+bytes.Count(script[:at[0]], []byte("\n")))
			}
		}
	}
}

// files returns the files of the repository, hidden folders left out, whose
// names end in ext.
func files(t *testing.T, ext string) map[string][]byte {
	t.Helper()
	found := make(map[string][]byte)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != "." && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ext {
			return nil
		}
		found[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
