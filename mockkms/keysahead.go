// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"errors"
	"log/slog"
	"sync"
	"time"
)

// KeysAhead says how many wrapping keys of each size to keep in store.
type KeysAhead struct {
	RSA2048, RSA3072, RSA4096 int
}

// DefaultKeysAhead serves some tries in a row, and takes a core about ten
// seconds to make.
var DefaultKeysAhead = KeysAhead{RSA2048: 8, RSA3072: 4, RSA4096: 4}

// keysAhead makes wrapping keys before they are needed, one at a time, on a
// thread of low priority where the system has such.
type keysAhead struct {
	want    map[string]int
	stopped chan struct{}
	taken   chan struct{} // holds one token after a key was taken
	stop    func()
}

// restockInterval is how soon keys taken by another process are noticed.
const restockInterval = 10 * time.Second

func newKeysAhead(n KeysAhead) *keysAhead {
	a := &keysAhead{
		want:    map[string]int{"RSA_2048": n.RSA2048, "RSA_3072": n.RSA3072, "RSA_4096": n.RSA4096},
		stopped: make(chan struct{}),
		taken:   make(chan struct{}, 1),
	}
	a.stop = sync.OnceFunc(func() { close(a.stopped) })
	return a
}

func (a *keysAhead) start(s Store, log *slog.Logger) { go a.run(s, log) }

func (a *keysAhead) wake() {
	select {
	case a.taken <- struct{}{}:
	default:
	}
}

func (a *keysAhead) run(s Store, log *slog.Logger) {
	lowerPriority()
	tick := time.NewTicker(restockInterval)
	defer tick.Stop()
	for {
		if err := a.restock(s); errors.Is(err, ErrStoreClosed) {
			return
		} else if err != nil {
			log.Warn("making wrapping keys ahead", "error", err)
		}
		select {
		case <-a.stopped:
			return
		case <-a.taken:
		case <-tick.C:
		}
	}
}

// restock makes keys until the store has enough of each size. The smallest
// come first: they are quick to make and most asked for.
func (a *keysAhead) restock(s Store) error {
	for _, spec := range []string{"RSA_2048", "RSA_3072", "RSA_4096"} {
		for {
			select {
			case <-a.stopped:
				return nil
			default:
			}
			stock, err := stockOf(s, spec)
			if err != nil || stock >= a.want[spec] {
				if err != nil {
					return err
				}
				break
			}
			k, err := generateWrappingKey(spec)
			if err != nil {
				return err
			}
			if err := s.Update(func(tx Tx) error { return tx.Put(poolRecord(spec), k.private) }); err != nil {
				return err
			}
		}
	}
	return nil
}

func stockOf(s Store, spec string) (n int, err error) {
	err = s.View(func(tx Tx) error {
		n = 0
		tx.Ascend(poolRecords+spec+"/", "", func(_, _ []byte) bool {
			n++
			return true
		})
		return nil
	})
	return n, err
}
