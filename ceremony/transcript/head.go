// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/keymat/keymat/ceremony/chain"
)

// Namespace is that of signatures over a head.
const Namespace = "keymat-transcript@v1"

// HeadKind is the "kind" of a head.
const HeadKind = "keymat/head"

// MaxHead is the largest head in bytes that [ReadHead] looks at.
const MaxHead = 1 << 10

// A Head stands for a whole record.
type Head struct {
	Ceremony string // ID
	Lines    int
	SHA256   Digest // of the last line, without its newline
}

type headFile struct {
	Kind     string `json:"kind"`
	Version  int    `json:"version"`
	Ceremony string `json:"ceremony"`
	Lines    int    `json:"lines"`
	Head     Digest `json:"head"`
}

// Statement is the file that is signed: one line of JSON.
func (h Head) Statement() ([]byte, error) {
	statement, err := chain.JSON(headFile{HeadKind, version, h.Ceremony, h.Lines, h.SHA256})
	return append(statement, '\n'), err
}

// ReadHead reads what [Head.Statement] gave, and nothing else.
func ReadHead(statement []byte) (Head, error) {
	var f headFile
	if len(statement) > MaxHead {
		return Head{}, fmt.Errorf("%s: larger than %d bytes", HeadKind, MaxHead)
	}
	if err := json.Unmarshal(statement, &f); err != nil || f.Kind != HeadKind || f.Version != version {
		return Head{}, fmt.Errorf("not a %s of version %d", HeadKind, version)
	}
	h := Head{f.Ceremony, f.Lines, f.Head}
	if again, err := h.Statement(); err != nil || !bytes.Equal(again, statement) {
		return Head{}, fmt.Errorf("%s: not written as one is", HeadKind)
	}
	return h, nil
}

// CheckHead holds a signed head against the record, and says what differs.
func (t *Transcript) CheckHead(h Head) []Fault {
	is := t.Head()
	switch {
	case h.Ceremony != is.Ceremony:
		return []Fault{{What: fmt.Sprintf("what was signed is of the ceremony %q, this record is of %q", h.Ceremony, is.Ceremony)}}
	case h.Lines != is.Lines:
		return []Fault{{What: fmt.Sprintf("what was signed has %d lines, this record has %d", h.Lines, is.Lines)}}
	case h.SHA256 != is.SHA256:
		return []Fault{{Line: is.Lines, What: "it is not the last line that was signed"}}
	}
	return nil
}
