package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/twinmesh/twinmesh/broker/security"
)

// userCommand changes users files. A running broker reads its one again at the next login.
func userCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "user",
		Short: "Add, change and remove users of a users file, whose passwords it keeps as hashes",
		Long: "Add, change and remove users of a users file, whose passwords it keeps as hashes.\n\n" +
			"The password is asked for, or is the first line of what comes in: a command line can be read by others.",
	}
	file := c.PersistentFlags().String("file", "data/users.properties", "users file")
	named := func(use, short string, run func(c *cobra.Command, name string) error) *cobra.Command {
		return &cobra.Command{Use: use + " NAME", Short: short, Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
			return run(c, args[0])
		}}
	}
	c.AddCommand(
		named("add", "Add a user", func(c *cobra.Command, name string) error { return setPassword(c, *file, name, true) }),
		named("passwd", "Change a user's password", func(c *cobra.Command, name string) error { return setPassword(c, *file, name, false) }),
		named("remove", "Remove a user", func(_ *cobra.Command, name string) error { return security.RemoveUser(*file, name) }),
		&cobra.Command{Use: "hash", Short: "Print the hash of a password, for a users file that is kept elsewhere", Args: cobra.NoArgs, RunE: printHash},
	)
	return c
}

func printHash(c *cobra.Command, _ []string) error {
	password, err := readPassword(c)
	if err == nil {
		_, err = fmt.Fprintln(c.OutOrStdout(), security.Hash(password))
	}
	return err
}

func setPassword(c *cobra.Command, file, name string, create bool) error {
	password, err := readPassword(c)
	if err != nil {
		return err
	}
	return security.SetPassword(file, name, password, create)
}

// readPassword asks for a password twice at a terminal, without showing it, and else reads a line.
func readPassword(c *cobra.Command) (string, error) {
	in, ok := c.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return readLine(c.InOrStdin())
	}
	first, err := ask(c, in, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := ask(c, in, "Again: ")
	if err == nil && first != second {
		err = errors.New("the two are not the same")
	}
	return first, err
}

func ask(c *cobra.Command, in *os.File, prompt string) (string, error) {
	c.PrintErr(prompt)
	password, err := term.ReadPassword(int(in.Fd()))
	c.PrintErrln()
	if err == nil && len(password) == 0 {
		err = errors.New("the password is empty")
	}
	return string(password), err
}

func readLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, 64<<10)).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.Join(errors.New("no password came in: write it into standard input"), err)
	}
	return line, nil
}
