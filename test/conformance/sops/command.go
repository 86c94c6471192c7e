//go:build tools

// Package sops names the command that sops.test.ts builds and runs.
package sops

import _ "github.com/getsops/sops/v3/cmd/sops"
