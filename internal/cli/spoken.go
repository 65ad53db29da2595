// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"

	"github.com/keymat/keymat/internal/spoken"
)

// A SpokenDigest is a digest as it is compared: on paper and aloud.
type SpokenDigest struct {
	SHA256 string   `json:"sha256"`
	Words  []string `json:"words"`

	lines []string
}

// Speak puts a digest into hexadecimal and words.
func Speak(digest [32]byte) SpokenDigest {
	return SpokenDigest{fmt.Sprintf("%x", digest), spoken.Words(digest[:]), spoken.Lines(digest[:])}
}

// Lines are the words with the bytes they stand for, as they are read aloud.
func (d SpokenDigest) Lines() []string { return d.lines }

// Text tells the digest for people.
func (d SpokenDigest) Text(w io.Writer) {
	fmt.Fprintf(w, "sha256  %s\n", d.SHA256)
	for _, line := range d.lines {
		fmt.Fprintf(w, "  %s\n", line)
	}
}
