package servers

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// processState is what the kernel tells of a process.
type processState struct {
	parent int
	state  byte // the letter that ps shows: R, S, D, T, Z, ...
}

func (p processState) gone() bool    { return p.state == 'Z' || p.state == 'X' }
func (p processState) stopped() bool { return p.state == 'T' || p.state == 't' }

// treeOf lists a process and all that descend from it, parents first.
func treeOf(pid int) ([]int, error) {
	table, err := processTable()
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for child, p := range table {
		children[p.parent] = append(children[p.parent], child)
	}
	tree := []int{pid}
	for i := 0; i < len(tree); i++ {
		tree = append(tree, children[tree[i]]...)
	}
	return tree, nil
}

// stopTree stops a whole tree and lists it. The first process stops before its
// children are listed, so that it cannot make another in between.
func stopTree(pid int) ([]int, error) {
	if err := signalAll([]int{pid}, syscall.SIGSTOP); err != nil {
		return nil, err
	}
	if err := await([]int{pid}, processState.stopped, 5*time.Second); err != nil {
		return nil, err
	}
	tree, err := treeOf(pid)
	if err != nil {
		return nil, err
	}
	if err := signalAll(tree, syscall.SIGSTOP); err != nil {
		return nil, err
	}
	return tree, await(tree, processState.stopped, 5*time.Second)
}

// resumeTree lets a stopped tree go on.
func resumeTree(pid int) error {
	tree, err := treeOf(pid)
	if err != nil {
		return err
	}
	for i := len(tree) - 1; i >= 0; i-- {
		if err := signalAll(tree[i:i+1], syscall.SIGCONT); err != nil {
			return err
		}
	}
	return nil
}

// killTree ends a whole tree by SIGKILL, stopped or not, and waits until it is gone.
func killTree(pid int) error {
	tree, err := stopTree(pid)
	if tree == nil {
		tree = []int{pid}
	}
	return errors.Join(err, signalAll(tree, syscall.SIGKILL), await(tree, processState.gone, 10*time.Second))
}

// endTree resumes a tree, sends its first process a signal that ends it, and
// kills all that is left when the patience is over.
func endTree(pid int, end syscall.Signal, patience time.Duration) error {
	tree, err := treeOf(pid)
	if err != nil {
		return err
	}
	// The signal first: a resumed process handles it before anything else.
	if err := errors.Join(signalAll([]int{pid}, end), resumeTree(pid)); err != nil {
		return err
	}
	if await(tree, processState.gone, patience) == nil {
		return nil
	}
	return errors.Join(killTree(pid), signalAll(tree[1:], syscall.SIGKILL))
}

// signalAll sends a signal to processes; one that is gone is no error.
func signalAll(pids []int, s syscall.Signal) error {
	for _, pid := range pids {
		if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("send %v to process %d: %w", s, pid, err)
		}
	}
	return nil
}

// await waits until all processes are in a state; one that is gone counts as being in any.
func await(pids []int, is func(processState) bool, wait time.Duration) error {
	for deadline := time.Now().Add(wait); ; time.Sleep(2 * time.Millisecond) {
		late := 0
		for _, pid := range pids {
			if p, ok := processOf(pid); ok && !p.gone() && !is(p) {
				late = pid
				break
			}
		}
		if late == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("process %d did not follow a signal within %v", late, wait)
		}
	}
}
