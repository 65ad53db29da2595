// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/audit"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/awsclient"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/mockkms"
)

type auditOptions struct {
	receipts []string
}

func newAuditCmd(a *app) *cobra.Command {
	var o auditOptions
	c := &cobra.Command{
		Use:   "audit <key>",
		Short: "Show a key's import history, and hold it against receipts",
		Long: `Show what CloudTrail knows of a key's material: when it was imported, deleted,
expired or rotated, and by whom. CloudTrail keeps events for 90 days and shows
them some minutes late. With --mock, or pointed at a served mock, the mock's own
log is read instead.

With --receipts the imports are held against what keymat said of its own: the
JSON results of import, bring, reimport and renew. An import without a receipt, a
receipt without an import, or another expiry is flagged; exit code 3 says that
there was one.`,
		Example: `  keymat audit alias/app
  keymat audit alias/app --receipts /var/log/keymat/reimport.json`,
		Args: oneArg("key"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.audit(cmd, args[0], o) },
	}
	c.Flags().StringArrayVar(&o.receipts, "receipts", nil, "`file` of JSON results of keymat, one after another; repeat for more")
	return c
}

func (a *app) audit(c *cobra.Command, ref string, o auditOptions) error {
	ctx := c.Context()
	receipts, err := a.readReceipts(o.receipts)
	if err != nil {
		return err
	}
	im, err := a.importer(ctx, ref)
	if err != nil {
		return err
	}
	key, err := im.Describe(ctx, ref)
	if err != nil {
		return err
	}
	events, told, err := a.history(c, key)
	if err != nil {
		return err
	}
	result := auditOf(key, events)
	if len(o.receipts) > 0 {
		differences, unchecked := audit.Compare(key.ARN, events, receipts, told)
		result.compare(differences, unchecked)
	}
	for _, arn := range key.Copies {
		if arn != key.ARN {
			a.say("its copy %s has a history of its own", arn)
		}
	}
	if err := a.print(result); err != nil {
		return err
	}
	if result.Differences != nil && len(*result.Differences) > 0 {
		return errDiffers
	}
	return nil
}

var errDiffers = &noError{"the trail and the receipts do not say the same"}

func (a *app) readReceipts(names []string) (all []audit.Receipt, err error) {
	const maxReceipts = 64 << 20 // bytes: a log of many years
	for _, name := range names {
		data, err := files.ReadLimited(name, a.env.Stdin, maxReceipts)
		if err != nil {
			return nil, err
		}
		found, err := audit.ReadReceipts(bytes.NewReader(data))
		if err != nil {
			return nil, inFile(name, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// history reads the trail of the KMS that is asked: CloudTrail, or a mock's
// own log; and says of which time it tells.
func (a *app) history(c *cobra.Command, key importer.Key) ([]audit.Event, audit.Window, error) {
	now := a.now()
	mock, err := a.mockTrail(c)
	if err != nil {
		return nil, audit.Window{}, err
	}
	if mock != nil {
		events, err := mockHistory(c.Context(), mock, key.ARN)
		return events, audit.Window{To: now.Add(time.Minute)}, err
	}
	trail, err := awsclient.NewCloudTrail(c.Context(), awsclient.Options{Region: key.Region(), Profile: a.globals.profile, Debug: a.debug()})
	if err != nil {
		return nil, audit.Window{}, err
	}
	defer a.busy("looking through CloudTrail")()
	events, err := audit.Lookup(c.Context(), trail.LookupEvents, key.ARN)
	return events, audit.Window{From: now.Add(-audit.TrailKept), To: now.Add(-audit.TrailDelay)}, err
}

// mockTrail is the control of the mock that is in use; nil if it is AWS.
func (a *app) mockTrail(c *cobra.Command) (mockControl, error) {
	if a.usesEmbedded() {
		kms, err := a.embedded()
		return storedMock{kms}, err
	}
	remote, err := a.remoteMock(c)
	if remote == nil {
		return nil, err // not a nil pointer in an interface
	}
	return remote, err
}

func mockHistory(ctx context.Context, mock mockControl, keyARN string) ([]audit.Event, error) {
	page, err := mock.Events(ctx, mockkms.EventQuery{Key: keyARN})
	if err != nil {
		return nil, err
	}
	var events []audit.Event
	for _, told := range page.Events {
		text, err := json.Marshal(told)
		if err != nil {
			return nil, err
		}
		e, ok, err := audit.Parse(text)
		if err != nil {
			return nil, err
		}
		if ok {
			events = append(events, e)
		}
	}
	return events, nil
}

// audited is the result of audit. Differences are there when receipts were given.
type audited struct {
	KeyARN      string          `json:"key_arn"`
	Events      []auditEvent    `json:"events"`
	Differences *[]auditDiffers `json:"differences,omitempty"`
	Unchecked   int             `json:"receipts_outside_trail,omitempty"`
}

type auditEvent struct {
	At         string `json:"at"`
	Name       string `json:"event"`
	MaterialID string `json:"key_material_id,omitempty"`
	Expires    string `json:"expires,omitempty"`
	Who        string `json:"who,omitempty"`
	Error      string `json:"error_code,omitempty"`
	ID         string `json:"event_id"`
}

type auditDiffers struct {
	At         string `json:"at"`
	MaterialID string `json:"key_material_id,omitempty"`
	Who        string `json:"who,omitempty"`
	EventID    string `json:"event_id,omitempty"`
	Reason     string `json:"reason"`
}

func auditOf(key importer.Key, events []audit.Event) audited {
	result := audited{KeyARN: key.ARN, Events: []auditEvent{}}
	for _, e := range events {
		result.Events = append(result.Events, auditEvent{
			At: seconds(e.At), Name: e.Name, MaterialID: e.MaterialID, Expires: e.Expires, Who: e.Who, Error: e.Error, ID: e.ID,
		})
	}
	return result
}

func (r *audited) compare(differences []audit.Difference, unchecked int) {
	all := []auditDiffers{}
	for _, d := range differences {
		one := auditDiffers{Reason: d.Reason}
		if d.Receipt != nil {
			one.At, one.MaterialID = seconds(d.Receipt.At), d.Receipt.MaterialID
		}
		if d.Event != nil {
			one.At, one.MaterialID, one.Who, one.EventID = seconds(d.Event.At), d.Event.MaterialID, d.Event.Who, d.Event.ID
		}
		all = append(all, one)
	}
	r.Differences, r.Unchecked = &all, unchecked
}

func (r audited) text(w io.Writer) {
	if len(r.Events) == 0 {
		fmt.Fprintln(w, "the trail tells nothing of this key's material")
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range r.Events {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", e.At, e.Name, short(e.MaterialID), e.outcome(), e.Who)
	}
	tw.Flush()
	if r.Differences == nil {
		return
	}
	for _, d := range *r.Differences {
		fmt.Fprintf(w, "differs: %s %s: %s\n", d.At, short(d.MaterialID), d.Reason)
	}
	if len(*r.Differences) == 0 {
		fmt.Fprintln(w, "every import has its receipt, and every receipt its import")
	}
	if r.Unchecked > 0 {
		fmt.Fprintf(w, "%d receipts are of a time that the trail does not tell of\n", r.Unchecked)
	}
}

func (e auditEvent) outcome() string {
	switch {
	case e.Error != "":
		return "refused: " + e.Error
	case e.Expires == "never":
		return "never expires"
	case e.Expires != "":
		return "expires " + e.Expires
	}
	return ""
}

// short is enough of a KeyMaterialId to tell those of one key apart.
func short(id string) string {
	if len(id) <= 12 {
		return id
	}
	return id[:12]
}
