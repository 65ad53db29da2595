// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"
)

// VersionCommand makes the command version of a program.
func VersionCommand(r *Run) *cobra.Command {
	var hash bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version, and which cryptographic module is in use",
		Long: `Print the version of this program, of Go, and of the Go Cryptographic Module,
and whether FIPS 140 mode is on or enforced. These are observations about this
process; they are no statement of validation.

With --hash it prints the SHA-256 digest of its own file, too, also in words: to
be read aloud before a ceremony, and compared with what was published.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return r.version(hash) },
	}
	c.Flags().BoolVar(&hash, "hash", false, "print the digest of the program's file as well")
	return c
}

func (r *Run) version(hash bool) error {
	v := versionOf{Version: ThisVersion(), program: r.Name}
	if hash {
		sum, err := HashSelf()
		if err != nil {
			return err
		}
		spoken := Speak(sum)
		v.File = &spoken
	}
	return r.Print(v, v.text)
}

// versionOf is a version, with the digest of the program's file if that was asked for.
type versionOf struct {
	Version
	File *SpokenDigest `json:"file,omitempty"`

	program string
}

func (v versionOf) text(w io.Writer) {
	v.Text(w, v.program)
	if v.File != nil {
		v.File.Text(w)
	}
}

// HashSelf is the SHA-256 of the file that this process runs.
func HashSelf() (sum [sha256.Size]byte, err error) {
	name, err := executable()
	if err != nil {
		return sum, fmt.Errorf("looking for this program's file: %w", err)
	}
	f, err := os.Open(name)
	if err != nil {
		return sum, fmt.Errorf("reading this program's file: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, fmt.Errorf("reading this program's file: %w", err)
	}
	h.Sum(sum[:0])
	return sum, nil
}

// executable leads to the file that this process runs. On Linux the kernel has it even when another has taken its name.
func executable() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}
