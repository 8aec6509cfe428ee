package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/twinmesh/twinmesh/broker/admin"
	"github.com/twinmesh/twinmesh/broker/message"
)

// adminFlags say which broker is administered, and by whom.
type adminFlags struct {
	http, user, passwordFile string
}

func transactionsCommand() *cobra.Command {
	var f adminFlags
	c := &cobra.Command{
		Use:   "transactions",
		Short: "List what waits for the outcome of a distributed transaction, and end it in place of a transaction manager that is lost",
	}
	c.PersistentFlags().StringVar(&f.http, "http", "http://127.0.0.1:8161", "the active broker's HTTP address")
	c.PersistentFlags().StringVar(&f.user, "user", "", "user name; its password is in the environment's "+passwordVariable+", or in a file")
	c.PersistentFlags().StringVar(&f.passwordFile, "password-file", "", "file that has the password in its first line")
	c.AddCommand(&cobra.Command{
		Use: "list", Short: "List branches, and the last commits of each connection", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.list(c.Context(), c.OutOrStdout()) },
	})
	for name, short := range map[string]string{
		"commit":   "Commit a prepared branch; its transaction manager is told so until it forgets it",
		"rollback": "Roll back a prepared branch; its transaction manager is told so until it forgets it",
		"forget":   "End the record of such a decision",
	} {
		c.AddCommand(&cobra.Command{
			Use: name + " XID", Short: short, Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error { return f.end(c.Context(), name, args[0]) },
		})
	}
	return c
}

// list prints a table of the branches and one of the commits.
func (f adminFlags) list(ctx context.Context, out io.Writer) error {
	body, err := f.ask(ctx, http.MethodGet, "/transactions")
	if err != nil {
		return err
	}
	var all admin.Transactions
	if err := json.Unmarshal(body, &all); err != nil {
		return fmt.Errorf("the broker's list of transactions: %w", err)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "BRANCH\tSTATE\tSINCE\tSENT\tCONSUMED\tCONNECTION")
	for _, b := range all.Branches {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", b.XID, b.State, stamp(b.Since), b.Sent, b.Consumed, orDash(b.Connection))
	}
	_, _ = fmt.Fprintln(w, "\nCOMMITTED\tTIME\tCONNECTION")
	for _, c := range all.Commits {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", c.Transaction, stamp(c.Time), c.Connection)
	}
	return w.Flush()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (f adminFlags) end(ctx context.Context, how, xid string) error {
	if _, err := message.ParseXID(xid); err != nil {
		return err
	}
	_, err := f.ask(ctx, http.MethodPost, "/transactions/"+how+"?xid="+url.QueryEscape(xid))
	return err
}

// ask asks the broker, and returns its answer, or as an error what it refuses.
func (f adminFlags) ask(ctx context.Context, method, path string) ([]byte, error) {
	const longest, patience = 64 << 20, 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	password, err := clientFlags{passwordFile: f.passwordFile}.password()
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(f.http, "/")+path, nil)
	if err != nil {
		return nil, fmt.Errorf("--http: %w", err)
	}
	if f.user != "" {
		r.SetBasicAuth(f.user, password)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, longest))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the broker's answer: %w", err)
	case answer.StatusCode >= http.StatusBadRequest:
		return nil, errors.New(strings.TrimSpace(string(body)))
	}
	return body, nil
}
