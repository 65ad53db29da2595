// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/internal/pace"
)

// fleetPlan is the result of fleet plan.
type fleetPlan struct {
	ID       string               `json:"id"`
	Fleet    string               `json:"fleet"`
	SHA256   string               `json:"manifest_sha256"`
	Made     string               `json:"made"`
	Shard    string               `json:"shard,omitempty"`
	Keys     int                  `json:"keys"`
	Actions  map[fleet.Action]int `json:"actions"`
	Places   []fleetPlacePlan     `json:"places"`
	Estimate fleetEstimate        `json:"estimate"`
	Changes  []fleet.Change       `json:"changes"`
}

type fleetPlacePlan struct {
	Name    string               `json:"name"`
	Profile string               `json:"profile,omitempty"`
	Role    string               `json:"role,omitempty"`
	Region  string               `json:"region"`
	Account string               `json:"account,omitempty"`
	Keys    int                  `json:"keys"`
	Actions map[fleet.Action]int `json:"actions"`
}

type fleetEstimate struct {
	Seconds float64              `json:"seconds_at_least"`
	Places  []fleetEstimatePlace `json:"places,omitempty"`
}

type fleetEstimatePlace struct {
	Account    string         `json:"account,omitempty"`
	Place      string         `json:"place,omitempty"`
	Region     string         `json:"region"`
	Seconds    float64        `json:"seconds_at_least"`
	Bottleneck string         `json:"bottleneck,omitempty"`
	Calls      map[string]int `json:"calls"`
}

// fleetActions are all, in the order in which they are told.
var fleetActions = []fleet.Action{
	fleet.Cannot, fleet.Create, fleet.Import, fleet.Reimport, fleet.Renew, fleet.Rotate, fleet.Delete, fleet.Nothing,
}

func fleetPlanOf(p *fleet.Plan, all bool) fleetPlan {
	r := fleetPlan{
		ID: p.ID, Fleet: p.Manifest.Name, SHA256: p.Manifest.SHA256, Made: seconds(p.Made), Shard: p.Shard.String(), Keys: len(p.Changes),
		Actions: map[fleet.Action]int{}, Places: []fleetPlacePlan{}, Estimate: fleetEstimateOf(p),
	}
	places := map[string]int{}
	for _, place := range p.Places {
		places[place.Name] = len(r.Places)
		r.Places = append(r.Places, fleetPlacePlan{
			Name: place.Name, Profile: place.Profile, Role: place.Role, Region: place.Region, Account: place.Account, Actions: map[fleet.Action]int{},
		})
	}
	for _, c := range p.Changes {
		place := &r.Places[places[c.Place]]
		place.Keys++
		place.Actions[c.Action]++
		r.Actions[c.Action]++
	}
	if r.Changes = p.Changes; !all {
		r.Changes = make([]fleet.Change, 0, r.Keys-r.Actions[fleet.Nothing])
		for _, c := range p.Changes {
			if c.Action != fleet.Nothing {
				r.Changes = append(r.Changes, c)
			}
		}
	}
	return r
}

func fleetEstimateOf(p *fleet.Plan) fleetEstimate {
	e := p.Estimate(pace.Quotas())
	r := fleetEstimate{Seconds: e.Time.Seconds()}
	for _, place := range e.Places {
		r.Places = append(r.Places, fleetEstimatePlace{place.Account, place.Settings, place.Region, place.Time.Seconds(), place.Bottleneck, place.Calls})
	}
	return r
}

// Pending reports whether there is anything that a plan would do, or cannot.
func (r fleetPlan) Pending() bool { return r.Actions[fleet.Nothing] != r.Keys }

// shownChanges is how many changes of an action people are shown: more nobody
// reads, and --out has them.
const shownChanges = 40

func (r fleetPlan) text(w io.Writer) {
	if len(r.Changes) > 0 {
		r.writeChanges(w)
		fmt.Fprintln(w)
	}
	r.writePlaces(w)
	fmt.Fprintf(w, "\n%s\n", r.inWords())
	r.Estimate.text(w)
}

func (r fleetPlan) writeChanges(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "ACTION\tKEY\tPLACE\tWHY")
	for _, action := range fleetActions {
		shown := 0
		for _, c := range r.Changes {
			if c.Action != action {
				continue
			}
			if shown++; shown <= shownChanges {
				fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", c.Action, c.Name, c.Place, c.Why)
			}
		}
		if shown > shownChanges {
			fmt.Fprintf(tw, "%s\t… and %d more\t\t\n", action, shown-shownChanges)
		}
	}
	tw.Flush()
}

// writePlaces is a table of places and actions, without the columns that are empty.
func (r fleetPlan) writePlaces(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(tw, "PLACE\tACCOUNT\tREGION\tKEYS")
	for _, action := range fleetActions {
		if r.Actions[action] > 0 {
			fmt.Fprint(tw, "\t"+strings.ToUpper(string(action)))
		}
	}
	fmt.Fprintln(tw)
	for _, p := range r.Places {
		account := p.Account
		if account == "" {
			account = "-"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%d", p.Name, account, p.Region, p.Keys)
		for _, action := range fleetActions {
			if r.Actions[action] > 0 {
				fmt.Fprintf(tw, "\t%d", p.Actions[action])
			}
		}
		fmt.Fprintln(tw)
	}
	tw.Flush()
}

func (r fleetPlan) inWords() string {
	of := "fleet " + r.Fleet
	if r.Shard != "" {
		of += ", shard " + r.Shard
	}
	var words []string
	for _, action := range fleetActions {
		if n := r.Actions[action]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, action))
		}
	}
	if len(words) == 0 {
		words = []string{"no keys"}
	}
	return of + ": " + strings.Join(words, ", ")
}

// text tells the quota that makes it take as long as it does.
func (e fleetEstimate) text(w io.Writer) {
	if len(e.Places) == 0 {
		return
	}
	p := e.Places[0]
	if p.Bottleneck == "" {
		fmt.Fprintln(w, "no quota of KMS makes this wait")
		return
	}
	where := p.Account
	if where == "" {
		where = "the account of place " + p.Place
	}
	quota := strconv.FormatFloat(pace.Quotas()[p.Bottleneck], 'f', -1, 64)
	took := (time.Duration(e.Seconds * float64(time.Second))).Round(time.Second)
	fmt.Fprintf(w, "at KMS's quotas this takes %s at least: %d %s at %s a second in %s %s\n", took, p.Calls[p.Bottleneck], p.Bottleneck, quota, where, p.Region)
}
