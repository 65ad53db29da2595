// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/transcript"
)

// A mark is how an event looks in the timeline.
type mark string

// The marks differ in shape: none is told by its colour alone.
const (
	dot      mark = "circle"
	diamond  mark = "diamond" // a gate
	triangle mark = "triangle"
	square   mark = "square" // begin and end
)

func markOf(event transcript.Event) mark {
	switch event.(type) {
	case transcript.Opened, transcript.Closed:
		return square
	case transcript.Confirmed:
		return diamond
	}
	if transcript.Tell(event).Exceptional {
		return triangle
	}
	return dot
}

// tell has an event in words. One without is shown with all its members, so that
// nothing in a record goes untold.
func tell(event transcript.Event) transcript.Told {
	told := transcript.Tell(event)
	if told.Text == "" && told.Name == transcript.Name(event) {
		told.Text = members(event)
	}
	return told
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
