//go:build !unix

package postgres

// quiet tells whether the connection has not been cut. Whether the server has closed it shows when it is used.
func (w *wire) quiet() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.down && w.conn != nil
}
