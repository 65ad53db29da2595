// SPDX-License-Identifier: Apache-2.0

package lab_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/lab"
	"github.com/keymat/keymat/mockkms"
)

// stage is one on a KMS of its own, without any tools.
func stage(t *testing.T, options ...mockkms.Option) (lab.Stage, *mockkms.KMS) {
	t.Helper()
	mock := mockkms.New(append(options, mockkms.WithSharedWrappingKeys())...)
	t.Cleanup(func() { mock.Close() })
	return lab.Stage{Dir: t.TempDir(), Bench: experiment.Bench{
		KMS: func(region string) (*kms.Client, error) {
			return kms.New(kms.Options{
				Region:      region,
				Credentials: credentials.NewStaticCredentialsProvider("111122223333", "checked by nobody", ""),
				HTTPClient:  &http.Client{Transport: mockkms.Transport(mock)},
				Retryer:     aws.NopRetryer{},
			}), nil
		},
		Region: "eu-central-1", Run: "test",
	}}, mock
}

// listener says nothing, and stops at a step.
type listener struct {
	at   int // -1 for never
	stop func() error
}

func (l listener) Before(_ context.Context, at int) (int, error) {
	if at == l.at {
		return lab.NoPrediction, l.stop()
	}
	return lab.NoPrediction, nil
}

func (listener) After(lab.Played) error { return nil }

func find(t *testing.T, name string) lab.Lesson {
	t.Helper()
	l, ok := lab.Find(name)
	if !ok {
		t.Fatalf("there is no lesson %s", name)
	}
	return l
}

// However a lesson ends, its keys are scheduled for deletion.
func TestEveryEndCleansUp(t *testing.T) {
	ended := errors.New("the door bell rang")
	for name, test := range map[string]struct {
		stop func(cancel func()) error
		want error
		done int
	}{
		"quit":        {func(func()) error { return lab.ErrQuit }, lab.ErrQuit, 2},
		"interrupted": {func(cancel func()) error { cancel(); return nil }, context.Canceled, 2},
		"error":       {func(func()) error { return ended }, ended, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s, mock := stage(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			played, err := lab.Play(ctx, find(t, "byok"), s, listener{2, func() error { return test.stop(cancel) }})
			if !errors.Is(err, test.want) {
				t.Errorf("ended with %v, want %v", err, test.want)
			}
			if len(played.Steps) != test.done || played.Finished() || len(played.Leaving) != 1 {
				t.Errorf("%d steps were played, %d keys go; want %d and 1", len(played.Steps), len(played.Leaving), test.done)
			}
			if !slices.Contains(mock.Calls(), "ScheduleKeyDeletion") {
				t.Errorf("calls: %q", mock.Calls())
			}
		})
	}
}

// What KMS answers otherwise than the lesson says ends it, and says where.
func TestSurpriseNamesTheStep(t *testing.T) {
	s, mock := stage(t)
	mock.Inject(mockkms.Fault{Operation: "Encrypt", Kind: mockkms.FaultDenied, Times: -1})
	_, err := lab.Play(t.Context(), find(t, "byok"), s, listener{at: -1})
	step, ok := errors.AsType[*lab.StepError](err)
	if !ok || step.At != 1 || !strings.Contains(err.Error(), "AccessDeniedException") {
		t.Errorf("ended with %v", err)
	}
}

// Without tools, a second Region or a clock a lesson says what it leaves out.
func TestLeavingOut(t *testing.T) {
	for name, want := range map[string][]string{
		"byok":        {"openssl is not installed"},
		"portability": {"a second Region", "openssl is not installed"},
		"expiry":      {"nobody moves the time"},
		"key-pair":    {"openssl is not installed", "ssh-keygen is not installed"},
	} {
		s, _ := stage(t)
		played, err := lab.Play(t.Context(), find(t, name), s, listener{at: -1})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, text := range want {
			if !slices.ContainsFunc(played.Steps, func(p lab.Played) bool {
				return slices.ContainsFunc(p.Lines, func(l lab.Line) bool { return l.Kind == lab.Note && strings.Contains(l.Value, text) })
			}) {
				t.Errorf("lesson %s does not say that %s", name, text)
			}
		}
	}
}

// Who waits is told what for, and who does not wait is not.
func TestWaitingIsTold(t *testing.T) {
	s, _ := stage(t, mockkms.WithRotationTime(100*time.Millisecond))
	var told []string
	s.Busy = func(what string) func() {
		told = append(told, what)
		return func() { told = append(told, "done") }
	}
	if _, err := lab.Play(t.Context(), find(t, "rotation"), s, listener{at: -1}); err != nil {
		t.Fatal(err)
	}
	if len(told) != 2 || !strings.HasPrefix(told[0], "waiting for the material in use to be ") || told[1] != "done" {
		t.Errorf("told %q", told)
	}
}
