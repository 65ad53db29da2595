// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"

	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/lab"
)

// teacher plays a lesson to a student at a terminal: it stops before each step,
// and knows where the student stopped the last time.
type teacher struct {
	a         *app
	lesson    lab.Lesson
	text      lab.Text
	progress  labProgress
	from      int   // the step to begin at; those before are done in silence
	forgetful bool  // it cannot be kept how far the student came
	before    []int // the predictions for the steps that were done
}

// newTeacher asks a student who has been here before where to begin.
func (a *app) newTeacher(ctx context.Context, lesson lab.Lesson, text lab.Text) (*teacher, error) {
	t := &teacher{a: a, lesson: lesson, text: text}
	var err error
	if t.progress, err = a.readLabProgress(); err != nil {
		a.warn("how far you came is not known, and will not be remembered: %v", err)
		t.forgetful = true
	}
	t.before = t.progress[lesson.Name].Predictions
	done := len(t.before)
	if done < 1 || done >= len(lesson.Steps) {
		t.before = nil
		return t, nil
	}
	chosen, err := a.Prompter.Choose(ctx, fmt.Sprintf("You stopped before step %d of %d.", done+1, len(lesson.Steps)), []term.Option{
		{Label: "go on there; the steps before are done again, in silence"},
		{Key: "a", Label: "start again"},
		{Key: "q", Label: "quit"},
	})
	switch {
	case err != nil:
		return nil, err
	case chosen == 2:
		return nil, lab.ErrQuit
	case chosen == 0:
		t.from = done
	}
	t.before = t.before[:t.from]
	return t, nil
}

// The choices between two steps.
const (
	goOn = iota
	showCommands
	explainMore
	quit
)

// Before explains the step, and lets the student predict, look and decide.
func (t *teacher) Before(ctx context.Context, at int) (int, error) {
	if at < t.from {
		return t.before[at], nil
	}
	s := t.lesson.Steps[at]
	t.text.Step(at, s)
	prediction, err := t.predict(ctx, s.Ask)
	for err == nil {
		var chosen int
		if chosen, err = t.choose(ctx, s); err != nil {
			break
		}
		switch chosen {
		case goOn:
			return prediction, nil
		case showCommands:
			t.text.Commands(s)
		case explainMore:
			t.text.More(s)
		case quit:
			err = lab.ErrQuit
		}
	}
	return prediction, err
}

// choose asks what is next, and offers only what there is.
func (t *teacher) choose(ctx context.Context, s lab.Step) (int, error) {
	options, meaning := []term.Option{{Label: "do it"}}, []int{goOn}
	if len(s.Hand)+len(s.Keymat) > 0 {
		options, meaning = append(options, term.Option{Key: "c", Label: "show the commands"}), append(meaning, showCommands)
	}
	if s.More != "" {
		options, meaning = append(options, term.Option{Key: "e", Label: "explain more"}), append(meaning, explainMore)
	}
	options, meaning = append(options, term.Option{Key: "q", Label: "quit"}), append(meaning, quit)
	fmt.Fprintln(t.text.W)
	chosen, err := t.a.Prompter.Choose(ctx, "", options)
	if err != nil {
		return 0, err
	}
	return meaning[chosen], nil
}

func (t *teacher) predict(ctx context.Context, q *lab.Question) (int, error) {
	if q == nil {
		return lab.NoPrediction, nil
	}
	t.text.Question(q)
	var options []term.Option
	for i := range q.Choices {
		options = append(options, term.Option{Key: fmt.Sprint(i + 1)})
	}
	options = append(options, term.Option{Label: "just show me"}, term.Option{Key: "q", Label: "quit"})
	chosen, err := t.a.Prompter.Choose(ctx, "", options)
	switch {
	case err == nil && chosen < len(q.Choices):
		return chosen, nil
	case err == nil && chosen > len(q.Choices):
		err = lab.ErrQuit
	}
	return lab.NoPrediction, err
}

// After shows what the step did, and remembers how far the student came.
func (t *teacher) After(p lab.Played) error {
	if p.At >= t.from {
		t.text.Done(t.lesson.Steps[p.At], p)
		t.before = append(t.before, p.Prediction)
		t.remember()
	}
	switch {
	case p.At != t.from-1:
	case t.from == 1:
		fmt.Fprintln(t.text.W, "\nStep 1 is done again, on a new key.")
	default:
		fmt.Fprintf(t.text.W, "\nSteps 1 to %d are done again, on new keys.\n", t.from)
	}
	return nil
}

// remember keeps how far the student came. That it cannot is no reason to end
// the lesson.
func (t *teacher) remember() {
	if t.forgetful {
		return
	}
	t.progress[t.lesson.Name] = lessonProgress{t.before}
	if err := t.a.writeLabProgress(t.progress); err != nil {
		t.a.warn("how far you came will not be remembered: %v", err)
		t.forgetful = true
	}
}
