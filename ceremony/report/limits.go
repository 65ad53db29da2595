// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"

	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/spoken"
)

// limits is what no reader may take the report for.
func limits(e *Evidence) section {
	s := section{ID: "limits", Title: "What this does not prove"}
	s.Blocks = append(s.Blocks, block{List: append([]string{
		"Who was in the room. Signatures show that the holders of keys signed these bytes; the keys are the plan's own, so compare their fingerprints with what is known from elsewhere.",
		"That what people typed is true: confirmations, notes and exceptions are their word.",
		"When it was. Times are those of the machine, which nobody vouches for; those of the wall clock are what a witness read.",
		"That the program was the published one: it says its own digest, and another program could say the same. Compare the digest of the medium it was started from.",
		"That the machine was offline, or that nobody watched. What was observed of it is observed by the machine itself.",
		"That nothing is left in memory or on media: a program cannot show what hardware keeps.",
		"Anything about the bits of the key. A record of randomness tells where they came from, in the words of the program that took them.",
		"That KMS holds this material for symmetric keys, beyond what KMS says: ciphertexts have no public format to try it with elsewhere.",
		"That a software token, such as SoftHSM, is a device: it is a program.",
		"What has happened to shares, copies and keys since.",
		"What a file says that the record does not name: anybody may have put it there.",
		"That a standard is met. That is for an assessor to say, who looks at far more than this.",
	}, tokenLimits(e)...)})
	s.say("This page is not evidence itself: it repeats what the folder holds, and nothing signs it. Keep the folder.")
	return s
}

// annex is how to check everything without keymat.
func annex(e *Evidence) section {
	s := section{ID: "annex", Title: "Annex: checking it without keymat"}
	s.say("It takes a shell, ssh-keygen, sed, awk, and sha256sum with the rest of coreutils. Save the script below as verify.sh, from this page or by keymat ceremony verify --shell, and run:")
	s.Blocks = append(s.Blocks, block{Code: &code{"commands", "sh verify.sh FOLDER\n"}})
	s.say("Each row of the table of files is checked with sha256sum in the folder. The digests that stand for everything, to be compared with what was written on paper:")
	t := table{Caption: "Digests, in hexadecimal and in words to be read aloud", Columns: []string{"Of", "SHA-256", "Words"}}
	add := func(of string, digest transcript.Digest) {
		t.add(plain(of), id(digest.String()), plain(strings.Join(spoken.Words(digest[:]), " ")))
	}
	add("the plan", e.Plan.Digest())
	for i, r := range e.Records {
		head := r.Transcript.Head()
		add(fmt.Sprintf("the last of %s of the %s", count(head.Lines, "line"), e.recordCalled(i+1)), head.SHA256)
		add("the program that wrote the "+e.recordCalled(i+1), r.Transcript.Opened.Tool.SHA256)
	}
	for _, a := range e.Artefacts {
		if len(a.Signers) > 0 { // the others are bound by those, or by lines
			add(a.What+" "+a.File.Name, a.File.SHA256)
		}
	}
	s.show(t, "")
	s.Blocks = append(s.Blocks, block{Code: &code{"verifier", transcript.Shell()}})
	terms := table{Caption: "All that the plan says", Columns: []string{"Member", "Value"}}
	for _, term := range e.Plan.Terms() {
		terms.add(id(term.Path), plain(term.Value))
	}
	s.show(terms, "")
	return s
}
