//go:build wasip1

// Package runtime is what wit-bindgen's Go code needs at run time, with the same names as in wit-bindgen's own package.
//
// It differs in one thing, `cabi_realloc`, by which the host asks for memory for what it hands over. Within it a component may
// call nothing outside, but Go's garbage collector reads the clock, and a collection that begins or goes on there ends the
// instance. So the collector never starts by itself: it is switched off, and runs between calls and within them, to its end,
// wherever Collect finds that enough garbage may have gathered. And since nothing is collected between cabi_realloc and the
// moment when Go code holds what the host wrote there, nothing need be pinned: it is garbage like all else once it is let go of.
package runtime

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"unsafe"
)

// Handle is a resource's handle.
type Handle struct {
	value int32
}

// Use is the handle.
func (h *Handle) Use() int32 {
	if h.value == 0 {
		panic("nil handle")
	}
	return h.value
}

// Take is the handle, which is given away.
func (h *Handle) Take() int32 {
	value := h.Use()
	h.value = 0
	return value
}

// Set sets the handle.
func (h *Handle) Set(value int32) {
	if value == 0 {
		panic("nil handle")
	}
	if h.value != 0 {
		panic("handle already set")
	}
	h.value = value
}

// TakeOrNil is the handle, which is given away, or 0.
func (h *Handle) TakeOrNil() int32 {
	value := h.value
	h.value = 0
	return value
}

// MakeHandle wraps a handle.
func MakeHandle(value int32) *Handle {
	if value == 0 {
		panic("nil handle")
	}
	return &Handle{value}
}

// Allocate is memory that stays where it is until it is unpinned.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	pointer := allocate(size, align)
	pinner.Pin(pointer)
	return pointer
}

// allocate is memory for what has no pointers that Go knows of, aligned to 8 bytes.
func allocate(size, align uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	if align > 8 {
		panic(fmt.Sprintf("unsupported alignment: %v", align))
	}
	return unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
}

// Unpin is called by what is generated; there is nothing to unpin.
func Unpin() {}

//go:linkname sbrk runtime.sbrk
func sbrk(n uintptr) unsafe.Pointer

// Whether Go is there; before, memory comes from the system and is never given back.
var ready = false

//go:wasmexport cabi_realloc
func cabiRealloc(oldPointer unsafe.Pointer, oldSize, align, newSize uintptr) unsafe.Pointer {
	if oldPointer != nil || oldSize != 0 {
		panic("cabi_realloc is not asked to make something larger")
	}
	if ready {
		handed += newSize
		return allocate(newSize, align)
	}
	start := uintptr(sbrk(newSize + align))
	return unsafe.Pointer((start + align - 1) &^ (align - 1))
}

// Below this many bytes of objects, living or not, nothing is collected.
const quiet = 8 << 20

var (
	heap = []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	// The bytes at which garbage is collected next.
	budget uint64 = quiet
)

func init() {
	debug.SetGCPercent(-1)
	ready = true
}

// To look costs a few microseconds: within a call it is done when as many bytes were handed over, or at so many calls to the host.
const (
	handedMax = 256 << 10
	askedMax  = 32
)

var (
	handed uintptr
	asked  int
)

// Asked is called after each call to the host.
func Asked() {
	asked++
	if asked >= askedMax || handed >= handedMax {
		Collect()
	}
}

// Collect collects garbage if as much may have gathered as is in use. Goroutines that the collector woke get their turn
// before the host is called again.
func Collect() {
	asked, handed = 0, 0
	metrics.Read(heap)
	if heap[0].Value.Uint64() < budget {
		return
	}
	runtime.GC()
	for range 4 {
		runtime.Gosched()
	}
	metrics.Read(heap)
	budget = max(quiet, 2*heap[0].Value.Uint64())
}
