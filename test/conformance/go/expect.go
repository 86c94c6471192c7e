package main

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/openbao/openbao/api/v2"
)

// same says where a value is not the expected one.
func same(what string, got, want any) error {
	if reflect.DeepEqual(got, want) || fmt.Sprint(got) == fmt.Sprint(want) {
		return nil
	}
	return fmt.Errorf("%s is %v, not %v", what, got, want)
}

func that(what string, holds bool) error {
	if holds {
		return nil
	}
	return errors.New("not so: " + what)
}

// refused says whether the server answered with that status.
func refused(err error, status int) error {
	var response *api.ResponseError
	if !errors.As(err, &response) {
		return fmt.Errorf("got %v, not an answer with status %d", err, status)
	}
	return same("status", response.StatusCode, status)
}

func contains(list []string, item string) bool {
	for _, candidate := range list {
		if candidate == item {
			return true
		}
	}
	return false
}

// mountKV makes a key/value mount for one case.
func mountKV(c *api.Client, path string, version string) error {
	return c.Sys().Mount(path, &api.MountInput{Type: "kv", Options: map[string]string{"version": version}})
}
