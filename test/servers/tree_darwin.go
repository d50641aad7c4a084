package servers

import (
	"bytes"
	"fmt"
	"os/exec"
	"syscall"
)

// processTable lists the processes of the machine by their numbers.
func processTable() (map[int]processState, error) {
	out, err := exec.Command("/bin/ps", "-axo", "pid=,ppid=,state=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	table := map[int]processState{}
	for line := range bytes.Lines(out) {
		var pid int
		var p processState
		if n, _ := fmt.Sscanf(string(line), "%d %d %c", &pid, &p.parent, &p.state); n == 3 {
			table[pid] = p
		}
	}
	return table, nil
}

// processOf looks at one process; false when there is none of that number.
func processOf(pid int) (processState, bool) {
	table, err := processTable()
	p, ok := table[pid]
	return p, ok && err == nil
}

// withParent does nothing: macOS has no such signal, the watchdog does the work alone.
func withParent(*syscall.SysProcAttr, syscall.Signal) {}

// freeSharedMemory does nothing: the segment of some bytes stays until the next boot.
func freeSharedMemory(string) {}
