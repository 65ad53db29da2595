// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/fips140"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// Version says which program this is, and which cryptographic module it uses.
type Version struct {
	Version  string      `json:"version"`
	Revision string      `json:"revision,omitempty"`
	Modified bool        `json:"modified,omitempty"`
	Go       string      `json:"go"`
	Platform string      `json:"platform"`
	FIPS     FIPSVersion `json:"fips140"`
}

// FIPSVersion says what crypto/fips140 reports of this process.
type FIPSVersion struct {
	Module   string `json:"module_version"`
	Enabled  bool   `json:"enabled"`
	Enforced bool   `json:"enforced"`
	Build    string `json:"build_setting,omitempty"` // GOFIPS140, which alone names the exact module build
}

// ThisVersion is that of the running program.
func ThisVersion() Version {
	v := Version{
		Version:  "unknown",
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		FIPS:     FIPSVersion{Module: fips140.Version(), Enabled: fips140.Enabled(), Enforced: fips140.Enforced()},
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

// Text tells the version for people; name is that of the program.
func (v Version) Text(w io.Writer, name string) {
	fmt.Fprintf(w, "%s %s (%s, %s)\n", name, v.Version, v.Go, v.Platform)
	state := "off"
	switch {
	case v.FIPS.Enforced:
		state = "enforced"
	case v.FIPS.Enabled:
		state = "on"
	}
	fmt.Fprintf(w, "Go Cryptographic Module %s, FIPS 140 mode %s\n", v.FIPS.Module, state)
}
