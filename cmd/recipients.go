// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
)

// addressees are the recipients that a command was given.
type addressees struct {
	texts []string
	files []string
	flag  string // that names one
}

func (r *addressees) register(c *cobra.Command, flag, short string) {
	r.flag = flag
	c.Flags().StringArrayVarP(&r.texts, flag, short, nil, "`recipient` that opens the escrow: age1…, an ssh public key, one of a plugin; repeatable")
	c.Flags().StringArrayVarP(&r.files, "recipients-file", "R", nil, "`file` of recipients, one a line; repeatable")
}

func (r addressees) given() bool { return len(r.texts) > 0 || len(r.files) > 0 }

// maxRecipients is in bytes: a post-quantum recipient has two thousand.
const maxRecipients = 256 << 10

// recipients reads all recipients.
func (a *app) recipients(ctx context.Context, r addressees) (all []escrow.Recipient, err error) {
	for i, text := range r.texts {
		recipient, err := escrow.ParseRecipient(text, a.pluginUI(ctx))
		if err != nil {
			return nil, fmt.Errorf("recipient %d: %w", i+1, err)
		}
		all = append(all, recipient)
	}
	for _, name := range r.files {
		data, err := files.ReadLimited(name, a.Stdin, maxRecipients)
		if err != nil {
			return nil, err
		}
		found, err := a.parseRecipients(ctx, string(data))
		if err != nil {
			return nil, inFile(name, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// parseRecipients reads recipients one a line. Errors say where, never what:
// somebody may have named the file of their identities.
func (a *app) parseRecipients(ctx context.Context, text string) (all []escrow.Recipient, err error) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		r, err := escrow.ParseRecipient(line, a.pluginUI(ctx))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no recipient in it")
	}
	return all, nil
}
