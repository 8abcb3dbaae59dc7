package chaos

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// figures are a worker's metrics by name and labels, as they stand on its page.
type figures map[string]float64

func (w *worker) scrape() (figures, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	f := figures{}
	lines := bufio.NewScanner(response.Body)
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
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/ready", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
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
