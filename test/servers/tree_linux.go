package servers

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// processTable lists all processes of the machine by their numbers.
func processTable() (map[int]processState, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	table := make(map[int]processState, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if p, ok := processOf(pid); ok {
			table[pid] = p
		}
	}
	return table, nil
}

// processOf looks at one process; false when there is none of that number.
func processOf(pid int) (processState, bool) {
	var p processState
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return p, false
	}
	// The name, in parentheses, may hold anything: what counts follows its last one.
	_, err = fmt.Sscanf(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " %c %d", &p.state, &p.parent)
	return p, err == nil
}

// withParent has the kernel send a signal to the new process when the thread that starts it ends.
func withParent(attr *syscall.SysProcAttr, end syscall.Signal) {
	attr.Pdeathsig = end
}

// freeSharedMemory removes the System V segment that a killed PostgreSQL left
// behind. It is named on the seventh line of the server's postmaster.pid.
func freeSharedMemory(postmasterPID string) {
	text, err := os.ReadFile(postmasterPID)
	if err != nil {
		return
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 7 {
		return
	}
	var key, id int
	if n, _ := fmt.Sscan(lines[6], &key, &id); n == 2 {
		_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil) // gone already is as good
	}
}
