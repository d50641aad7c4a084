package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/jsonstring"
	"bitbucket.org/templar/templar/core/template"
)

// appendRecord writes one line of an export: the template with its content and, where revisions are wanted, labels.
func appendRecord(line []byte, r template.Record, withLabels bool) []byte {
	line = appendTemplate(line, r.Template, true)
	if withLabels {
		line = append(line[:len(line)-1], `,"labels":`...)
		line = append(appendTexts(line, r.Labels), '}')
	}
	return append(line, '\n')
}

// Export writes all templates as NDJSON to w, oldest first, and tells how many lines. progress is called after each
// line and may be nil.
func Export(ctx context.Context, service *template.Service, wanted template.Wanted, w io.Writer, progress func()) (lines int, err error) {
	buffered := bufio.NewWriterSize(w, 64<<10)
	var line []byte
	err = service.Export(ctx, wanted, func(r template.Record) error {
		line = appendRecord(line[:0], r, wanted.Revisions)
		lines++
		if progress != nil {
			progress()
		}
		_, err := buffered.Write(line)
		return err
	})
	if err != nil {
		return lines, err // what is buffered stays: a short answer that fails can still be a clean problem
	}
	return lines, buffered.Flush()
}

// ImportCounts tells how many lines came to which end.
type ImportCounts map[template.ImportResult]int

// Importing is one import of NDJSON.
type Importing struct {
	Importer *template.Importer
	// Input is read to its end, of whatever length. Interrupt makes a read that is under way return; nil where nothing
	// can, and then Run does not wait for it when it fails.
	Input     io.Reader
	Interrupt func()
	// MaxLine is the longest line, in bytes; longer ones fail.
	MaxLine int
	// Answers takes a line for each line that is not blank, once it is stored.
	Answers io.Writer
	// Stored is told after each batch how many lines it had.
	Stored func(lines int)
	// Instance names the import in the problem documents of its answers.
	Instance string
}

// Run stores the lines in batches and tells how many came to which end. The error is that of reading, writing or the
// database: everything that was answered before is stored.
func (i *Importing) Run(ctx context.Context) (ImportCounts, error) {
	in, read := newIntake(), make(chan struct{})
	go func() {
		defer close(read)
		in.end(readLines(i.Input, i.MaxLine, in))
	}()
	counts, err := i.store(ctx, in)
	in.stop()
	if i.Interrupt != nil {
		if err != nil {
			i.Interrupt()
		}
		<-read
	}
	return counts, err
}

// store stores batches, two at a time, and answers them in the order of their lines. After one that fails no more are
// begun, but what is on its way is answered too.
func (i *Importing) store(ctx context.Context, in *intake) (ImportCounts, error) {
	counts, running, ended := ImportCounts{}, make(chan *runningBatch), error(nil)
	go func() {
		defer close(running)
		for {
			lines, err := in.take()
			if len(lines) == 0 {
				ended = err
				return
			}
			running <- startBatch(ctx, i.Importer, lines) // there is no room in it, so one goes on while another is waited for
		}
	}()
	var failed error
	var out []byte
	for batch := range running {
		<-batch.done
		err := batch.err
		out = out[:0]
		for _, o := range batch.outcomes {
			counts[o.Result]++
			out = appendOutcome(out, o, i.Instance)
		}
		if _, writeErr := i.Answers.Write(out); writeErr != nil {
			err = errors.Join(err, writeErr)
		}
		i.Stored(len(batch.outcomes))
		if err != nil {
			in.stop()
			if failed == nil {
				failed = err
			}
		}
	}
	if failed == nil {
		failed = ended
	}
	return counts, failed
}

// runningBatch is a batch that is being stored. What came of it may be read when done is closed.
type runningBatch struct {
	done     chan struct{}
	outcomes []template.Outcome
	err      error
}

// batchTimeout bounds the work of the database on one batch.
const batchTimeout = 30 * time.Second

// startBatch begins to store a batch. When the database fails, every line of it is answered as failed.
func startBatch(ctx context.Context, importer *template.Importer, lines []template.Incoming) *runningBatch {
	batch, running := importer.Batch(lines), &runningBatch{done: make(chan struct{})}
	go func() {
		defer close(running.done)
		bounded, cancel := context.WithTimeout(ctx, batchTimeout)
		defer cancel()
		running.outcomes, running.err = batch.Store(bounded)
		if running.err == nil {
			return
		}
		running.outcomes = make([]template.Outcome, len(lines))
		for n, line := range lines {
			running.outcomes[n] = template.Outcome{Line: line.Line, ID: line.Record.ID, Result: template.Failed, Problem: running.err}
		}
	}()
	return running
}

func appendOutcome(out []byte, o template.Outcome, instance string) []byte {
	out = append(out, `{"line":`...)
	out = strconv.AppendInt(out, int64(o.Line), 10)
	if o.ID != uuid.Nil {
		out = append(out, `,"templateid":"`...)
		out = append(appendUUID(out, o.ID), '"')
	}
	out = append(out, `,"result":`...)
	out = jsonstring.AppendQuoted(out, string(o.Result))
	if o.Problem != nil {
		problem, _ := problemOf(o.Problem)
		problem.Instance = instance
		if encoded, err := json.Marshal(problem); err == nil {
			out = append(append(out, `,"problem":`...), encoded...)
		}
	}
	return append(out, '}', '\n')
}

// readLines hands over every line that is not blank, until the end.
func readLines(r io.Reader, maxLine int, in *intake) error {
	reader := bufio.NewReaderSize(r, 256<<10)
	for number := 1; ; number++ {
		raw, tooLong, err := readLine(reader, maxLine)
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return fault.Wrap(fault.Malformed, err, "the input ended in the middle, at line %d", number)
		}
		line, wanted := incoming(number, raw, tooLong, maxLine), true
		if tooLong || len(bytes.TrimSpace(raw)) > 0 {
			wanted = in.put(line, len(raw))
		}
		if ended || !wanted {
			return nil
		}
	}
}

// incoming is what a line says.
func incoming(number int, raw []byte, tooLong bool, maxLine int) template.Incoming {
	line := template.Incoming{Line: number}
	if trimmed := bytes.TrimSpace(raw); tooLong {
		line.Problem = fault.New(fault.TooLarge, "the line is over the limit of %d bytes", maxLine)
	} else if len(trimmed) > 0 {
		readRecord(trimmed, &line)
	}
	return line
}

// readLine reads to the next line feed; what is over the limit is read and dropped.
func readLine(reader *bufio.Reader, maxLine int) (line []byte, tooLong bool, err error) {
	for {
		part, err := reader.ReadSlice('\n')
		if !tooLong {
			line = append(line, part...)
			if tooLong = len(line) > maxLine; tooLong {
				line = nil
			}
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, tooLong, err
		}
	}
}

// readRecord reads one line: the object of the API, or a row of the seed's table.
func readRecord(raw []byte, line *template.Incoming) {
	o, err := parseObject(raw)
	if err != nil {
		line.Problem = err
		return
	}
	r := &line.Record
	if text, present := o.nullableText("templateid"); present {
		if r.ID, err = template.ParseID(text); err != nil {
			o.fail("templateid", "must be a UUID")
		}
	}
	if _, present := o.fields["name"]; !present {
		o.fail("name", "is needed; it may be empty or null")
	}
	r.Name, _ = o.nullableText("name")
	r.Description, _ = o.nullableText("description")
	r.Content, _ = o.nullableText("content")
	if syntax, present := o.nullableText("syntax"); present {
		r.Syntax = template.Syntax(syntax)
	}
	r.Revision = o.integer("revision", 1, 1, maxRevision)
	author, present := o.nullableText("author")
	r.Author, line.NoAuthor = author, !present
	r.Created, line.NoCreated = o.rowTime("created")
	r.Modified, line.NoModified = o.rowTime("modified")
	r.Deleted, _ = o.rowTime("deleted")
	if !o.isNull("labels") {
		r.Labels = o.texts("labels")
	}
	o.ignore("tidx")
	line.Problem = o.done()
}

// nullableText takes a text field of a row; null is empty.
func (o *object) nullableText(name string) (text string, present bool) {
	if o.isNull(name) {
		return "", false
	}
	return o.optionalText(name)
}

// rowLayouts are the times that a row may have: RFC 3339, or as PostgreSQL prints them, without a zone in UTC.
var rowLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999"}

// rowTime takes a time of a row; absent tells that the row has no such field. Null is an unknown time, which is zero.
func (o *object) rowTime(name string) (t time.Time, absent bool) {
	if o.isNull(name) {
		return t, false
	}
	text, present := o.optionalText(name)
	if !present {
		return t, true
	}
	for _, layout := range rowLayouts {
		if t, err := time.Parse(layout, text); err == nil && t.Year() >= 0 && t.Year() <= 9999 {
			return t.UTC().Truncate(time.Microsecond), false
		}
	}
	o.fail(name, "must be a time as RFC 3339 has it; one without a zone is UTC")
	return t, false
}
