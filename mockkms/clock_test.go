// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

func (s *session) moves(m mockkms.ClockMove) mockkms.Clock {
	s.Helper()
	return must(s.mock.MoveClock(m))
}

// What a key goes through by itself happens when the clock is moved, without waiting.
func TestMovedClock(t *testing.T) {
	s := newSession(t)
	key := s.external(types.KeySpecSymmetricDefault)
	in := s.importing(key, letters("A", 32))
	s.imports(key, letters("A", 32), expiring(48*time.Hour))
	s.moves(mockkms.ClockMove{Advance: 24 * time.Hour})
	_, err := s.ImportKeyMaterial(t.Context(), in)
	refused(t, err, "ExpiredImportTokenException", "")
	if got := s.describe(key).KeyState; got != types.KeyStateEnabled {
		t.Errorf("after a day the key is %s", got)
	}
	s.moves(mockkms.ClockMove{Advance: 24 * time.Hour})
	if got := s.describe(key).KeyState; got != types.KeyStatePendingImport {
		t.Errorf("after two days the key is %s", got)
	}
	s.moves(mockkms.ClockMove{Reset: true}) // back, which brings nothing back
	if got := s.describe(key).KeyState; got != types.KeyStatePendingImport {
		t.Errorf("back in time the key is %s", got)
	}
}

func TestClockMoves(t *testing.T) {
	at := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().UTC() // midnight, 2000
		s := newSession(t)
		for _, tt := range []struct {
			name string
			move mockkms.ClockMove
			want mockkms.Clock // an hour after the move
		}{
			{"nothing", mockkms.ClockMove{}, mockkms.Clock{Time: start.Add(time.Hour)}},
			{"advance", mockkms.ClockMove{Advance: time.Minute}, mockkms.Clock{Time: start.Add(2*time.Hour + time.Minute), Offset: time.Minute}},
			{"advance again", mockkms.ClockMove{Advance: -time.Minute}, mockkms.Clock{Time: start.Add(3 * time.Hour)}},
			{"set", mockkms.ClockMove{Set: at}, mockkms.Clock{Time: at.Add(time.Hour), Offset: at.Sub(start.Add(3 * time.Hour))}},
			{"freeze", mockkms.ClockMove{Freeze: true}, mockkms.Clock{Time: at.Add(time.Hour), Offset: at.Sub(start.Add(4 * time.Hour)), Frozen: true}},
			{"advance, frozen", mockkms.ClockMove{Advance: time.Hour}, mockkms.Clock{Time: at.Add(2 * time.Hour), Offset: at.Sub(start.Add(4 * time.Hour)), Frozen: true}},
			{"resume", mockkms.ClockMove{Resume: true}, mockkms.Clock{Time: at.Add(3 * time.Hour), Offset: at.Sub(start.Add(4 * time.Hour))}},
			{"set and freeze", mockkms.ClockMove{Set: at, Freeze: true}, mockkms.Clock{Time: at, Offset: at.Sub(start.Add(8 * time.Hour)), Frozen: true}},
			{"reset", mockkms.ClockMove{Reset: true}, mockkms.Clock{Time: start.Add(9 * time.Hour)}},
		} {
			s.moves(tt.move)
			time.Sleep(time.Hour)
			if got := must(s.mock.Clock()); got != tt.want {
				t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
			}
		}
	})
}

func TestClockStaysWithinItsYears(t *testing.T) {
	s := newSession(t)
	for _, m := range []mockkms.ClockMove{
		{Set: time.Date(1979, 12, 31, 23, 59, 59, 0, time.UTC)},
		{Set: time.Date(2200, 1, 1, 0, 0, 0, 1, time.UTC)},
		{Advance: 1<<63 - 1},
	} {
		_, err := s.mock.MoveClock(m)
		if e := new(mockkms.ClockRangeError); !errors.As(err, &e) {
			t.Errorf("%v: got %v, want a ClockRangeError", m, err)
		}
	}
	s.moves(mockkms.ClockMove{Set: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), Freeze: true})
	s.external(types.KeySpecSymmetricDefault)
}

// Who shares a state file shares its clock.
func TestClockIsPartOfTheState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	at := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	one := newSession(t, mockkms.WithStore(must(mockkms.OpenStore(path))))
	other := newSession(t, mockkms.WithStore(must(mockkms.OpenStore(path))))
	one.moves(mockkms.ClockMove{Set: at, Freeze: true})
	if got := *other.describe(other.external(types.KeySpecSymmetricDefault)).CreationDate; !got.Equal(at) {
		t.Errorf("got CreationDate %v, want %v", got, at)
	}
	must(0, mockkms.ResetStore(path))
	if got := must(other.mock.Clock()); got.Frozen || got.Offset != 0 {
		t.Errorf("after a reset: %v", got)
	}
}
