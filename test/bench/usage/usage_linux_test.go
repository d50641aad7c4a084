package usage

import (
	"bufio"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestCPU has a child's child burn some time, which must be found, and that of a child that has ended too.
func TestCPU(t *testing.T) {
	before, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	// The inner shell works, then tells so and waits to be ended.
	script := `sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; read x'; true`
	cmd := exec.Command("sh", "-c", script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	own, err := CPU(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if own < 2*tick || own > time.Minute {
		t.Errorf("a loop in a child's child took %v", own)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(); own > used+2*tick {
		t.Errorf("%v were found while it ran, the kernel's sum at the end is %v", own, used)
	}
	after, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if after-before < own-2*tick {
		t.Errorf("the test took %v with a child that took %v", after-before, own)
	}
	if _, err := CPU(cmd.Process.Pid); err == nil {
		t.Error("a process that has ended has an account")
	}
}

func TestMemoryOf(t *testing.T) {
	before, err := MemoryOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 64<<20)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	after, err := MemoryOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if grown := after.PSS - before.PSS; grown < 48<<20 || grown > 256<<20 {
		t.Errorf("64 MiB more are seen as %d bytes", grown)
	}
	if after.RSS < after.PSS || after.Peak < after.RSS/2 || block[4096] != 1 {
		t.Errorf("got %+v", after)
	}
}

func TestParent(t *testing.T) {
	if parent, err := Parent(os.Getpid()); err != nil || parent != os.Getppid() {
		t.Errorf("got %d, %v, want %d", parent, err, os.Getppid())
	}
}
