// SPDX-License-Identifier: Apache-2.0

// Package browser prints pages as PDF with the Chromium, Chrome or Edge of the machine. It goes to no network, and lets the
// page go to none.
package browser

import (
	"os/exec"
	"path"
	"strings"
)

// MissingError says that no browser was found.
type MissingError struct {
	Looked []string // names, looked for as a shell does, and paths
}

func (e *MissingError) Error() string {
	return "found no browser that prints: none of " + strings.Join(e.Looked, ", ")
}

// Candidates are the names and paths of browsers that print, the usual first, on a system (as runtime.GOOS has it). On
// Windows folders of programs are where the environment says.
func Candidates(goos string, getenv func(string) string) []string {
	switch goos {
	case "darwin":
		return []string{
			"/Applications/Chromium.app/Contents/MacOS/Chromium",
			"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
			"/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
			"chromium",
		}
	case "windows":
		return append(inProgramFolders(getenv), "chromium.exe", "chrome.exe", "msedge.exe")
	}
	return []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "microsoft-edge-stable",
		"/opt/google/chrome/chrome", "/opt/microsoft/msedge/msedge",
	}
}

// inProgramFolders are the paths that the installers for Windows use.
func inProgramFolders(getenv func(string) string) (paths []string) {
	for _, variable := range []string{"ProgramFiles", "ProgramFiles(x86)", "LocalAppData"} {
		folder := strings.ReplaceAll(getenv(variable), `\`, "/")
		if folder == "" {
			continue
		}
		for _, program := range []string{"Chromium/Application/chrome.exe", "Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe"} {
			paths = append(paths, path.Join(folder, program))
		}
	}
	return paths
}

// Find returns the path of the first of candidates that is a program here, or a *MissingError.
func Find(candidates []string) (string, error) {
	for _, name := range candidates {
		if found, err := exec.LookPath(name); err == nil {
			return found, nil
		}
	}
	return "", &MissingError{candidates}
}
