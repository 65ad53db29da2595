// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"encoding/base64"
	"strings"
)

// paging holds the members of list requests.
type paging struct {
	Limit  int    `shape:"LimitType"`
	Marker string `shape:"MarkerType"`
}

// page holds the members of list answers. Truncated is always there,
// NextMarker only with more to come (recorded).
type page struct {
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

// A marker is the name of the last item told, made opaque. The salt shows
// that we made it, and for which kind of list.
func makeMarker(kind, last string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("marker:" + kind + ":" + last))
}

// after reads the request's marker: the name to go on after, or "".
func (p *paging) after(kind string) (string, error) {
	if p.Marker == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(p.Marker)
	last, ok := strings.CutPrefix(string(b), "marker:"+kind+":")
	if err != nil || !ok {
		return "", invalidMarker()
	}
	return last, nil
}

func (p *paging) limit(standard int) int {
	if p.Limit == 0 {
		return standard
	}
	return p.Limit
}

// collect calls take for the records that begin with prefix, one page full.
// take says whether the record counts.
func (p *paging) collect(c *call, standard int, prefix string, take func(r *records, name string) (bool, error)) (page, error) {
	after, err := p.after(prefix)
	if err != nil {
		return page{}, err
	}
	var result page
	err = c.read(func(r *records) error {
		left, last := p.limit(standard), ""
		var err error
		r.list(prefix, after, func(name string) bool {
			if left == 0 { // there is one more
				result = page{NextMarker: makeMarker(prefix, last), Truncated: true}
				return false
			}
			var counts bool
			if counts, err = take(r, name); counts {
				left--
			}
			last = name
			return err == nil
		})
		return err
	})
	return result, err
}

// slicePage returns one page of a list that is already at hand, whose items
// are told apart by name.
func slicePage[T any](p *paging, standard int, kind string, list []T, name func(T) string) ([]T, page, error) {
	after, err := p.after(kind)
	if err != nil {
		return nil, page{}, err
	}
	if after != "" {
		i := 0
		for i < len(list) && name(list[i]) != after {
			i++
		}
		if i == len(list) {
			return nil, page{}, invalidMarker()
		}
		list = list[i+1:]
	}
	n := p.limit(standard)
	if len(list) <= n {
		return list, page{}, nil
	}
	return list[:n], page{NextMarker: makeMarker(kind, name(list[n-1])), Truncated: true}, nil
}
