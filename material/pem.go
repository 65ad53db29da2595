// SPDX-License-Identifier: Apache-2.0

package material

import (
	"encoding/pem"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
)

// recognisePEM reads text with at least one "-----BEGIN " in it. A private key may come with the EC PARAMETERS that openssl
// puts in front and with certificates; two private keys are one too many.
func recognisePEM(data []byte) finding {
	var private, other []finding
	var outer *curve
	blocks := 0
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		blocks++
		if block.Type == "EC PARAMETERS" {
			outer, _ = readCurve(cryptobyte.String(block.Bytes)) // explicit ones are reported from within the key
			continue
		}
		f := recogniseBlock(block, outer)
		if f.pair != nil || f.decrypt != nil || strings.HasSuffix(block.Type, "PRIVATE KEY") {
			private = append(private, f)
		} else {
			other = append(other, f)
		}
	}
	switch {
	case len(private) > 1:
		return foreign("", fmt.Sprintf("%d private keys in PEM", len(private)))
	case len(private) == 1:
		return private[0]
	case len(other) > 0:
		return other[0]
	case blocks > 0:
		return foreign("", "EC PARAMETERS without a key, in PEM")
	default:
		return foreign("", "damaged PEM")
	}
}

func recogniseBlock(block *pem.Block, outer *curve) finding {
	if strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return foreign("", "traditional encrypted PEM (Proc-Type: 4,ENCRYPTED), which protects badly and is not read here")
	}
	damaged := foreign("", fmt.Sprintf("damaged PEM block of %d bytes", len(block.Bytes)))
	switch block.Type {
	case "OPENSSH PRIVATE KEY":
		return recogniseOpenSSH(block)
	case "EC PRIVATE KEY":
		if f, ok := sec1Finding(block.Bytes, outer); ok {
			f.encoding = f.encoding.pem()
			return f
		}
	case "PGP PRIVATE KEY BLOCK", "PGP PUBLIC KEY BLOCK", "PGP MESSAGE":
		return foreign("", "OpenPGP file")
	case "AGE ENCRYPTED FILE":
		return foreign("", "file encrypted with age")
	}
	// The contents say what it is. The label in PEM is often wrong.
	f, ok := recogniseDER(block.Bytes)
	if !ok {
		return damaged
	}
	f.encoding = f.encoding.pem()
	if f.decrypt != nil {
		c, _ := readContainer(block.Bytes)
		f.decrypt = func(passphrase []byte) (finding, error) { return c.open(passphrase, f.encoding) }
	}
	return f
}
