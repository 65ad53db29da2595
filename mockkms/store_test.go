// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/keymat/keymat/mockkms"
)

// stores are both implementations; what holds for one holds for the other.
func stores(t *testing.T) map[string]mockkms.Store {
	file := must(mockkms.OpenStore(filepath.Join(t.TempDir(), "state")))
	t.Cleanup(func() { file.Close() })
	return map[string]mockkms.Store{"memory": mockkms.NewMemoryStore(), "file": file}
}

func put(t *testing.T, s mockkms.Store, key, value string) {
	t.Helper()
	if err := s.Update(func(tx mockkms.Tx) error { return tx.Put(key, []byte(value)) }); err != nil {
		t.Fatal(err)
	}
}

// contents lists the records from a key on, as key=value.
func contents(s mockkms.Store, from string) (list []string, err error) {
	return contentsBelow(s, "", from)
}

// contentsBelow lists those whose keys begin with prefix.
func contentsBelow(s mockkms.Store, prefix, from string) (list []string, err error) {
	err = s.View(func(tx mockkms.Tx) error {
		tx.Ascend(prefix, from, func(k, v []byte) bool {
			list = append(list, fmt.Sprintf("%s=%s", k, v))
			return true
		})
		return nil
	})
	return list, err
}

func TestStoreKeepsRecordsInOrder(t *testing.T) {
	for name, s := range stores(t) {
		for _, k := range []string{"b", "a", "c", "ab"} {
			put(t, s, k, k+"1")
		}
		put(t, s, "b", "b2")
		must(0, s.Update(func(tx mockkms.Tx) error { return errors.Join(tx.Delete("c"), tx.Delete("never there")) }))
		if got, want := must(contents(s, "ab")), []string{"ab=ab1", "b=b2"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestStoreAscendsWithinPrefix(t *testing.T) {
	for name, s := range stores(t) {
		for _, k := range []string{"a", "a/", "a/2", "a/1", "a/1/1", "a0", "b/1"} {
			put(t, s, k, "")
		}
		for _, c := range []struct {
			prefix, from string
			want         []string
		}{
			{"a/", "", []string{"a/=", "a/1=", "a/1/1=", "a/2="}},
			{"a/1", "", []string{"a/1=", "a/1/1="}},
			{"a/", "a/1/", []string{"a/1/1=", "a/2="}},
			{"a/", "a/3", nil},
			{"a/", "b", nil},
			{"a", "a/2", []string{"a/2=", "a0="}},
			{"c/", "", nil},
			{"", "a/2", []string{"a/2=", "a0=", "b/1="}},
		} {
			if got := must(contentsBelow(s, c.prefix, c.from)); !slices.Equal(got, c.want) {
				t.Errorf("%s: below %q from %q: got %v, want %v", name, c.prefix, c.from, got, c.want)
			}
		}
	}
}

// An order that was asked for is kept: through changes, and their undoing.
func TestStoreStaysInOrder(t *testing.T) {
	for name, s := range stores(t) {
		put(t, s, "a/2", "")
		if got, want := must(contentsBelow(s, "a/", "")), []string{"a/2="}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
		put(t, s, "a/3", "")
		put(t, s, "a/1", "")
		must(0, s.Update(func(tx mockkms.Tx) error { return errors.Join(tx.Delete("a/2"), tx.Put("a/3", []byte("new"))) }))
		failure := errors.New("no")
		err := s.Update(func(tx mockkms.Tx) error { return errors.Join(tx.Delete("a/1"), tx.Put("a/4", nil), failure) })
		if !errors.Is(err, failure) {
			t.Errorf("%s: got error %v, want %v", name, err, failure)
		}
		for _, prefix := range []string{"a/", ""} {
			if got, want := must(contentsBelow(s, prefix, "")), []string{"a/1=", "a/3=new"}; !slices.Equal(got, want) {
				t.Errorf("%s: below %q: got %v, want %v", name, prefix, got, want)
			}
		}
	}
}

func TestStoreUndoesFailedUpdates(t *testing.T) {
	failure := errors.New("no")
	for name, s := range stores(t) {
		put(t, s, "a", "1")
		err := s.Update(func(tx mockkms.Tx) error {
			return errors.Join(tx.Put("a", []byte("2")), tx.Put("b", nil), tx.Delete("a"), failure)
		})
		if !errors.Is(err, failure) {
			t.Errorf("%s: got error %v, want %v", name, err, failure)
		}
		if got, want := must(contents(s, "")), []string{"a=1"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestStorePassesPanicsAndGoesOn(t *testing.T) {
	for name, s := range stores(t) {
		for _, call := range []func(func(mockkms.Tx) error) error{s.View, s.Update} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: the panic did not pass", name)
					}
				}()
				call(func(mockkms.Tx) error { panic("mistake") })
			}()
		}
		put(t, s, "a", "1")
	}
}

func TestStoreRefusesWritingInView(t *testing.T) {
	for name, s := range stores(t) {
		if err := s.View(func(tx mockkms.Tx) error { return tx.Put("a", nil) }); err == nil {
			t.Errorf("%s: Put in View succeeded", name)
		}
	}
}

func TestStoreAfterClose(t *testing.T) {
	for name, s := range stores(t) {
		must(0, s.Close())
		nothing := func(mockkms.Tx) error { return nil }
		if err := errors.Join(s.View(nothing), s.Update(nothing)); !errors.Is(err, mockkms.ErrStoreClosed) {
			t.Errorf("%s: got %v, want %v", name, err, mockkms.ErrStoreClosed)
		}
	}
}

// Every update must count once, also when others in the same commit fail.
func TestStoreConcurrentUpdates(t *testing.T) {
	const writers, rounds = 16, 25
	for name, s := range stores(t) {
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range rounds {
					err := s.Update(func(tx mockkms.Tx) error {
						n, _ := strconv.Atoi(string(tx.Get("n")))
						if err := tx.Put("n", []byte(strconv.Itoa(n+1))); err != nil || (w+i)%5 != 0 {
							return err
						}
						return errors.New("changed my mind")
					})
					if (err == nil) == ((w+i)%5 == 0) {
						t.Errorf("%s: update %d of %d: error %v", name, i, w, err)
					}
				}
			})
		}
		wg.Wait()
		want := []string{fmt.Sprintf("n=%d", writers*rounds*4/5)}
		if got := must(contents(s, "")); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}
