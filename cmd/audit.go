// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/audit"
	"github.com/keymat/keymat/audit/trail"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/awsclient"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/mockkms"
)

type auditOptions struct {
	receipts   []string
	allRegions bool
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
there was one.

Each copy of a multi-Region key has a history of its own. --all-regions shows them
as one; a Region that cannot be asked does not hide the others (exit code 4).`,
		Example: `  keymat audit alias/app
  keymat audit alias/app --all-regions
  keymat audit alias/app --receipts /var/log/keymat/reimport.json`,
		Args: oneArg("key"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.audit(cmd, args[0], o) },
	}
	c.Flags().StringArrayVar(&o.receipts, "receipts", nil, "`file` of JSON results of keymat, one after another; repeat for more")
	c.Flags().BoolVar(&o.allRegions, "all-regions", false, "of every copy of a multi-Region key")
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
	copies := []importer.Copy{{Key: key}}
	if o.allRegions {
		copies = im.CopiesOf(ctx, key)
	} else {
		a.sayOtherCopies(key)
	}
	result, failed := a.auditCopies(c, copies, receipts, o)
	if failed != nil && len(result.Failed) == len(copies) {
		return failed
	}
	result.KeyARN = key.ARN
	if err := a.print(result); err != nil {
		return err
	}
	switch {
	case result.Differences != nil && len(*result.Differences) > 0:
		return errDiffers
	case failed != nil:
		return &partlyError{err: failed}
	}
	return nil
}

func (a *app) sayOtherCopies(key importer.Key) {
	for _, arn := range key.Copies {
		if arn != key.ARN {
			a.say("its copy %s has a history of its own, which --all-regions shows", arn)
		}
	}
}

// auditCopies puts the histories of the copies together, and says of those that
// cannot be known why. failed is why the first of them cannot.
func (a *app) auditCopies(c *cobra.Command, copies []importer.Copy, receipts []audit.Receipt, o auditOptions) (result audited, failed error) {
	result.Events = []auditEvent{}
	if len(o.receipts) > 0 {
		result.Differences = &[]auditDiffers{}
	}
	for _, one := range copies {
		events, told, err := []audit.Event(nil), audit.Window{}, one.Err
		if err == nil {
			events, told, err = a.history(c, one.Key)
		}
		region := ""
		if o.allRegions {
			region = importer.RegionOf(one.Key.ARN)
		}
		if err != nil {
			failed = firstOf(failed, err)
			result.Failed = append(result.Failed, auditFailed{Region: region, KeyARN: one.Key.ARN, Error: describeError(err)})
			continue
		}
		result.add(region, events)
		if len(o.receipts) > 0 {
			differences, unchecked := audit.Compare(one.Key.ARN, events, receipts, told)
			result.compare(region, differences, unchecked)
		}
	}
	result.sort()
	return result, failed
}

var errDiffers = &cli.NoError{Reason: "the trail and the receipts do not say the same"}

func (a *app) readReceipts(names []string) (all []audit.Receipt, err error) {
	const maxReceipts = 64 << 20 // bytes: a log of many years
	for _, name := range names {
		data, err := files.ReadLimited(name, a.Stdin, maxReceipts)
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
		other, isOther := errors.AsType[*mockkms.NotMockError](err)
		if !isOther {
			return events, audit.Window{To: now.Add(time.Minute)}, err
		}
		a.say("%v: looking in CloudTrail", other)
	}
	client, err := awsclient.NewCloudTrail(c.Context(), awsclient.Options{Region: key.Region(), Profile: a.globals.profile, Debug: a.debug()})
	if err != nil {
		return nil, audit.Window{}, err
	}
	defer a.busy("looking through CloudTrail")()
	events, err := trail.Lookup(c.Context(), client.LookupEvents, key.ARN)
	return events, audit.Window{From: now.Add(-trail.Kept), To: now.Add(-trail.Delay)}, err
}

// mockTrail is the control of the mock that is in use; nil if it is AWS. What is at a URL may be AWS, too: an endpoint of
// a VPC, for one, which will say that it is no mock.
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
