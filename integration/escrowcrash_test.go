// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sealKilled runs a command that writes app.escrow and the folder cards, and
// kills it when one of its threads flushes to disk for the n-th time: strace
// counts for each thread, and Go changes threads as it likes. It reports whether
// the command came to its end before that.
func (d *desk) sealKilled(n int, args ...string) (ended bool) {
	d.t.Helper()
	inject := fmt.Sprintf("inject=fsync:signal=SIGKILL:when=%d", n)
	strace := []string{"-f", "-q", "-o", "strace.log", "-e", "trace=fsync", "-e", inject, built.keymat}
	return d.try(tool(d.t, "strace", "strace"), append(strace, args...)...).status == 0
}

// TestKilledSealing kills escrow seal and escrow split where they flush to disk.
// Either there is no escrow afterwards, and so nothing that anybody could rely
// on, or it opens with the shares that were written.
func TestKilledSealing(t *testing.T) {
	d := newDesk(t)
	d.write("kek.key", bytes.Repeat([]byte{7}, 32))
	d.keymat("generate", "--spec", "HMAC_256", "--out", "app.key")
	d.keymat("escrow", "seal", "--material", "app.key", "--spec", "HMAC_256", "--seal-key", "kek.key", "--out", "old.escrow")
	for _, command := range [][]string{
		{"seal", "--material", "app.key", "--spec", "HMAC_256"},
		{"split", "old.escrow", "--open-key", "kek.key"},
	} {
		t.Run(command[0], func(t *testing.T) {
			d := d.at(t)
			args := append([]string{"escrow"}, append(command, "--quorum", "2/3", "--shares-dir", "cards", "--out", "app.escrow")...)
			for range 3 {
				for n, ended := 1, false; !ended; n++ {
					ended = d.sealOnce(n, args)
				}
			}
		})
	}
}

// sealOnce lets a command begin anew, kills it, and looks at what is left.
func (d *desk) sealOnce(n int, args []string) (ended bool) {
	d.t.Helper()
	for _, old := range []string{"cards", "app.escrow", "back.key"} {
		if err := os.RemoveAll(d.path(old)); err != nil {
			d.t.Fatal(err)
		}
	}
	ended = d.sealKilled(n, args...)
	_, err := os.Stat(d.path("app.escrow"))
	if err == nil {
		d.opensWithItsCards(n)
	} else if ended || !errors.Is(err, fs.ErrNotExist) {
		d.t.Errorf("not killed, and there is no escrow: %v", err)
	}
	return ended
}

// opensWithItsCards opens app.escrow with what the cards say.
func (d *desk) opensWithItsCards(n int) {
	d.t.Helper()
	cards, err := filepath.Glob(d.path("cards/share-*.html"))
	if err != nil || len(cards) != 3 {
		d.t.Fatalf("killed at flush %d, there is an escrow and %d cards, error %v", n, len(cards), err)
	}
	var shares []string
	for _, name := range []string{"cards/share-3.html", "cards/share-1.html"} {
		shares = append(shares, strings.Join(d.card(name).words(), " "))
	}
	d.write("shares.txt", []byte(strings.Join(shares, "\n")))
	d.keymat("escrow", "open", "app.escrow", "--share", "shares.txt", "--out", "back.key")
	if !bytes.Equal(d.read("back.key"), d.read("app.key")) {
		d.t.Errorf("killed at flush %d, the escrow holds other material", n)
	}
}
