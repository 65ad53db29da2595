// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

var svg = regexp.MustCompile(`(?s)<svg .*?</svg>`)

func TestTimeline(t *testing.T) {
	e := newEvidence(t, title, doing{confirm(plan.GateIdentity), "operator-1 witness"}, doing{transcript.Exception{}, "lead"}, doing{transcript.Noted{Text: "x"}, ""})
	pictures := svg.FindAllString(write(t, e), -1)
	if len(pictures) != 1 {
		t.Fatalf("%d pictures", len(pictures))
	}
	picture := pictures[0]
	wants(t, picture, `role="img" aria-labelledby="timeline-1-title timeline-1-desc"`, "<title id=\"timeline-1-title\">Timeline, lines 1 to 5</title>",
		"5 events by 4 actors, from 2026-12-01 09:01:00 UTC to 2026-12-01 09:05:00 UTC", ">(the machine)</text>", ">12-01 09:01</text>", ">12-01 09:05</text>")
	for shape, want := range map[string]int{"M0-8 8 0 0 8-8 0z": 2, "M0-8 8 7H-8z": 1, "<circle ": 1, "M-6-6H6V6H-6z": 2, `style="fill: var(--bad)"`: 1, ">12-01 ": 2} {
		if got := strings.Count(picture, shape); got != want {
			t.Errorf("%s comes %d times, want %d", shape, got, want)
		}
	}
}

// TestTimelineParts: 24 lines make a picture, one more makes two.
func TestTimelineParts(t *testing.T) {
	for events, want := range map[int]int{22: 1, 23: 2} {
		e := newEvidence(t, title)
		for range events {
			e.Records[0].Transcript.Entries = append(entries(e), entries(e)[0])
		}
		if got := len(svg.FindAllString(write(t, e), -1)); got != want {
			t.Errorf("%d lines: %d pictures, want %d", events+2, got, want)
		}
	}
}

// TestTimelineNames: a name of 25 characters fits, a longer one is cut.
func TestTimelineNames(t *testing.T) {
	for name, want := range map[string]string{
		strings.Repeat("ö", 25): strings.Repeat("ö", 25), strings.Repeat("ö", 26): strings.Repeat("ö", 24) + "…",
	} {
		e := newEvidence(t, title, doing{transcript.Noted{Text: "x"}, name})
		wants(t, svg.FindString(write(t, e)), ">"+want+"</text>")
	}
}
