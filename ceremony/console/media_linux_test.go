// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMedium(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const asked = "0.1 Ona (operator-1), Otto (operator-2): put in copy-1. The folder where it is mounted: "
	playAll(t, []part{
		{name: "there", scene: "medium", lines: []line{{asked, folder + "/\r"}}, want: folder + " <nil>"},
		{name: "not there at first", scene: "medium", lines: []line{{asked, "\r"}, {asked, folder + "/none\r"}, {"none: no such file or directory", ""},
			{asked, file + "\r"}, {"! " + file + " is not a folder", ""}, {asked, folder + "\r"}}, want: folder + " <nil>"},
		{name: "where custodians come", scene: "archive", lines: []line{{"1.1 Ona (operator-1), Otto (operator-2): put in a medium with the escrow. The folder where it is mounted: ", folder + "\r"}}, want: folder + " <nil>"},
		{name: "interrupted", scene: "medium", lines: []line{{asked, "\x03"}}, want: " interrupted"},
	})
}

func TestRemount(t *testing.T) {
	folder := t.TempDir()
	const unmount = "0.1 Ona (operator-1), Otto (operator-2): unmount what is at "
	const out, in = ", and take it out. Enter once it is out: ", "0.2 Ona (operator-1), Otto (operator-2): put it in again, at the same place. Enter once it is mounted: "
	playAll(t, []part{
		{name: "out and in", scene: "remount", arg: folder, lines: []line{{unmount + folder + out, "\r"}, {in, "\r"}}, want: "<nil> <nil>"},
		{name: "not there", scene: "remount", arg: folder + "/none", lines: []line{{out, "\r"}, {in, "\r"}, {"no such file", ""}, {in, "\x03"}}, want: "<nil> interrupted"},
	})
}

func TestBag(t *testing.T) {
	const asked = "0.1 Wim (witness): number of the bag of share 1 (Enter alone for none): "
	playAll(t, []part{
		{name: "bagged", scene: "bag", lines: []line{{asked, " TE-0042\r"}}, want: "TE-0042 <nil>"},
		{name: "none", scene: "bag", lines: []line{{asked, "\r"}}, want: " <nil>"},
		{name: "interrupted", scene: "bag", lines: []line{{asked, "\x03"}}, want: " interrupted"},
	})
}

func TestThrows(t *testing.T) {
	const required, optional = "0.1 What do you throw?\r\n  d      throw dice\r\n  c      throw coins\r\n> ", "0.1 What do you throw?\r\n  d      throw dice\r\n  c      throw coins\r\n  Enter  none\r\n> "
	playAll(t, []part{
		{name: "none", scene: "throws", lines: []line{{optional, "\r"}}, want: " <nil>"},
		{name: "dice and coins", scene: "throws", arg: "required", lines: []line{{required, "\r"}, {"Please type one of d or c.", "d\r"},
			{"Throws of dice (1 to 6), 0 so far; Enter alone ends: ", "1234561\r"}, {"7 so far; Enter alone ends: ", "7\r"}, {"! ", ""}, {"7 so far; Enter alone ends: ", "\r"},
			{"7 throws of dice: 18 bits, if they are fair.", ""}, {"that is all\r\n> ", "c\r"},
			{"Throws of coins (h or t), 0 so far; Enter alone ends: ", "hth\r"}, {"3 so far", "\r"}, {"> ", "\r"}}, want: "7 dice, 3 coins <nil>"},
		{name: "nothing thrown", scene: "throws", arg: "required", lines: []line{{required, "d\r"}, {"0 so far", "\r"}, {"! ", ""}, {required, "\x03"}}, want: " interrupted"},
		{name: "interrupted", scene: "throws", lines: []line{{optional, "d\r"}, {"0 so far", "123\r"}, {"3 so far", "\x03"}}, want: " interrupted"},
	})
}

func TestPIN(t *testing.T) {
	ready := line{"0.1 Cai (custodian-1): type your ID once nobody else can see what you type: ", "custodian-1\r"}
	const asked = `0.2 Cai (custodian-1): your part of the PIN of the token "ceremony": `
	playAll(t, []part{
		{name: "typed", scene: "pin", lines: []line{ready, {asked, "1234\r"}}, want: "4 <nil>"},
		{name: "Enter alone", scene: "pin", lines: []line{ready, {asked, "\r"}, {asked, "123\r"}}, want: "3 <nil>"},
		{name: "somebody else", scene: "pin", lines: []line{{"what you type: ", "operator-1\r"}, {"is not the one who may look", ""}, {"what you type: ", "custodian-1\r"}, {asked, "1\r"}}, want: "1 <nil>"},
		{name: "interrupted", scene: "pin", lines: []line{ready, {asked, "\x03"}}, want: "0 interrupted"},
	})
}

func TestComponent(t *testing.T) {
	typed := strings.Repeat("0123456789abcdef", 4) + "\r"
	ready := line{"0.1 Cai (custodian-1): type your ID once nobody else can see what you type: ", "custodian-1\r"}
	const asked, check = "0.2 Component of Cai (custodian-1) (64 hexadecimal digits, not shown): ", "its check value (Enter alone to type the component again instead): "
	playAll(t, []part{
		{name: "twice", scene: "component", lines: []line{ready, {asked, typed}, {check, "\r"}, {"0.2 Component of Cai (custodian-1) again: ", typed}}, want: "hmac:6af8766836 typed twice <nil>"},
		{name: "a slip", scene: "component", lines: []line{ready, {asked, "0123\r"}, {"; it was not taken", ""}, {asked, typed}, {check, "hmac:0000000000\r"},
			{"; it was not taken", ""}, {asked, typed}, {check, "HMAC:6AF8766836\r"}}, want: "hmac:6af8766836 typed, with its check value <nil>"},
		{name: "broken off", scene: "component", lines: []line{ready, {asked, "\x04"}}, want: "  the entry was broken off, and nothing was made"},
		{name: "interrupted", scene: "component", lines: []line{ready, {asked, "\x03"}}, want: "  interrupted"},
	})
}
