// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"io"

	"github.com/keymat/keymat/internal/files"
)

// ReadFile reads a file of ours of at most max bytes; name "-" is stdin. What read finds wrong is told with the name.
func ReadFile[T any](name string, stdin io.Reader, max int64, read func(io.Reader) (T, error)) (T, error) {
	data, err := files.ReadLimited(name, stdin, max)
	if err != nil {
		var none T
		return none, err
	}
	v, err := read(bytes.NewReader(data))
	if err != nil {
		return v, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

// WritePublic writes what encode gives to a new file that anyone may read.
func WritePublic(name string, encode func(io.Writer) error, o files.Overwrite) error {
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		return err
	}
	return files.WritePublic(name, b.Bytes(), o)
}
