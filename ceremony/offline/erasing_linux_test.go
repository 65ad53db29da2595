// SPDX-License-Identifier: Apache-2.0

//go:build goexperiment.runtimesecret

package offline_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

// looked is the folder of a process that another looks into.
const looked = "KEYMAT_TEST_LOOKED_INTO"

const destroyed = "destroyed"

// TestDestroys looks into the memory of another process in which a ceremony was held up
// to the destruction of the material: neither that nor the key of its escrow is there,
// in any of the forms that a program gives them.
func TestDestroys(t *testing.T) {
	if folder := os.Getenv(looked); folder != "" {
		holdToDestruction(t, folder)
		return
	}
	folder := quickFolder(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestDestroys$")
	cmd.Env = append(os.Environ(), looked+"="+folder)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	if line, err := lines.ReadString('\n'); err != nil || strings.TrimSpace(line) != destroyed {
		t.Fatalf("the other process says %q, error %v", line, err)
	}
	lookInto(t, cmd.Process.Pid, folder)
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(lines); err != nil || cmd.Wait() != nil {
		t.Errorf("the other process failed: %s, %v", rest, err)
	}
}

// holdToDestruction holds a ceremony in a folder, says so, and waits.
func holdToDestruction(t *testing.T, folder string) {
	c := newCeremony(t, small)
	m, p := c.machine(), c.room()
	c.gate(m, p, plan.GateClose)
	for share, card := range p.cards {
		c.write(folder, fmt.Sprintf("card-%d", share), []byte(card))
	}
	kept := c.state().Escrows()[0].ID
	content, err := c.folder.Read(evidence.EscrowFile(kept), escrow.MaxFile)
	if err != nil {
		t.Fatal(err)
	}
	c.write(folder, "escrow", content)
	fmt.Println(destroyed)
	if _, err := io.ReadAll(os.Stdin); err != nil {
		t.Fatal(err)
	}
	if len(p.cards) != 3 || m.Agenda().Here == nil { // both are in memory until here
		t.Error("the ceremony is gone")
	}
}

// lookInto looks for what the cards bring back, and for the cards themselves, which the
// people of the other process have.
func lookInto(t *testing.T, pid int, folder string) {
	t.Helper()
	var shares []escrow.Share
	var cards [][]byte
	for share := 1; share <= 2; share++ {
		card, err := os.ReadFile(filepath.Join(folder, fmt.Sprintf("card-%d", share)))
		if err != nil {
			t.Fatal(err)
		}
		s, err := escrow.ParseShare(card)
		if err != nil {
			t.Fatal(err)
		}
		shares, cards = append(shares, s), append(cards, card)
	}
	content, err := os.ReadFile(filepath.Join(folder, "escrow"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := escrow.Read(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	key, err := f.Combine(shares)
	if err != nil {
		t.Fatal(err)
	}
	made, err := f.OpenKey(key)
	if err != nil {
		t.Fatal(err)
	}
	found := search(t, pid, forms(made.Secret()), forms(key), cards)
	if found[0] > 0 || found[1] > 0 {
		t.Errorf("the material is in memory %d times, and its escrow's key %d times", found[0], found[1])
	}
	if found[2] == 0 {
		t.Error("the cards are not in memory: nobody looked into the right one")
	}
}

// forms are the ways in which bytes may be in memory.
func forms(s material.Secret) (all [][]byte) {
	s.Expose(func(b []byte) error {
		all = [][]byte{bytes.Clone(b), []byte(hex.EncodeToString(b)), []byte(base64.StdEncoding.EncodeToString(b))}
		return nil
	})
	return all
}

// search counts what of some sets is in the memory of a process that it can write to.
func search(t *testing.T, pid int, sets ...[][]byte) []int {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	found := make([]int, len(sets))
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || !strings.HasPrefix(mode, "rw") {
			continue
		}
		content := make([]byte, to-from)
		n, _ := memory.ReadAt(content, from)
		for i, set := range sets {
			for _, what := range set {
				found[i] += bytes.Count(content[:n], what)
			}
		}
	}
	return found
}
