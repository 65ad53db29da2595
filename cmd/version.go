// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"crypto/fips140"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersionCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and which cryptographic module is in use",
		Long: `Print the version of keymat, of Go, and of the Go Cryptographic Module, and
whether FIPS 140 mode is on or enforced. These are observations about this
process; they are no statement of validation.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.print(thisVersion()) },
	}
}

type version struct {
	Version  string      `json:"version"`
	Revision string      `json:"revision,omitempty"`
	Modified bool        `json:"modified,omitempty"`
	Go       string      `json:"go"`
	Platform string      `json:"platform"`
	FIPS     fipsVersion `json:"fips140"`
}

// fipsVersion says what crypto/fips140 reports of this process.
type fipsVersion struct {
	Module   string `json:"module_version"`
	Enabled  bool   `json:"enabled"`
	Enforced bool   `json:"enforced"`
	Build    string `json:"build_setting,omitempty"` // GOFIPS140, which alone names the exact module build
}

func thisVersion() version {
	v := version{
		Version:  "unknown",
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		FIPS:     fipsVersion{Module: fips140.Version(), Enabled: fips140.Enabled(), Enforced: fips140.Enforced()},
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		case "GOFIPS140":
			v.FIPS.Build = s.Value
		}
	}
	return v
}

func (v version) text(w io.Writer) {
	fmt.Fprintf(w, "keymat %s (%s, %s)\n", v.Version, v.Go, v.Platform)
	state := "off"
	switch {
	case v.FIPS.Enforced:
		state = "enforced"
	case v.FIPS.Enabled:
		state = "on"
	}
	fmt.Fprintf(w, "Go Cryptographic Module %s, FIPS 140 mode %s\n", v.FIPS.Module, state)
}
