// SPDX-License-Identifier: Apache-2.0

package report

import "fmt"

// folder lists the files, and which of them the record vouches for.
func folder(e *Evidence) section {
	s := section{ID: "files", Title: "Files"}
	s.say("A file of a kind that is not known may hold a secret: its digest is left out unless the record has it already.")
	t := table{Caption: "Files of the folder, those below it left out", Columns: []string{"File", "What", "Bytes", "SHA-256", "Bound"}}
	for _, f := range e.Files {
		digest, bound := id(f.SHA256.String()), e.binding(f)
		if isStanding(f.Name) {
			bound = plain("verified")
			if len(e.Problems) > 0 {
				bound = unsure("see verification")
			}
		}
		same, _ := e.mentions(f)
		if f.What == "" && len(same) == 0 {
			digest = unsure("left out")
		}
		what := f.What
		if what == "" {
			what = "of no kind that is known here"
		}
		t.add(id(f.Name), plain(what), plain(fmt.Sprint(f.Size)), digest, bound)
	}
	s.show(t, "The folder is empty.")
	missing := table{Caption: "Files that the record names and the folder does not hold", Columns: []string{"File", "Bytes", "SHA-256"}}
	for _, named := range e.named() {
		if !e.holds(named.Name) {
			missing.add(id(named.Name).from([]ref{named.ref}), plain(fmt.Sprint(named.Size)), id(named.SHA256.String()))
		}
	}
	s.show(missing, "The folder holds every file that the record names.")
	return s
}

func (e *Evidence) holds(name string) bool {
	for _, f := range e.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}
