//go:build tools

// Package sigstore names the module whose own tests sigstore.test.ts builds and runs; no program is made of it.
package sigstore

import _ "github.com/sigstore/sigstore/pkg/signature/kms/hashivault"
