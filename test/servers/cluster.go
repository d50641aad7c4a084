package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// The superuser of every cluster.
const (
	clusterUser     = "root"
	clusterPassword = "password"
)

// postgresCredential returns the user as whom PostgreSQL runs, which refuses to
// be root: nil for the present one.
func postgresCredential() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			continue
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			continue
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("it refuses to run as root, and there is no user postgres or nobody")
}

var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9.]+`)

// makeCluster puts a new cluster into data, a folder in dir. initdb takes 0.7 s,
// a copy of what it made 0.2 s: it runs once for each user and version, and its
// result is kept among the temporary files.
func makeCluster(bin string, credential *syscall.Credential, dir, data string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	version, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return fmt.Errorf("ask for the version: %w", err)
	}
	if err := chown(dir, credential); err != nil {
		return err
	}
	base, err := publicTempDir()
	if err != nil {
		return err
	}
	// The layout's own number stands first: change it when initdb's arguments change.
	kept := filepath.Join(base, fmt.Sprintf("templar-test-cluster-%d", os.Getuid()))
	if err := os.Mkdir(kept, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(kept)
	if err != nil {
		return err
	}
	if !info.IsDir() || !ownedByUs(info) || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not this user's own folder", kept)
	}
	template := filepath.Join(kept, "1"+unsafeInName.ReplaceAllString(string(version), "-"))
	lock, err := lockFile(ctx, template+".lock", time.Minute)
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, err := os.Stat(template); errors.Is(err, fs.ErrNotExist) {
		err = initCluster(ctx, bin, credential, dir, template)
		if err != nil {
			return err
		}
	}
	return copyTree(template, data, credential)
}

// initCluster runs initdb in dir and copies the result to template; a template
// that exists is therefore whole.
func initCluster(ctx context.Context, bin string, credential *syscall.Credential, dir, template string) error {
	fresh, password := filepath.Join(dir, "fresh"), filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(clusterPassword+"\n"), 0o600); err != nil {
		return err
	}
	defer os.Remove(password)
	if err := chown(password, credential); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "--pgdata="+fresh,
		"--username="+clusterUser, "--pwfile="+password, "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=C.UTF-8", "--wal-segsize=1", "--no-sync")
	cmd.Dir, cmd.Env = dir, serverEnvironment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	unfinished := template + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := copyTree(fresh, unfinished, nil); err != nil {
		return err
	}
	return errors.Join(os.Rename(unfinished, template), os.RemoveAll(fresh))
}

// copyTree copies a folder with its files and gives the copy to a user.
func copyTree(from, to string, owner *syscall.Credential) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		part, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, part)
		switch {
		case entry.IsDir():
			err = os.Mkdir(target, 0o700)
		case entry.Type().IsRegular():
			err = copyFile(path, target)
		default:
			err = fmt.Errorf("%s is neither a file nor a folder", path)
		}
		if err != nil {
			return err
		}
		return chown(target, owner)
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// chown gives a file to a user, if there is one to give it to.
func chown(path string, owner *syscall.Credential) error {
	if owner == nil {
		return nil
	}
	return os.Chown(path, int(owner.Uid), int(owner.Gid))
}
