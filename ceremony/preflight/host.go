// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Host is the machine that this process runs on. The workspace is the folder
// where files would go; getenv is asked for the environment. An error says why
// the folder cannot be found.
func Host(folder string, getenv func(string) string) (Machine, error) {
	absolute, err := filepath.Abs(folder)
	if err == nil {
		absolute, err = filepath.EvalSymlinks(absolute)
	}
	if err != nil {
		return Machine{}, fmt.Errorf("finding the workspace: %w", err)
	}
	return Machine{
		OS: runtime.GOOS, Files: os.DirFS("/"), Getenv: getenv, UID: os.Geteuid(), Now: time.Now(), Workspace: absolute,
		RandomReady: randomReady,
	}, nil
}
