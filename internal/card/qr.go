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

// encodeQR makes a QR code. Level M repairs 15 % of it: a fold or a stain.
func encodeQR(text []byte) (*qr.Code, error) {
	code, err := qr.Encode(string(text), qr.M)
	if err != nil {
		return nil, fmt.Errorf("making the QR code: %w", err)
	}
	return code, nil
}

// A run of dark modules, without the quiet zone.
type run struct{ x, y, length int }

func runsOf(code *qr.Code) (all []run) {
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			r := run{x: x, y: y}
			for code.Black(x+r.length, y) {
				r.length++
			}
			if r.length > 0 {
				all = append(all, r)
				x += r.length
			}
		}
	}
	return all
}

// drawing returns the code as SVG, a rectangle for each run of dark modules.
func drawing(code *qr.Code) template.HTML {
	var path strings.Builder
	for _, r := range runsOf(code) {
		fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", r.x+quietZone, r.y+quietZone, r.length, r.length)
	}
	side := code.Size + 2*quietZone
	width := float64(side) * moduleSize
	return template.HTML(fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%.2fmm" height="%.2fmm" viewBox="0 0 %d %d" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%dv%dh-%dz"/><path fill="#000" d="%s"/></svg>`,
		width, width, side, side, side, side, side, path.String()))
}
