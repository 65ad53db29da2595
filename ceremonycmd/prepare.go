// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/console"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/preflight"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/lockdown"
)

// prepare locks this process down, and looks at the machine. One that is not fit
// holds no ceremony but a rehearsal. The result is what the record says of both.
func (a *app) prepare(c *console.Console, p *plan.Plan, workspace string) (string, error) {
	locked := lockdown.Enter()
	host, err := preflight.Host(workspace, a.Getenv)
	if err != nil {
		return "", err
	}
	report := preflight.Observe(host)
	c.Tell("What is seen of this machine:")
	for _, o := range report.Observations {
		if o.Verdict == preflight.OK {
			continue
		}
		c.Tell("%s: %s: %s", o.Verdict, o.Name, o.Seen)
		if o.Do != "" {
			c.Tell("  -> %s", o.Do)
		}
	}
	for _, lack := range lacks(locked) {
		c.Tell("%s: %s", preflight.Warning, lack)
	}
	if err := admit(report.Verdict, p.Rehearsal); err != nil {
		return "", err
	}
	if report.Verdict == preflight.Stop {
		c.Tell("In earnest no material would be made on this machine. This is a rehearsal, and goes on.")
	}
	return summary(report, locked), nil
}

// admit fails closed: what was observed of a machine stops all but a rehearsal.
func admit(v preflight.Verdict, rehearsal bool) error {
	if rehearsal || v == preflight.OK || v == preflight.Warning {
		return nil
	}
	return errUnfit
}

// lacks are what the system did not let the process keep to itself.
func lacks(l lockdown.Report) (all []string) {
	for _, lack := range []struct{ what, because string }{
		{"core files may be written", l.CoreFiles}, {"other processes may read this one's memory", l.Tracing}, {"memory may be swapped", l.Swap},
	} {
		if lack.because != "" {
			all = append(all, lack.what+": "+lack.because)
		}
	}
	return all
}

// summary is for the record: how many observations of each verdict there are, and
// which of them are not ok.
func summary(r preflight.Report, l lockdown.Report) string {
	counts, named := map[preflight.Verdict]int{}, map[preflight.Verdict][]string{}
	for _, o := range r.Observations {
		counts[o.Verdict]++
		if o.Verdict != preflight.OK && !slices.Contains(named[o.Verdict], o.Name) {
			named[o.Verdict] = append(named[o.Verdict], o.Name)
		}
	}
	text := fmt.Sprintf("preflight: %s, with %s ok", r.Verdict, cli.Count(counts[preflight.OK], "observation"))
	for _, v := range []preflight.Verdict{preflight.Warning, preflight.Stop} {
		if counts[v] > 0 {
			text += fmt.Sprintf(", %d %s (%s)", counts[v], v, strings.Join(named[v], ", "))
		}
	}
	if all := lacks(l); len(all) > 0 {
		return text + "; " + strings.Join(all, "; ")
	}
	return text + "; memory is locked, kept from other processes and from core files"
}
