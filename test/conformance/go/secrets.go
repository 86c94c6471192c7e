package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/openbao/openbao/api/v2"
)

var background = context.Background()

// secrets covers the logical calls and key/value version 1.
func secrets() []check {
	return []check{
		{"logical write, read, list, delete", func(c *api.Client) error {
			if err := mountKV(c, "kv1", "1"); err != nil {
				return err
			}
			if _, err := c.Logical().Write("kv1/a/b", map[string]any{"x": "y", "n": 7}); err != nil {
				return err
			}
			read, err := c.Logical().Read("kv1/a/b")
			if err != nil {
				return err
			}
			list, err := c.Logical().List("kv1/a")
			if err != nil {
				return err
			}
			if err := errors.Join(same("x", read.Data["x"], "y"), same("n", read.Data["n"], "7"), same("keys", list.Data["keys"], []any{"b"})); err != nil {
				return err
			}
			if _, err := c.Logical().Delete("kv1/a/b"); err != nil {
				return err
			}
			read, err = c.Logical().Read("kv1/a/b")
			return errors.Join(err, that("it is gone", read == nil))
		}},
		{"logical keeps numbers as they were written", func(c *api.Client) error {
			if err := mountKV(c, "numbers", "1"); err != nil {
				return err
			}
			if _, err := c.Logical().WriteBytes("numbers/a", []byte(`{"big":9007199254740993,"one":1.0}`)); err != nil {
				return err
			}
			read, err := c.Logical().Read("numbers/a")
			if err != nil {
				return err
			}
			return errors.Join(
				same("big", read.Data["big"], json.Number("9007199254740993")), same("one", read.Data["one"], json.Number("1.0")),
			)
		}},
		{"logical pages a list", func(c *api.Client) error {
			if err := mountKV(c, "pages", "2"); err != nil {
				return err
			}
			for _, name := range []string{"a", "b", "c"} {
				if _, err := c.KVv2("pages").Put(background, name, map[string]any{"x": "y"}); err != nil {
					return err
				}
			}
			page, err := c.Logical().ListPage("pages/metadata", "a", 1)
			if err != nil {
				return err
			}
			return same("keys", page.Data["keys"], []any{"b"})
		}},
		{"logical scans folders", func(c *api.Client) error {
			if err := mountKV(c, "deep", "1"); err != nil {
				return err
			}
			for _, name := range []string{"a", "b/c", "b/d/e"} {
				if _, err := c.Logical().Write("deep/"+name, map[string]any{"x": "y"}); err != nil {
					return err
				}
			}
			all, err := c.Logical().Scan("deep")
			if err != nil {
				return err
			}
			return same("keys", all.Data["keys"], []any{"a", "b/c", "b/d/e"})
		}},
		{"an unknown mount is 404", func(c *api.Client) error {
			_, err := c.Logical().Write("nowhere/x", map[string]any{"a": "b"})
			return refused(err, 404)
		}},
		{"kv v1 helper", func(c *api.Client) error {
			if err := mountKV(c, "helped1", "1"); err != nil {
				return err
			}
			kv := c.KVv1("helped1")
			if err := kv.Put(background, "a", map[string]any{"x": "y"}); err != nil {
				return err
			}
			secret, err := kv.Get(background, "a")
			if err != nil {
				return err
			}
			list, err := kv.List(background, "")
			if err != nil {
				return err
			}
			if err := errors.Join(same("x", secret.Data["x"], "y"), same("keys", list.Keys, []string{"a"})); err != nil {
				return err
			}
			if err := kv.Delete(background, "a"); err != nil {
				return err
			}
			_, err = kv.Get(background, "a")
			return that("it is gone", errors.Is(err, api.ErrSecretNotFound))
		}},
		{"cubbyhole belongs to its token", func(c *api.Client) error {
			if _, err := c.Logical().Write("cubbyhole/a", map[string]any{"x": "y"}); err != nil {
				return err
			}
			other, err := c.Auth().Token().Create(&api.TokenCreateRequest{})
			if err != nil {
				return err
			}
			c.SetToken(other.Auth.ClientToken)
			read, err := c.Logical().Read("cubbyhole/a")
			return errors.Join(err, that("it is not there", read == nil))
		}},
		{"the root namespace can be named in the header", func(c *api.Client) error {
			c.SetNamespace("root")
			_, err := c.Auth().Token().LookupSelf()
			if err != nil {
				return err
			}
			c.SetNamespace("nope")
			_, err = c.Auth().Token().LookupSelf()
			return refused(err, 404)
		}},
	}
}

// versions covers key/value version 2.
func versions() []check {
	return []check{
		{"kv v2 put, get, versions", func(c *api.Client) error {
			kv, err := freshKV2(c, "v2a", 2)
			if err != nil {
				return err
			}
			current, err := kv.Get(background, "s")
			if err != nil {
				return err
			}
			first, err := kv.GetVersion(background, "s", 1)
			if err != nil {
				return err
			}
			all, err := kv.GetVersionsAsList(background, "s")
			if err != nil {
				return err
			}
			return errors.Join(
				same("current", current.Data["n"], "2"), same("version", current.VersionMetadata.Version, 2),
				same("first", first.Data["n"], "1"), same("versions", len(all), 2),
				that("a creation time", !current.VersionMetadata.CreatedTime.IsZero()),
			)
		}},
		{"kv v2 check-and-set", func(c *api.Client) error {
			kv, err := freshKV2(c, "v2b", 1)
			if err != nil {
				return err
			}
			_, err = kv.Put(background, "s", map[string]any{"n": "x"}, api.WithCheckAndSet(0))
			if err := refused(err, 400); err != nil {
				return err
			}
			_, err = kv.Put(background, "s", map[string]any{"n": "x"}, api.WithCheckAndSet(1))
			return err
		}},
		{"kv v2 patch", func(c *api.Client) error {
			kv, err := freshKV2(c, "v2c", 1)
			if err != nil {
				return err
			}
			if _, err := kv.Patch(background, "s", map[string]any{"more": "x"}); err != nil {
				return err
			}
			if _, err := kv.Patch(background, "s", map[string]any{"again": "y"}, api.WithMergeMethod(api.KVMergeMethodReadWrite)); err != nil {
				return err
			}
			secret, err := kv.Get(background, "s")
			if err != nil {
				return err
			}
			if err := same("data", secret.Data, map[string]any{"n": "1", "more": "x", "again": "y"}); err != nil {
				return err
			}
			_, err = kv.Patch(background, "missing", map[string]any{"a": "b"})
			return that("a missing secret is not patched", err != nil)
		}},
		{"kv v2 delete, undelete, destroy", func(c *api.Client) error {
			kv, err := freshKV2(c, "v2d", 2)
			if err != nil {
				return err
			}
			if err := kv.Delete(background, "s"); err != nil {
				return err
			}
			deleted, err := kv.Get(background, "s")
			if err != nil {
				return err
			}
			if err := that("it is deleted", deleted.Data == nil && !deleted.VersionMetadata.DeletionTime.IsZero()); err != nil {
				return err
			}
			if err := kv.Undelete(background, "s", []int{2}); err != nil {
				return err
			}
			if err := kv.DeleteVersions(background, "s", []int{1}); err != nil {
				return err
			}
			if err := kv.Destroy(background, "s", []int{1}); err != nil {
				return err
			}
			all, err := kv.GetVersionsAsList(background, "s")
			if err != nil {
				return err
			}
			return errors.Join(same("destroyed", all[0].Destroyed, true), that("2 lives", all[1].DeletionTime.IsZero() && !all[1].Destroyed))
		}},
		{"kv v2 rollback", func(c *api.Client) error {
			kv, err := freshKV2(c, "v2e", 3)
			if err != nil {
				return err
			}
			if _, err := kv.Rollback(background, "s", 1); err != nil {
				return err
			}
			secret, err := kv.Get(background, "s")
			if err != nil {
				return err
			}
			return errors.Join(same("n", secret.Data["n"], "1"), same("version", secret.VersionMetadata.Version, 4))
		}},
		{"kv v2 metadata", func(c *api.Client) error {
			kv, err := freshKV2(c, "v2f", 1)
			if err != nil {
				return err
			}
			if err := kv.PutMetadata(background, "s", api.KVMetadataPutInput{MaxVersions: 3, CustomMetadata: map[string]any{"team": "x"}}); err != nil {
				return err
			}
			required := true
			if err := kv.PatchMetadata(background, "s", api.KVMetadataPatchInput{CASRequired: &required}); err != nil {
				return err
			}
			metadata, err := kv.GetMetadata(background, "s")
			if err != nil {
				return err
			}
			list, err := kv.List(background, "")
			if err != nil {
				return err
			}
			if err := errors.Join(
				same("max versions", metadata.MaxVersions, 3), same("cas required", metadata.CASRequired, true),
				same("custom metadata", metadata.CustomMetadata, map[string]any{"team": "x"}), same("keys", list.Keys, []string{"s"}),
			); err != nil {
				return err
			}
			if err := kv.DeleteMetadata(background, "s"); err != nil {
				return err
			}
			_, err = kv.Get(background, "s")
			return that("it is gone", errors.Is(err, api.ErrSecretNotFound))
		}},
		{"kv v2 lists with details", func(c *api.Client) error {
			kv, err := freshKV2(c, "v2g", 2)
			if err != nil {
				return err
			}
			list, err := kv.ListWithDetails(background, "")
			if err != nil {
				return err
			}
			if list.Metadata["s"] == nil {
				return errors.New("no details of s")
			}
			return same("current version", list.Metadata["s"].CurrentVersion, 2)
		}},
	}
}

// freshKV2 mounts a version 2 engine with a secret s of some versions: n is "1", "2", …
func freshKV2(c *api.Client, path string, count int) (*api.KVv2, error) {
	if err := mountKV(c, path, "2"); err != nil {
		return nil, err
	}
	kv := c.KVv2(path)
	for i := 1; i <= count; i++ {
		if _, err := kv.Put(background, "s", map[string]any{"n": string(rune('0' + i))}); err != nil {
			return nil, err
		}
	}
	return kv, nil
}
