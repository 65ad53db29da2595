// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/internal/awsclient"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/lab"
	"github.com/keymat/keymat/mockkms"
)

// playLesson plays a lesson on the KMS that was asked for, and writes what was
// played.
func (a *app) playLesson(ctx context.Context, lesson lab.Lesson, o labOptions) (err error) {
	if o.html != "" {
		if err := files.Check(o.html, files.Overwrite(o.force)); err != nil {
			return err
		}
	}
	t, err := a.labTarget(ctx, lesson, o)
	if err != nil {
		return err
	}
	dir, err := a.labFolder(o.dir)
	if err != nil {
		return err
	}
	guide, err := a.labGuide(ctx, lesson)
	if errors.Is(err, lab.ErrQuit) {
		return nil
	}
	if err != nil {
		return err
	}
	transcript, err := a.playOn(ctx, t, lesson, dir, guide)
	done := labDone{transcript, o.html, t.lasting}
	if err != nil && !errors.Is(err, lab.ErrQuit) {
		done.leaving(a.Stderr)
		return err
	}
	if o.html != "" {
		if err := a.writeLabPage(o, transcript); err != nil {
			return err
		}
	}
	return a.print(done)
}

// labTarget is the KMS that the flags name, unless the lesson needs its own.
func (a *app) labTarget(ctx context.Context, lesson lab.Lesson, o labOptions) (*target, error) {
	if lesson.Own != "" {
		if a.globals.mock || a.globals.endpointURL != "" || a.globals.profile != "" || o.target.aws {
			a.say("lesson %s is played in a KMS inside keymat: %s", lesson.Name, lesson.Own)
		}
		return a.peopledTarget(ctx)
	}
	if err := a.offerCleanUp(ctx); err != nil {
		return nil, err
	}
	return a.target(ctx, o.target)
}

// peopledTarget is a KMS inside keymat that enforces policies for [lab.People].
func (a *app) peopledTarget(ctx context.Context) (*target, error) {
	people, err := newPrincipals(lab.People)
	if err != nil {
		return nil, err
	}
	mock := mockkms.New(mockkms.WithPrincipals(people))
	a.AtEnd(mock.Close)
	o := awsclient.Options{Region: a.globals.region, Transport: mockkms.Transport(mock), Account: lab.Owner, Debug: a.debug()}
	client, err := awsclient.New(ctx, o)
	if err != nil {
		return nil, err
	}
	return &target{
		region:  client.Options().Region,
		clock:   storedMock{mock},
		clients: make(map[string]*kms.Client),
		connect: func(string) (*kms.Client, error) { return client, nil },
	}, nil
}

// labFolder is where the files of a lesson go: as told, or a folder that is
// removed at the end.
func (a *app) labFolder(dir string) (string, error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", err
		}
		return filepath.Abs(dir) // programs run elsewhere
	}
	dir, err := os.MkdirTemp("", "keymat-lab-")
	if err == nil {
		a.AtEnd(func() error { return os.RemoveAll(dir) })
	}
	return dir, err
}

// labText writes the lesson where its reader looks: on stdout, unless that is
// for JSON.
func (a *app) labText() lab.Text {
	w := a.Stdout
	if a.JSON {
		w = a.Stderr
	}
	if a.Quiet {
		w = io.Discard
	}
	return lab.Text{W: w, Width: term.Width(w), Bold: term.Color(w, a.Getenv)}
}

// labGuide is a teacher who waits, or somebody who reads aloud.
func (a *app) labGuide(ctx context.Context, lesson lab.Lesson) (lab.Guide, error) {
	text := a.labText()
	text.Opening(lesson)
	if !a.atTerminal() {
		return &reader{lesson, text, a.globals.verbose}, nil
	}
	return a.newTeacher(ctx, lesson, text)
}

// reader plays a lesson through.
type reader struct {
	lesson lab.Lesson
	text   lab.Text
	more   bool
}

func (r *reader) Before(_ context.Context, at int) (int, error) {
	s := r.lesson.Steps[at]
	r.text.Step(at, s)
	if r.more {
		r.text.More(s)
	}
	r.text.Question(s.Ask) // before the commands, which may tell the answer
	r.text.Commands(s)
	return lab.NoPrediction, nil
}

func (r *reader) After(p lab.Played) error {
	r.text.Done(r.lesson.Steps[p.At], p)
	return nil
}

// labDone is a lesson that was played, to its end or until it was left.
type labDone struct {
	transcript lab.Transcript
	page       string // file
	lasting    bool   // the keys outlive this process
}

func (d labDone) text(w io.Writer) {
	t := d.transcript
	fmt.Fprintln(w)
	if !t.Finished() {
		fmt.Fprintf(w, "You stopped before step %d of %d. keymat lab %s goes on there.\n", len(t.Steps)+1, len(t.Lesson.Steps), t.Lesson.Name)
	} else {
		fmt.Fprintf(w, "Done: lesson %s, %d steps.%s\n", t.Lesson.Name, len(t.Steps), score(t))
	}
	if d.page != "" {
		fmt.Fprintf(w, "Written to %s.\n", d.page)
	}
	d.leaving(w)
}

// leaving says when the keys go, where that matters to anybody.
func (d labDone) leaving(w io.Writer) {
	if !d.lasting {
		return
	}
	for _, l := range d.transcript.Leaving {
		fmt.Fprintf(w, "%s will be deleted %s.\n", l.ARN, l.When())
	}
}

// score counts the predictions of those who made some.
func score(t lab.Transcript) string {
	made, right := 0, 0
	for _, p := range t.Steps {
		if q := t.Lesson.Steps[p.At].Ask; q != nil && p.Prediction != lab.NoPrediction {
			made++
			if p.Prediction == q.Right {
				right++
			}
		}
	}
	if made == 0 {
		return ""
	}
	return fmt.Sprintf(" You predicted %d of %d.", right, made)
}
