// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"fmt"
	"io"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/inventory"
)

// writeCalendar writes the expiries as an iCalendar (RFC 5545), an event for
// each, with a reminder a week ahead. The UID of an event stays the same
// while the key and material do, so that a calendar that is fetched again
// moves the event when the expiry was renewed.
func writeCalendar(w io.Writer, items []inventory.Item, now time.Time) error {
	cal := ics.NewCalendarFor("keymat")
	cal.SetMethod(ics.MethodPublish)
	cal.SetXWRCalName("Key material expiries")
	for _, i := range items {
		if m, expires := i.Disabler(); expires && i.Err == nil {
			addExpiry(cal, i, m, now)
		}
	}
	return cal.SerializeTo(w, ics.WithNewLineWindows)
}

func addExpiry(cal *ics.Calendar, i inventory.Item, m importer.KeyMaterial, now time.Time) {
	e := cal.AddEvent(fmt.Sprintf("%s/%s@keymat", i.Key.ARN, m.ID))
	e.SetDtStampTime(now)
	e.SetStartAt(m.Expiry.Time())
	e.SetEndAt(m.Expiry.Time())
	e.SetTimeTransparency(ics.TransparencyTransparent)
	e.SetSummary(fmt.Sprintf("Key material of %s expires (%s)", i.Name(), i.Region))
	e.SetDescription(fmt.Sprintf("%s stops working. Before that: keymat renew %s --material FILE --expires 365d", i.Key.ARN, i.Key.ARN))
	reminder := e.AddAlarm()
	reminder.SetAction(ics.ActionDisplay)
	reminder.SetTrigger("-P7D")
	reminder.SetDescription(fmt.Sprintf("Key material of %s expires in a week", i.Name()))
}
