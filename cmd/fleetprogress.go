// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"fmt"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/internal/term"
)

// fleetProgress says how far a fleet is.
type fleetProgress interface {
	looked(fleet.Looked)
	ended(fleet.Ended)
	say(line string) // beside what changes
	done()
}

// newFleetProgress gives a live view on a terminal, plain lines elsewhere, JSON
// lines where asked for.
func (a *app) newFleetProgress(p *fleet.Plan) fleetProgress {
	plain := &fleetLines{app: a, told: make(map[string]int)}
	if a.Quiet || a.JSON || !term.Color(a.Stderr, a.Getenv) {
		return plain
	}
	return newFleetBars(a, p)
}

// fleetLines tells each tenth of a place.
type fleetLines struct {
	app  *app
	told map[string]int // tenths, by place
}

func (l *fleetLines) looked(e fleet.Looked) {
	if e.Done == e.All {
		l.app.say("looked at %s", keysIn(e.All))
	}
}

func (l *fleetLines) ended(e fleet.Ended) {
	t := e.Traffic
	tenth := 10 * t.Done / t.All
	if tenth == l.told[e.Result.Place] {
		return
	}
	l.told[e.Result.Place] = tenth
	if l.app.JSON {
		_ = writeLine(l.app.Stdout, fleetPlaceProgress{
			Event: "progress", Place: e.Result.Place, Account: t.Account, Region: t.Region,
			Done: t.Done, Keys: t.All, Calls: t.Sent, Throttled: t.Throttled, Rate: t.Rate,
		})
	}
	l.app.say("%s (%s): %d of %s%s", e.Result.Place, t.Region, t.Done, keysIn(t.All), untilDone(t))
}

func (l *fleetLines) say(line string) { fmt.Fprintln(l.app.Stderr, line) }
func (l *fleetLines) done()           {}

// fleetPlaceProgress is how far a place is.
type fleetPlaceProgress struct {
	Event     string  `json:"event"` // "progress"
	Place     string  `json:"place"`
	Account   string  `json:"account,omitempty"`
	Region    string  `json:"region"`
	Done      int     `json:"done"`
	Keys      int     `json:"keys"`
	Calls     int     `json:"calls"`
	Throttled int     `json:"throttled"`
	Rate      float64 `json:"fetches_per_second,omitempty"` // let through at present; left out for any number
}

// untilDone is what the quota of GetParametersForImport makes of what is left.
func untilDone(t fleet.Traffic) string {
	if t.Rate <= 0 || t.Done == t.All {
		return ""
	}
	left := time.Duration(float64(t.All-t.Done) / t.Rate * float64(time.Second))
	return fmt.Sprintf(", %s left at %.2g fetches a second", left.Round(time.Second), t.Rate)
}

// fleetBars is a bar for each place.
type fleetBars struct {
	all  *mpb.Progress
	bars map[string]*fleetBar
}

// fleetBar is the bar of one place; mpb draws it a few times a second.
type fleetBar struct {
	*mpb.Bar
	traffic chan fleet.Traffic // holds the latest
}

func newFleetBars(a *app, p *fleet.Plan) *fleetBars {
	b := &fleetBars{all: mpb.New(mpb.WithOutput(a.Stderr), mpb.WithWidth(60)), bars: make(map[string]*fleetBar)}
	keys := make(map[string]int)
	for _, c := range p.Changes {
		keys[c.Place]++
	}
	for _, place := range p.Places {
		if keys[place.Name] == 0 {
			continue
		}
		bar := &fleetBar{traffic: make(chan fleet.Traffic, 1)}
		bar.traffic <- fleet.Traffic{All: keys[place.Name]}
		bar.Bar = b.all.AddBar(int64(keys[place.Name]),
			mpb.PrependDecorators(
				decor.Name(strings.TrimSpace(place.Name+" "+place.Region), decor.WCSyncSpaceR),
				decor.CountersNoUnit("%d/%d", decor.WCSyncSpace),
			),
			mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string { return bar.describe(s) })),
		)
		b.bars[place.Name] = bar
	}
	return b
}

// describe is what stands behind the bar.
func (b *fleetBar) describe(decor.Statistics) string {
	t := <-b.traffic
	b.traffic <- t
	text := fmt.Sprintf("%d calls", t.Sent)
	if t.Throttled > 0 {
		text += fmt.Sprintf(", %d throttled", t.Throttled)
	}
	return text + untilDone(t)
}

func (b *fleetBars) looked(fleet.Looked) {}

func (b *fleetBars) ended(e fleet.Ended) {
	bar := b.bars[e.Result.Place]
	<-bar.traffic
	bar.traffic <- e.Traffic
	bar.SetCurrent(int64(e.Traffic.Done))
}

func (b *fleetBars) say(line string) { fmt.Fprintln(b.all, line) }

// done leaves the bars as they stand.
func (b *fleetBars) done() {
	for _, bar := range b.bars {
		bar.Abort(false)
	}
	b.all.Wait()
}
