package app

import (
	"io"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"bitbucket.org/templar/templar/config"
)

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

// newLog makes the log: a line an event on w, JSON, or readable text in development.
func newLog(c config.Log, w io.Writer) *zap.Logger {
	fields := zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", MessageKey: "message", CallerKey: "caller", NameKey: "logger", StacktraceKey: "stack",
		EncodeLevel: func(l zapcore.Level, out zapcore.PrimitiveArrayEncoder) { out.AppendString(levelNames[l]) },
		EncodeTime: func(t time.Time, out zapcore.PrimitiveArrayEncoder) {
			out.AppendString(t.UTC().Format("2006-01-02T15:04:05.000000Z"))
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
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), zapLevel(c.Level)), zap.AddCaller())
}
