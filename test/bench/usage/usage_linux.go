package usage

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/PID/stat: USER_HZ is 100 on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// CPU is the time that a process and all its descendants have spent on processors, in user and kernel mode. Children
// that have ended count where their parent has waited for them.
func CPU(pid int) (time.Duration, error) {
	all, err := tree(pid)
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, p := range all {
		sum += p.cpu
	}
	return sum, nil
}

// Memory is how much of a machine's memory processes hold, in bytes.
type Memory struct {
	// RSS counts a page that several processes share once for each, PSS in parts.
	RSS, PSS int64
	// Peak is the highest RSS that there ever was.
	Peak int64
}

// MemoryOf adds up the memory of a process and all its descendants.
func MemoryOf(pid int) (Memory, error) {
	all, err := tree(pid)
	if err != nil {
		return Memory{}, err
	}
	var sum Memory
	for id := range all {
		own := "/proc/" + strconv.Itoa(id)
		rollup, err := fields(own + "/smaps_rollup")
		if err != nil && id != pid {
			continue // it has ended meanwhile
		}
		if err != nil {
			return Memory{}, err
		}
		status, err := fields(own + "/status")
		if err != nil && id != pid {
			continue
		}
		if err != nil {
			return Memory{}, err
		}
		sum.RSS += rollup["Rss"]
		sum.PSS += rollup["Pss"]
		sum.Peak += status["VmHWM"]
	}
	return sum, nil
}

// Parent gives the process that started another one.
func Parent(pid int) (int, error) {
	s, err := read(pid)
	return s.parent, err
}

// state is what one process says of itself.
type state struct {
	parent int
	cpu    time.Duration
}

// tree gives a process and all its descendants. One that ends meanwhile is left out.
func tree(root int) (map[int]state, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	all := map[int]state{}
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if s, err := read(pid); err == nil {
				all[pid] = s
			}
		}
	}
	if _, lives := all[root]; !lives {
		return nil, fmt.Errorf("there is no process %d", root)
	}
	found := map[int]state{}
	for pid, s := range all {
		// A loop cannot be, but the table is not of one moment.
		for up, steps := pid, 0; up > 1 && steps < 100; up, steps = all[up].parent, steps+1 {
			if up == root {
				found[pid] = s
				break
			}
		}
	}
	return found, nil
}

// read reads /proc/PID/stat.
func read(pid int) (state, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return state{}, err
	}
	// The name, in parentheses, may hold anything. What follows begins with the third field, the state.
	parts := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(parts) < 15 {
		return state{}, fmt.Errorf("/proc/%d/stat is %q", pid, text)
	}
	var s state
	if s.parent, err = strconv.Atoi(string(parts[1])); err != nil {
		return state{}, err
	}
	for _, field := range parts[11:15] { // utime, stime, cutime, cstime
		ticks, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return state{}, err
		}
		s.cpu += time.Duration(ticks) * tick
	}
	return s, nil
}

// fields reads lines such as "Pss:   123 kB", in bytes.
func fields(path string) (map[string]int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	found := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		words := strings.Fields(rest)
		if len(words) == 2 && words[1] == "kB" {
			if n, err := strconv.ParseInt(words[0], 10, 64); err == nil {
				found[name] = n << 10
			}
		}
	}
	return found, nil
}
