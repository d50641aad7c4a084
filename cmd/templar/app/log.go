package app

import (
	"io"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"bitbucket.org/templar/templar/adapters/httpapi"
	"bitbucket.org/templar/templar/config"
)

// timeLayout is RFC 3339 in UTC with microseconds.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// levelNames are the seed's; zap's DPanic stands for CRITICAL, the service's end.
var levelNames = map[zapcore.Level]string{
	zapcore.DebugLevel: "DEBUG", zapcore.InfoLevel: "INFO", zapcore.WarnLevel: "WARNING", zapcore.ErrorLevel: "ERROR",
	zapcore.DPanicLevel: "CRITICAL", zapcore.PanicLevel: "CRITICAL", zapcore.FatalLevel: "CRITICAL",
}

// zapLevel is the lowest zap level that a number of the seed's scale lets through.
func zapLevel(l config.Level) zapcore.Level {
	switch {
	case l <= config.Debug:
		return zapcore.DebugLevel
	case l <= config.Info:
		return zapcore.InfoLevel
	case l <= config.Warning:
		return zapcore.WarnLevel
	case l <= config.Error:
		return zapcore.ErrorLevel
	}
	return zapcore.DPanicLevel
}

// logs are the two logs of the service, in one stream: a line an event on w, JSON, or readable text in development.
// access is nil where the level leaves requests out.
type logs struct {
	events *zap.Logger
	access func(*httpapi.Access)
	lines  *accessLines
}

// close writes what the logs still hold.
func (l *logs) close() {
	if l.lines != nil {
		l.lines.close()
	}
	_ = l.events.Sync() // terminals and pipes refuse it; there is nothing to do about it
}

func newLogs(c config.Log, w io.Writer) *logs {
	locked := zapcore.Lock(zapcore.AddSync(w))
	l := &logs{events: newLog(c, locked)}
	switch {
	case !l.events.Core().Enabled(zapcore.ErrorLevel):
	case c.Development || !l.events.Core().Enabled(zapcore.InfoLevel):
		l.access = func(a *httpapi.Access) { logAccess(l.events, a) }
	default:
		l.lines = newAccessLines(locked, func(a *httpapi.Access) { logAccess(l.events, a) })
		l.access = l.lines.write
	}
	return l
}

func newLog(c config.Log, w zapcore.WriteSyncer) *zap.Logger {
	fields := zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", MessageKey: "message", CallerKey: "caller", NameKey: "logger", StacktraceKey: "stack",
		EncodeLevel: func(l zapcore.Level, out zapcore.PrimitiveArrayEncoder) { out.AppendString(levelNames[l]) },
		EncodeTime: func(t time.Time, out zapcore.PrimitiveArrayEncoder) {
			out.AppendString(t.UTC().Format(timeLayout))
		},
		EncodeDuration: zapcore.SecondsDurationEncoder,
		EncodeCaller:   zapcore.ShortCallerEncoder,
		EncodeName:     zapcore.FullNameEncoder,
	}
	encoder := zapcore.NewJSONEncoder(fields)
	if c.Development {
		fields.ConsoleSeparator = "  "
		encoder = zapcore.NewConsoleEncoder(fields)
	}
	return zap.New(zapcore.NewCore(encoder, w, zapLevel(c.Level)), zap.AddCaller())
}
