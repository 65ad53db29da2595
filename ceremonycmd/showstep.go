// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"fmt"

	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
)

// describeStep is describeEvent for the steps of the offline machine.
func describeStep(e transcript.Event) (what string, exceptional bool) {
	switch e := e.(type) {
	case transcript.Generated:
		return fmt.Sprintf("material for %s, from %s: %s", e.KeySpec, e.Source, e.Fingerprint), false
	case transcript.Escrowed:
		return fmt.Sprintf("escrow %s of %s: %s, %d bytes, %s", e.Escrow, e.Fingerprint, e.File.Name, e.File.Size, e.File.SHA256), false
	case transcript.Copied:
		return fmt.Sprintf("escrow %s read back from %s: %s", e.Escrow, e.Copy, e.SHA256), false
	case transcript.Issued:
		return fmt.Sprintf("share %d of %s issued", e.Share, e.Escrow) + inBag(e.Bag), false
	case transcript.ReadBack:
		return fmt.Sprintf("share %d of %s read back", e.Share, e.Escrow) + inBag(e.Bag), false
	case transcript.Sealed:
		return fmt.Sprintf("SEALED: escrow %s, %s; %s, %s", e.Escrow, e.SHA256, e.Record.Name, e.Record.SHA256), false
	case transcript.Recovered:
		return fmt.Sprintf("escrow %s opened with the shares %v: %s", e.Escrow, e.Shares, e.Fingerprint), false
	case transcript.Bundled:
		return fmt.Sprintf("bundle %s for %s, valid to %s: %s", e.File.Name, cli.List(e.Targets), e.ValidTo, e.File.SHA256), false
	case transcript.Wrapped:
		return fmt.Sprintf("wrapped for %s: %s, %s", cli.List(e.Targets), e.Package.Name, e.Package.SHA256), false
	case transcript.Destroyed:
		return "material and key destroyed in memory", false
	case transcript.Voided:
		return voided(e), true
	case transcript.Interrupted:
		return "memory lost: " + e.Reason, true
	case transcript.Retired:
		return fmt.Sprintf("escrow %s retired, in favour of %s", e.Escrow, e.By), false
	}
	return describeReceipt(e)
}

// describeReceipt is describeEvent for the machine that imports.
func describeReceipt(e transcript.Event) (what string, exceptional bool) {
	switch e := e.(type) {
	case transcript.Submitted:
		return fmt.Sprintf("sent to %s: %s, of the package %s", e.Target, e.Wrapped, e.Package), false
	case transcript.Refused:
		return fmt.Sprintf("refused for %s: %s (%s)", e.Target, e.Code, e.Remedy), true
	case transcript.Imported:
		return fmt.Sprintf("imported into %s as %s", e.Target, e.MaterialID), false
	case transcript.Verified:
		return fmt.Sprintf("verified %s: %s", e.Target, e.Method), false
	case transcript.Forgotten:
		return fmt.Sprintf("%s no longer has the material: %s", e.Target, e.Reason), true
	}
	return "", false
}

func inBag(serial string) string {
	if serial == "" {
		return ""
	}
	return ", in bag " + serial
}

func voided(e transcript.Voided) string {
	what := "the material"
	if !e.Material {
		what = "escrow " + e.Escrow
	} else if e.Escrow != "" {
		what += " and escrow " + e.Escrow
	}
	return what + " will not be used: " + e.Reason
}
