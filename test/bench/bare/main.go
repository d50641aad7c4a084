// Command bare is the yardstick of the benchmarks: Echo with one handler and nothing else. It answers the bytes of a
// file, to GET with 200 and to POST with 201, and does no work for it.
//
//	bare ADDRESS FOLDER
//
// Every file in the folder is read once and answered at /NAME, whatever follows after another slash.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/labstack/echo/v4"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bare ADDRESS FOLDER")
		os.Exit(2)
	}
	if err := serve(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
}

func serve(address, folder string) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	for _, f := range files {
		body, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			return err
		}
		e.GET("/"+f.Name()+"/:id", func(c echo.Context) error {
			return c.Blob(http.StatusOK, "application/json", body)
		})
		e.POST("/"+f.Name()+"/:id", func(c echo.Context) error {
			if _, err := io.Copy(io.Discard, c.Request().Body); err != nil {
				return err
			}
			return c.Blob(http.StatusCreated, "application/json", body)
		})
	}
	return e.Start(address)
}
