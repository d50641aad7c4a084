package commands

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"bitbucket.org/templar/templar/adapters/httpapi"
	"bitbucket.org/templar/templar/cmd/templar/app"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/ports"
)

func exportCommand() *cobra.Command {
	var to string
	var wanted template.Wanted
	command := &cobra.Command{
		Use:   "export [--to FILE|FOLDER|s3://BUCKET/PREFIX|-]",
		Short: "Write all templates as NDJSON, as they stand at one moment",
		Long: `Write all templates as NDJSON, oldest first, as they all stand at one moment.

A file appears under its name only when it is whole. In a folder or bucket the name carries the time:
templates-20261122T022900Z.ndjson. Without --to it goes to AWS_S3_BUCKET where that is set, else to standard output.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withServices(c, func(ctx context.Context, s *app.Services) error {
				return export(ctx, c, s, to, wanted)
			})
		},
	}
	command.Flags().StringVar(&to, "to", "", "where it goes; - is standard output")
	command.Flags().BoolVar(&wanted.Revisions, "revisions", false, "a line for each revision, with its labels")
	command.Flags().BoolVar(&wanted.Trash, "deleted", false, "add what is in the trash")
	return command
}

func export(ctx context.Context, c *cobra.Command, s *app.Services, to string, wanted template.Wanted) error {
	target, err := findPlace(ctx, to, s.Config)
	if err != nil {
		return err
	}
	p := newProgress(c.ErrOrStderr(), "export")
	defer p.done()
	count := func() { p.add(1) }
	if target.blobs == nil {
		_, err := httpapi.Export(ctx, s.Templates, wanted, c.OutOrStdout(), count)
		return err
	}
	if target.name == "" {
		target.name = ports.DatedName(exportPrefix, time.Now())
	}
	upload, err := target.blobs.Create(ctx, target.name)
	if err != nil {
		return err
	}
	lines, err := httpapi.Export(ctx, s.Templates, wanted, upload, count)
	if err == nil {
		err = upload.Commit()
	}
	if err != nil {
		return errors.Join(err, upload.Abort())
	}
	p.done()
	fmt.Fprintf(c.ErrOrStderr(), "%d lines written to %s\n", lines, target.name)
	return nil
}

func importCommand() *cobra.Command {
	var from, onConflict string
	command := &cobra.Command{
		Use:   "import [--from FILE|FOLDER|s3://BUCKET/PREFIX|-] [--on-conflict fail|skip|replace]",
		Short: "Store templates from NDJSON",
		Long: `Store templates from NDJSON: an export, or rows of the seed's table, of any length. A bad line stops none of the others;
what became of each that is not stored is written to standard output, and then the exit code is 1.

Of a folder or bucket the latest export is taken. Without --from it comes from AWS_S3_BUCKET where that is set, else
from standard input.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			policy, err := template.ParseConflictPolicy(onConflict)
			if err != nil {
				return usageError{errors.New("--on-conflict must be fail, skip or replace")}
			}
			return withServices(c, func(ctx context.Context, s *app.Services) error {
				return importFrom(ctx, c, s, from, policy)
			})
		},
	}
	command.Flags().StringVar(&from, "from", "", "where it comes from; - is standard input")
	command.Flags().StringVar(&onConflict, "on-conflict", "fail", "what happens to an id that exists, be it in the trash: fail, skip or replace")
	return command
}

func importFrom(ctx context.Context, c *cobra.Command, s *app.Services, from string, policy template.ConflictPolicy) error {
	source, err := findPlace(ctx, from, s.Config)
	if err != nil {
		return err
	}
	input := c.InOrStdin()
	if source.blobs != nil {
		if source.name == "" {
			if source.name, err = source.blobs.Latest(ctx, exportPrefix); err != nil {
				return err
			}
		}
		content, _, err := source.blobs.Open(ctx, source.name)
		if err != nil {
			return err
		}
		defer func() { _ = content.Close() }() // it was only read
		input = content
	}
	importer, err := s.Templates.NewImporter(ctx, policy)
	if err != nil {
		return err
	}
	// Little is kept and much is thrown away: collecting less often takes a few MiB more and a sixth of the time less.
	debug.SetGCPercent(400)
	p := newProgress(c.ErrOrStderr(), "import")
	importing := httpapi.Importing{Importer: importer, Input: input, MaxLine: httpapi.MaxLine(int(s.Config.Content.MaxBytes)),
		Answers: failedLines{c.OutOrStdout()}, Stored: p.add, Instance: "import"}
	counts, err := importing.Run(ctx)
	p.done()
	fmt.Fprintf(c.ErrOrStderr(), "%d created, %d updated, %d unchanged, %d skipped, %d failed\n", counts[template.Created],
		counts[template.Updated], counts[template.Unchanged], counts[template.Skipped], counts[template.Failed])
	if failed := counts[template.Failed]; err == nil && failed > 0 {
		err = fmt.Errorf("%d lines failed", failed)
	}
	return err
}

// failedLines shows those outcomes of an import that are failures.
type failedLines struct{ out io.Writer }

func (f failedLines) Write(p []byte) (int, error) {
	lines := bufio.NewScanner(bytes.NewReader(p))
	lines.Buffer(nil, len(p)+1)
	for lines.Scan() {
		if bytes.Contains(lines.Bytes(), []byte(`"result":"`+template.Failed+`"`)) {
			if _, err := fmt.Fprintf(f.out, "%s\n", lines.Bytes()); err != nil {
				return 0, err
			}
		}
	}
	return len(p), lines.Err()
}
