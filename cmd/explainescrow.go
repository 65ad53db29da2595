// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"errors"
	"fmt"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/escrow/shamir"
	"github.com/keymat/keymat/escrow/slip39"
	"github.com/keymat/keymat/internal/cli"
)

// explainEscrow covers escrows, shares and recipients.
func explainEscrow(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*noIdentityError](err); ok {
		return hint("name the file of that identity: --identity FILE; %d can open the escrow", len(e.recipients)), true
	}
	if _, ok := errors.AsType[*noKeyError](err); ok {
		return hint("name the file of that key: --open-key FILE"), true
	}
	if _, ok := errors.AsType[*lockedShareError](err); ok {
		return hint("name the custodian's identity: --identity FILE"), true
	}
	if _, ok := errors.AsType[*needSharesError](err); ok {
		return hint("name files of shares: --share FILE; or type them in a terminal"), true
	}
	if e, ok := errors.AsType[*escrow.LockedError](err); ok {
		return explainLocked(e), true
	}
	if _, ok := errors.AsType[*escrow.FIPSError](err); ok {
		return hint("under FIPS 140-3 an escrow is sealed with --quorum k/n --fips, or with --seal-key FILE"), true
	}
	if _, ok := errors.AsType[*escrow.HeaderError](err); ok {
		return hint("do not rely on this file; take another copy of the escrow, and find out who could write to this one"), true
	}
	if _, ok := errors.AsType[*escrow.FileError](err); ok {
		return hint("keymat inspect FILE says what a file is; of a damaged escrow, take another copy"), true
	}
	if _, ok := errors.AsType[*unopenedError](err); ok {
		return hint("do not trust that disk any more; name a file on another disk, and run it again"), true
	}
	return explainShare(err)
}

func explainLocked(e *escrow.LockedError) cli.Advice {
	switch e.Profile {
	case escrow.Recipients:
		return hint("keymat inspect FILE says whose identity opens the escrow")
	case escrow.Passphrase:
		return hint("try again; nothing was changed")
	}
	return hint("keymat inspect FILE says which shares open the escrow; combine them with --escrow, which names a wrong one")
}

// explainShare covers shares. The standard advises against guessing words.
func explainShare(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*escrow.MissingSharesError](err); ok {
		return hint("%d more needed; any do that were not given", e.Need-len(e.Have)), true
	}
	if _, ok := errors.AsType[*escrow.ForeignShareError](err); ok {
		return hint("keymat inspect says of which escrow a share is; leave this one out and take another of the set"), true
	}
	if e, ok := errors.AsType[*escrow.AlteredShareError](err); ok {
		return hint("leave share %d out, take another, and find out who had it: this is no slip of the pen", e.Index), true
	}
	if _, ok := errors.AsType[*escrow.DuplicateShareError](err); ok {
		return hint("take the share of another custodian"), true
	}
	if _, ok := errors.AsType[*slip39.ChecksumError](err); ok {
		return hint("compare the words with the card, one by one; if they agree, take the share of another custodian"), true
	}
	if errors.Is(err, shamir.ErrChecksum) {
		return hint("compare the characters with the card, one by one; if they agree, take the share of another custodian"), true
	}
	if _, ok := errors.AsType[*escrow.ShareError](err); ok {
		return hint("a share is %d words, a line that begins with keymat1, or what a QR code of a card says", slip39.Words256), true
	}
	if e, ok := errors.AsType[*escrow.RecipientError](err); ok {
		return cli.Advice{Hints: recipientHints(e), Exit: cli.ExitFailed}, true
	}
	return cli.Advice{}, false
}

func recipientHints(e *escrow.RecipientError) []string {
	hints := []string{"age-keygen -y FILE prints the recipient of an identity"}
	if e.Err != nil {
		hints = append([]string{fmt.Sprintf("age says: %v", e.Err)}, hints...)
	}
	return hints
}
