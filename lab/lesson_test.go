// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"strings"
	"testing"

	"github.com/keymat/keymat/lab"
)

// readingSpeed is how many words of such a text one reads in a minute.
const readingSpeed = 150

func TestLessons(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range lab.Lessons() {
		if seen[l.Name] || l.Title == "" || len(l.Learn) < 2 || l.Keys < 1 || len(l.Steps) < 5 {
			t.Errorf("lesson %q is incomplete, or there twice", l.Name)
		}
		seen[l.Name] = true
		questions, words := 0, 0
		for _, s := range l.Steps {
			words += len(strings.Fields(s.Text + " " + s.Then))
			if s.Do == nil || s.Title == "" || s.Text == "" {
				t.Errorf("lesson %s: step %q is incomplete", l.Name, s.Title)
			}
			if q := s.Ask; q != nil {
				questions++
				words += len(strings.Fields(q.Text + " " + q.Why + " " + strings.Join(q.Choices, " ")))
				if q.Right < 0 || q.Right >= len(q.Choices) || len(q.Choices) < 2 || q.Why == "" {
					t.Errorf("lesson %s: the question %q has no answer", l.Name, q.Text)
				}
			}
		}
		if questions == 0 {
			t.Errorf("lesson %s asks nothing", l.Name)
		}
		if minutes := words / readingSpeed; l.Minutes > 10 || minutes > l.Minutes {
			t.Errorf("lesson %s says %d minutes and takes %d to read alone", l.Name, l.Minutes, minutes)
		}
	}
	if _, ok := lab.Find(lab.First); !ok {
		t.Error("there is no first lesson")
	}
	if _, ok := lab.Find("nothing"); ok {
		t.Error("there is a lesson that does not exist")
	}
}

func TestTextFitsTheWidth(t *testing.T) {
	for _, width := range []int{20, 0, 300} { // 40, 80 and 100 are written
		for _, l := range lab.Lessons() {
			var b strings.Builder
			text := lab.Text{W: &b, Width: width}
			text.Opening(l)
			for at, s := range l.Steps {
				text.Step(at, s)
				text.Question(s.Ask)
				text.More(s)
				text.Done(s, lab.Played{At: at, Prediction: 0, Lines: []lab.Line{{Kind: lab.Call, Name: "decrypt it", Value: "AccessDeniedException: in many words, which go on and on until the line is full"}}})
			}
			limit := map[int]int{20: 40, 0: 80, 300: 100}[width]
			for line := range strings.Lines(b.String()) {
				line = strings.TrimSuffix(line, "\n")
				if len([]rune(line)) > limit && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("lesson %s, width %d: too long: %q", l.Name, limit, line)
				}
			}
		}
	}
}

func TestVerdict(t *testing.T) {
	q := lab.Question{Choices: []string{"yes", "no"}, Right: 1}
	for prediction, want := range map[int]string{
		lab.NoPrediction: `The answer is 2, "no".`,
		0:                `You said 1; it is 2, "no".`,
		1:                `You were right with 2, "no".`,
	} {
		if got := q.Verdict(prediction); got != want {
			t.Errorf("Verdict(%d) = %s, want %s", prediction, got, want)
		}
	}
}

// Who answers every question with the same number learns nothing, and must not
// be right too often.
func TestNoNumberIsAlwaysRight(t *testing.T) {
	right, all := map[int]int{}, 0
	for _, l := range lab.Lessons() {
		for _, s := range l.Steps {
			if s.Ask != nil {
				right[s.Ask.Right]++
				all++
			}
		}
	}
	for number, n := range right {
		if 2*n > all {
			t.Errorf("%d of %d questions are answered by %d", n, all, number+1)
		}
	}
}
