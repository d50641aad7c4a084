//go:build unix

package postgres

import "syscall"

// quiet tells whether the connection is open and nothing has come over it unasked. A server that ends says so on all
// idle connections; finding that out here, without a round trip, spares the next caller an error.
func (w *wire) quiet() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down || w.conn == nil {
		return false
	}
	c, ok := w.conn.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true
	})
	return err == nil && quiet
}
