package chaos

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// figures are a worker's metrics by name and labels, as they stand on its page.
type figures map[string]float64

// page is what a worker serves at a path.
func (w *worker) page(path string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+path, nil)
	if err != nil {
		return 0, nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

func (w *worker) scrape() (figures, error) {
	_, body, err := w.page("/metrics")
	if err != nil {
		return nil, err
	}
	f := figures{}
	lines := bufio.NewScanner(bytes.NewReader(body))
	for lines.Scan() {
		name, value, ok := cutLast(lines.Text())
		if n, err := strconv.ParseFloat(value, 64); ok && err == nil {
			f[name] = n
		}
	}
	return f, lines.Err()
}

// ready says whether the worker does its work.
func (w *worker) ready() bool {
	status, _, err := w.page("/ready")
	return err == nil && status == http.StatusOK
}

func cutLast(line string) (name, value string, ok bool) {
	i := strings.LastIndexByte(line, ' ')
	if i < 0 || strings.HasPrefix(line, "#") {
		return "", "", false
	}
	return line[:i], line[i+1:], true
}

// sum adds up all series whose name and labels begin so.
func (f figures) sum(prefix string) (total float64) {
	for name, value := range f {
		if strings.HasPrefix(name, prefix) {
			total += value
		}
	}
	return total
}
