package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func newHealth(std streams) *cobra.Command {
	var url string
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running worker whether it is ready",
		Long: `Ask a running worker whether it is ready: status 0 when it is, 1 when it is not,
69 when nobody answers. For health checks in images without a shell.

/ready fails while the worker does not do its work: it starts or stops, is no
member of its groups, reads albums again, or has not got on for http.stall_after.
/live fails only while a call does not return, when a restart would help; not
because Kafka or the store is away.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), 5*time.Second)
			defer cancel()
			ok, reason, err := ask(ctx, url)
			if err != nil {
				return err
			}
			if !ok {
				return fmt.Errorf("worker at %s is not ready: %s", url, reason)
			}
			_, err = fmt.Fprintln(std.out, "ready:", reason)
			return err
		},
	}
	cmd.Flags().StringVar(&url, "url", "http://127.0.0.1:9600/ready", "probe to ask; …/live tells whether the worker gets on")
	return cmd
}

// ask reads one probe of the worker.
func ask(ctx context.Context, url string) (ok bool, reason string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, "", tagged{fmt.Errorf("--url: %w", err), errUsage}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, "", tagged{fmt.Errorf("ask the worker: %w; is it running, and is http.listen this address?", err), errUnavailable}
	}
	defer response.Body.Close()
	var answer struct {
		Reason string `json:"reason"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(&answer); err != nil {
		answer.Reason = response.Status
	}
	return response.StatusCode == http.StatusOK, answer.Reason, nil
}
