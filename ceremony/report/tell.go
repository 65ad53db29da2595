// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/transcript"
)

// told is an event in words.
type told struct {
	name        string
	text        string
	exceptional bool // it should not have happened
	mark        mark
	files       []transcript.File
}

// A mark is how an event looks in the timeline.
type mark string

// The marks differ in shape: none is told by its colour alone.
const (
	dot      mark = "circle"
	diamond  mark = "diamond" // a gate
	triangle mark = "triangle"
	square   mark = "square" // begin and end
)

// tell has the words for each type of event. Those without are shown with all
// their members, so that nothing in a record goes untold.
func tell(event transcript.Event) told {
	switch e := event.(type) {
	case transcript.Opened:
		text := fmt.Sprintf("record of %s, by the plan with the SHA-256 %s, with keymat %s", e.Ceremony, e.PlanSHA256, e.Tool.Version)
		if e.Rehearsal {
			text += "; a rehearsal"
		}
		return told{name: "opened", text: text, mark: square}
	case transcript.Confirmed:
		return told{name: "gate " + string(e.Gate), text: e.Text, mark: diamond}
	case transcript.Noted:
		return told{name: "noted", text: e.Text, mark: dot, files: e.Files}
	case transcript.Exception:
		return told{name: "exception", text: fmt.Sprintf("expected: %s; happened: %s; decided: %s", e.Expected, e.Happened, e.Decided), exceptional: true, mark: triangle}
	case transcript.Resumed:
		return told{name: "resumed", text: fmt.Sprintf("after %s cut off, %d bytes with the SHA-256 %s", count(e.TornLines, "line"), e.TornBytes, e.TornSHA256), exceptional: true, mark: triangle}
	case transcript.Closed:
		return told{name: "closed", text: "to be signed by " + strings.Join(e.Signers, ", "), mark: square}
	}
	return told{name: transcript.Name(event), text: members(event), mark: dot}
}

// members are those of an event in its JSON, by name.
func members(event transcript.Event) string {
	encoded, err := json.Marshal(event)
	if err != nil {
		return ""
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(encoded, &all) != nil {
		return string(encoded)
	}
	var texts []string
	for name, value := range all {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		texts = append(texts, name+": "+text)
	}
	slices.Sort(texts)
	return strings.Join(texts, "; ")
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
