// Command conformance drives a server through OpenBao's Go client, which is also what the operators, the Terraform provider
// and the bao command are built on. It expects an uninitialised server at BAO_ADDR and prints one line for each case:
//
//	ok NAME
//	FAIL NAME: why
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/openbao/openbao/api/v2"
)

// A check is one case. Its client holds the root token and is its own: it may change it.
type check struct {
	name string
	run  func(*api.Client) error
}

func main() {
	client, err := api.NewClient(api.DefaultConfig())
	if err != nil {
		fmt.Println("FAIL client:", err)
		os.Exit(1)
	}
	client.SetMaxRetries(0)
	failed := false
	// The first groups bring the server up; the others do not depend on each other.
	for _, group := range [][]check{bringUp(), system(), secrets(), versions(), tokens(), logins(), wrapping(), tearDown()} {
		for _, c := range group {
			failed = !report(c, client) || failed
		}
	}
	if failed {
		os.Exit(1)
	}
}

func report(c check, client *api.Client) bool {
	err := runOne(c, client)
	if err == nil {
		fmt.Println("ok", c.name)
		return true
	}
	fmt.Printf("FAIL %s: %s\n", c.name, strings.Join(strings.Fields(err.Error()), " "))
	return false
}

func runOne(c check, shared *api.Client) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	own, err := shared.CloneWithHeaders()
	if err != nil {
		return err
	}
	own.SetToken(rootToken)
	return c.run(own)
}
