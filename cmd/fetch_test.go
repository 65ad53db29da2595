// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/token"
)

// TestFetchFromZip packs import parameters as the AWS console does, today and
// before, and imports with what fetch makes of them.
func TestFetchFromZip(t *testing.T) {
	for _, names := range [][2]string{
		{token.PublicKeyFile, token.ImportTokenFile},
		{"wrappingKey_ID_0102030405", "importToken_ID_0102030405"},
	} {
		t.Run(names[0], func(t *testing.T) {
			bench := newCommandBench(t)
			bench.run(t, "generate --spec SYMMETRIC_DEFAULT --out DIR/k; create --spec SYMMETRIC_DEFAULT --alias alias/k; fetch alias/k --out DIR/own --raw-dir DIR")
			own := readParameters(t, filepath.Join(bench.dir, "own"))
			id := own.KeyARN[strings.LastIndex(own.KeyARN, "/")+1:]
			pack(t, filepath.Join(bench.dir, "z.zip"), map[string]string{
				token.PublicKeyFile:   strings.ReplaceAll(names[0], "ID", id),
				token.ImportTokenFile: strings.ReplaceAll(names[1], "ID", id),
			})

			bench.run(t, "fetch alias/k --from-zip DIR/z.zip --algorithm RSAES_OAEP_SHA_256 --out DIR/p")
			got := readParameters(t, filepath.Join(bench.dir, "p"))
			if left := time.Until(got.ValidTo); left < 23*time.Hour || left > 24*time.Hour {
				t.Errorf("taken to be valid for %s, want 24 hours from when the file was written", left)
			}
			got.ValidTo = own.ValidTo
			if got.KeyARN != own.KeyARN || string(got.ImportToken) != string(own.ImportToken) || string(got.PublicKey) != string(own.PublicKey) {
				t.Errorf("got %+v, want %+v", got, own)
			}
			bench.run(t, "wrap --material DIR/k --params DIR/p --out DIR/w; import --wrapped DIR/w --never-expires; confirm alias/k --material DIR/k --reimport")
		})
	}
}

func readParameters(t *testing.T, name string) *token.Parameters {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := token.ReadParameters(f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pack zips files of the archive's folder under other names.
func pack(t *testing.T, archive string, names map[string]string) {
	t.Helper()
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for file, name := range names {
		content, err := os.ReadFile(filepath.Join(filepath.Dir(archive), file))
		if err != nil {
			t.Fatal(err)
		}
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}
