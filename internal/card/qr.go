// SPDX-License-Identifier: Apache-2.0

package card

import (
	"fmt"
	"html/template"
	"strings"

	"rsc.io/qr"
)

const (
	quietZone = 4 // modules around a QR code (ISO/IEC 18004, section 6.3.8)

	// moduleSize is the side of a module in print: 4 dots of a printer of 150 dpi, so that no module falls between dots.
	moduleSize = 25.4 * 4 / 150 // mm
)

// qrCode returns a QR code as SVG, a rectangle for each run of dark modules. Level M repairs 15 % of it: a fold or a stain.
func qrCode(text string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("making the QR code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := 0
			for code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+quietZone, y+quietZone, run, run)
				x += run
			}
		}
	}
	side := code.Size + 2*quietZone
	width := float64(side) * moduleSize
	return template.HTML(fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%.2fmm" height="%.2fmm" viewBox="0 0 %d %d" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%dv%dh-%dz"/><path fill="#000" d="%s"/></svg>`,
		width, width, side, side, side, side, side, path.String())), nil
}
