// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"strings"
	"testing"
)

func TestAnnounce(t *testing.T) {
	playAll(t, []part{{name: "tasks", scene: "announce", want: "<nil> <nil>", screen: `
1. Issue share 2 of 3
   With Col (custodian-2), Ona (operator-1), Otto (operator-2).
   One custodian sees the share, and nobody else.

2. Open the escrow with 2 shares  [CLOSED]
   With 2 of Cai (custodian-1), Col (custodian-2), Cyd (custodian-3).
   Each custodian enters a share. Nothing of it is shown.
   written to /mnt
   and read ` + "\uFFFD" + `[2Jback, from the medium and not from memory, which is what
   counts, and found to be the same
     topmost  Istanbul
`}})
}

func TestPresent(t *testing.T) {
	const asked = "Who of these is here? Type their IDs, or all, or none: "
	playAll(t, []part{
		{name: "one", scene: "present", lines: []line{{asked, "Custodian-2\r"}}, want: "[custodian-2] <nil>", screen: `   Two shares open the escrow.
     Cai (custodian-1)
     Col (custodian-2)
0.1 Who of these is here? Type their IDs, or all, or none: Custodian-2
`},
		{name: "for a task", scene: "task", lines: []line{{asked, "all\r"}}, want: "[operator-1 witness] <nil>", screen: `
1. Make the material (SYMMETRIC_DEFAULT)
   With Ona (operator-1), Wim (witness).
   The material is made in memory. It is never shown and never written.
1.1 Who of these is here? Type their IDs, or all, or none: all
`},
		{name: "both", scene: "present", lines: []line{{asked, "custodian-2, custodian-1 custodian-2\r"}}, want: "[custodian-2 custodian-1] <nil>"},
		{name: "all", scene: "present", lines: []line{{asked, "all\r"}}, want: "[custodian-1 custodian-2] <nil>"},
		{name: "none", scene: "present", lines: []line{{asked, "\r"}, {asked, "none\r"}}, want: "[] <nil>"},
		{name: "somebody else", scene: "present", lines: []line{{asked, "custodian-3\r"}, {"! Cyd (custodian-3) is not one of them", ""}, {asked, "\x03"}}, want: "[] interrupted"},
		{name: "a slip", scene: "present", lines: []line{{asked, "custodian-2 all\r"}, {`! the plan has nobody called "all"`, ""}, {asked, "\x04"}}, want: "[] EOF"},
	})
}

func TestConfirm(t *testing.T) {
	both := []line{{"your ID: ", "witness\r"}, {"your ID: ", "OPERATOR-1\r"}}
	playAll(t, []part{
		{name: "in any order", scene: "identity", lines: both, want: "fingerprint cmac:0a1b2c3d4e <nil>", screen: `
1. Gate identity: the fingerprint of the material was read aloud
   With Ona (operator-1), Wim (witness).
   fingerprint cmac:0a1b2c3d4e
   Each of you types their ID if it is so, and no if not: the fingerprint of
   the material was read aloud.
1.1 Ona (operator-1), Wim (witness): your ID: witness
   Wim (witness) confirms.
1.2 Ona (operator-1): your ID: OPERATOR-1
   Ona (operator-1) confirms.
`},
		{name: "wrong people", scene: "identity", lines: append([]line{
			{"1.1 Ona (operator-1), Wim (witness): your ID: ", "lead\r"}, {"! Lea (lead) is not one of those who confirm this", ""},
			{"1.1 Ona (operator-1), Wim (witness): your ID: ", "witnes\r"}, {`! the plan has nobody called "witnes"`, ""},
			{"your ID: ", "\r"}, {"your ID: ", "witness\r"},
			{"1.2 Ona (operator-1): your ID: ", "witness\r"}, {"! Wim (witness) has confirmed already", ""},
		}, both[1]), want: "fingerprint cmac:0a1b2c3d4e <nil>"},
		{name: "refused", scene: "identity", lines: []line{both[0], {"your ID: ", "No\r"}}, want: " the gate identity: somebody says that it is not as it should be"},
		{name: "interrupted", scene: "identity", lines: []line{both[0], {"your ID: ", "\x03"}}, want: " interrupted"},
		{name: "beside the gates", scene: "discard", lines: []line{
			{"1. Destroy share 2 of 3, for good", ""}, {"2. Destroy copy-1 (", ""}, {"), for good", ""}, {"3. Say what is known of the KMS key: primary", ""}, {"4. Retire the old escrow and its shares", ""},
			{"Each of you types their ID if it is so, and no if not.", ""}, both[0], {"your ID: ", "no"}}, want: " somebody says that it is not so"},
		{name: "a digest in words", scene: "bundle", lines: append([]line{{"     e58294f2e9a22748  topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator", ""}}, both...),
			want: "bundle-1.json sha256:" + digest + " <nil>"},
		{name: "the wall clock", scene: "open", lines: append([]line{
			{"0.1 Wim (witness): date and time by the clock on the wall, in UTC (such as 2026-12-01 09:30): ", "9:30\r"}, {"! that is no date and time", ""},
			{"0.1 Wim (witness): ", "2026-12-01 09:31\r"},
		}, both...), want: "2026-12-01T09:31:00Z keymat 1.0 <nil>"},
		{name: "a wall clock elsewhere", scene: "open", lines: append([]line{{"on the wall", "2026-12-01T09:31:07+01:00\r"}}, both...), want: "2026-12-01T08:31:07Z keymat 1.0 <nil>"},
	})
}

const spokenDigest = "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa afflict bravado chatter revolver Dupont midsummer " +
	"stopwatch whimsical cowbell bottomless stairway souvenir flytrap recipe adrift upcoming artist positive spearhead Pandora spaniel stupendous"

func TestHeard(t *testing.T) {
	words := strings.Fields(spokenDigest)
	first, rest := strings.Join(words[:9], "-"), strings.ToUpper(strings.Join(words[9:], "  "))
	playAll(t, []part{
		{name: "words", scene: "heard", lines: []line{{"0.1 0 of 32: ", first + "\r"}, {"0.1 9 of 32: ", rest + "\r"}}, want: digest + " <nil>"},
		{name: "digits", scene: "heard", lines: []line{{"0 of 32: ", strings.ToUpper(digest[:20]) + "\r"}, {"10 of 32: ", digest[20:40] + ":" + digest[40:] + "\r"}}, want: digest + " <nil>"},
		{name: "a wrong word", scene: "heard", lines: []line{{"0 of 32: ", first + "\r"}, {"9 of 32: ", "Pluto\r"},
			{`! "Pluto", of two syllables, cannot be word 10: one up to here was left out, said twice or exchanged; the line was not taken (- begins again)`, ""},
			{"9 of 32: ", rest + "\r"}}, want: digest + " <nil>"},
		{name: "one word too many", scene: "heard", lines: []line{{"0 of 32: ", spokenDigest + " topmost\r"}, {"! 33 bytes, want 32", ""}, {"0 of 32: ", spokenDigest + "\r"}}, want: digest + " <nil>"},
		{name: "from the beginning", scene: "heard", lines: []line{{"0 of 32: ", first + "\r"}, {"9 of 32: ", "-\r"}, {"0 of 32: ", "\r"}, {"0 of 32: ", spokenDigest + "\r"}}, want: digest + " <nil>"},
		{name: "interrupted", scene: "heard", lines: []line{{"0 of 32: ", "\x03"}}, want: " interrupted"},
	})
}

func TestDecide(t *testing.T) {
	const asked = "0.1 Lea (lead): Share 1 is not right.\r\n  1      repeat\r\n  2      void\r\n> "
	playAll(t, []part{
		{name: "the second", scene: "decide", lines: []line{{asked, "3\r"}, {"Please type one of 1 or 2.", "2\r"}}, want: "1 <nil>"},
		{name: "interrupted", scene: "decide", lines: []line{{asked, "\x03"}}, want: "0 interrupted"},
	})
}

func TestSign(t *testing.T) {
	playAll(t, []part{
		{name: "with a file", scene: "sign", arg: "lead", lines: []line{{"To be signed, as keymat-plan@v1: SHA-256", ""},
			{"0.1 Lea (lead): how do you sign, with the key SHA256:6YcWfCQGNck6SwhFXsKmif6yYeGiKW2Coj6UJaZe81A?", ""}, {"> ", "2\r"}, {"0.2 Lea (lead): file with the private key: ", "mine\r"}}, want: "signed <nil>"},
		{name: "at the second attempt", scene: "sign", arg: "lead", lines: []line{
			{"> ", "1\r"}, {"! the ssh-agent does not have the key", ""}, {"> ", "2\r"}, {"private key: ", "\r"}, {"> ", "2\r"}, {"private key: ", "other\r"},
			{"! signed with the key SHA256:", ""}, {"> ", "2\r"}, {"private key: ", "mine\r"}, {"Lea (lead) has signed.", ""},
		}, want: "signed <nil>"},
		{name: "later", scene: "sign", arg: "lead", lines: []line{{"> ", "3\r"}}, want: "no signature <nil>"},
		{name: "interrupted", scene: "sign", arg: "lead", lines: []line{{"> ", "2\r"}, {"private key: ", "\x03"}}, want: "no signature interrupted"},
		{name: "no key", scene: "sign", arg: "nobody", want: "no signature the plan has no key for "},
	})
}
