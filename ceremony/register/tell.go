// SPDX-License-Identifier: Apache-2.0

package register

import (
	"fmt"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
)

// Tell says what a line tells, in words.
func Tell(event Event) string {
	switch e := event.(type) {
	case Opened:
		return "the register of " + e.Organisation
	case Added:
		return tellAdded(e)
	case Scheduled:
		return tellScheduled(e)
	case Moved:
		return fmt.Sprintf("from %s to %s, on %s: %s", e.From, e.To, e.On.Format(time.DateOnly), e.Reason)
	case Drilled:
		text := fmt.Sprintf("the escrow %s opened on %s, for %s", e.Escrow, e.At.Format(time.DateOnly), e.By)
		if e.KMS != "" {
			text += fmt.Sprintf("; compared with %s: %s", e.KMS, e.Verdict)
		}
		return text
	case resumed:
		return fmt.Sprintf("lines were cut off before this one, %d bytes", e.TornBytes)
	}
	return ""
}

func tellAdded(e Added) string {
	text := fmt.Sprintf("by the ceremony %s", e.Ceremony)
	switch e.Purpose {
	case plan.ForDestruction:
		return text + " the escrow " + e.From + " was destroyed"
	case plan.ForRefresh:
		return fmt.Sprintf("%s %s, took the place of %s", text, e.Escrow, e.From)
	}
	text += fmt.Sprintf(": %s material, in %s", e.KeySpec, e.Escrow)
	for _, h := range e.Held {
		text += "; in " + h.ARN
	}
	return text
}

func tellScheduled(e Scheduled) string {
	text := "drilled never"
	if e.DrillEvery > 0 {
		text = fmt.Sprintf("drilled every %d days", e.DrillEvery)
	}
	for _, day := range []struct {
		what string
		at   time.Time
	}{{"protects until", e.Protects}, {"reviewed by", e.Review}} {
		if !day.at.IsZero() {
			text += fmt.Sprintf(", %s %s", day.what, day.at.Format(time.DateOnly))
		}
	}
	return text + ": " + e.Reason
}
