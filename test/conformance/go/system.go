package main

import (
	"errors"

	"github.com/openbao/openbao/api/v2"
)

// What bringUp learns for the cases after it.
var (
	rootToken  string
	unsealKeys []string
)

func bringUp() []check {
	return []check{
		{"sys/init-status before", func(c *api.Client) error {
			done, err := c.Sys().InitStatus()
			return errors.Join(err, same("initialized", done, false))
		}},
		{"sys/health uninitialised", func(c *api.Client) error {
			health, err := c.Sys().Health()
			if err != nil {
				return err
			}
			return errors.Join(same("initialized", health.Initialized, false), same("sealed", health.Sealed, true))
		}},
		{"sys/init", func(c *api.Client) error {
			keys, err := c.Sys().Init(&api.InitRequest{SecretShares: 5, SecretThreshold: 3})
			if err != nil {
				return err
			}
			rootToken, unsealKeys = keys.RootToken, keys.KeysB64
			return errors.Join(same("keys", len(keys.Keys), 5), same("base64 keys", len(keys.KeysB64), 5))
		}},
		{"sys/unseal", func(c *api.Client) error {
			for i, key := range unsealKeys[1:4] {
				status, err := c.Sys().Unseal(key)
				if err != nil {
					return err
				}
				last := i == 2
				if err := errors.Join(
					same("sealed", status.Sealed, !last),
					that("a nonce while it goes on", last || status.Nonce != ""),
				); err != nil {
					return err
				}
			}
			return nil
		}},
		{"sys/seal-status", func(c *api.Client) error {
			status, err := c.Sys().SealStatus()
			if err != nil {
				return err
			}
			return errors.Join(
				same("type", status.Type, "shamir"), same("sealed", status.Sealed, false),
				same("t", status.T, 3), same("n", status.N, 5), same("progress", status.Progress, 0),
				that("a version", status.Version != ""), that("a cluster id", status.ClusterID != ""),
			)
		}},
	}
}

func system() []check {
	return []check{
		{"sys/health", func(c *api.Client) error {
			health, err := c.Sys().Health()
			if err != nil {
				return err
			}
			return errors.Join(
				same("initialized", health.Initialized, true), same("sealed", health.Sealed, false),
				same("standby", health.Standby, false), that("a version", health.Version != ""),
			)
		}},
		{"sys/leader", func(c *api.Client) error {
			_, err := c.Sys().Leader()
			return err
		}},
		{"sys/key-status and rotate", func(c *api.Client) error {
			before, err := c.Sys().KeyStatus()
			if err != nil {
				return err
			}
			if err := c.Sys().Rotate(); err != nil {
				return err
			}
			after, err := c.Sys().KeyStatus()
			if err != nil {
				return err
			}
			return errors.Join(same("term", after.Term, before.Term+1), that("an install time", !after.InstallTime.IsZero()))
		}},
		{"sys/mounts", mounts},
		{"sys/mounts refuses a path in use", func(c *api.Client) error {
			if err := mountKV(c, "twice", "1"); err != nil {
				return err
			}
			return refused(mountKV(c, "twice", "1"), 400)
		}},
		{"sys/remount", func(c *api.Client) error {
			if err := mountKV(c, "from", "1"); err != nil {
				return err
			}
			if err := c.KVv1("from").Put(background, "a", map[string]any{"x": "y"}); err != nil {
				return err
			}
			if err := c.Sys().Remount("from", "to"); err != nil {
				return err
			}
			secret, err := c.KVv1("to").Get(background, "a")
			if err != nil {
				return err
			}
			return same("x", secret.Data["x"], "y")
		}},
		{"sys/auth", authMounts},
		{"sys/policies", policies},
		{"sys/capabilities", capabilities},
		{"sys/audit", auditDevices},
		{"sys/config/cors", func(c *api.Client) error {
			status, err := c.Sys().CORSStatus()
			if err != nil {
				return err
			}
			return same("enabled", status.Enabled, false)
		}},
		{"help", func(c *api.Client) error {
			help, err := c.Help("sys/mounts")
			if err != nil {
				return err
			}
			return that("a text", help.Help != "")
		}},
	}
}

func mounts(c *api.Client) error {
	description := "tuned"
	if err := mountKV(c, "m", "2"); err != nil {
		return err
	}
	if err := c.Sys().TuneMount("m", api.MountConfigInput{DefaultLeaseTTL: "1h", MaxLeaseTTL: "2h", Description: &description}); err != nil {
		return err
	}
	config, err := c.Sys().MountConfig("m")
	if err != nil {
		return err
	}
	all, err := c.Sys().ListMounts()
	if err != nil {
		return err
	}
	info, err := c.Sys().MountInfo("m")
	if err != nil {
		return err
	}
	if all["m/"] == nil {
		return errors.New("m/ is not listed")
	}
	if err := errors.Join(
		same("default TTL", config.DefaultLeaseTTL, 3600), same("max TTL", config.MaxLeaseTTL, 7200),
		same("type", all["m/"].Type, "kv"), same("options", all["m/"].Options, map[string]string{"version": "2"}),
		same("description", all["m/"].Description, "tuned"), same("accessor", info.Accessor, all["m/"].Accessor),
	); err != nil {
		return err
	}
	if err := c.Sys().Unmount("m"); err != nil {
		return err
	}
	all, err = c.Sys().ListMounts()
	return errors.Join(err, that("m/ is gone", all["m/"] == nil))
}

func authMounts(c *api.Client) error {
	if err := c.Sys().EnableAuthWithOptions("machines", &api.EnableAuthOptions{Type: "approle", Description: "d"}); err != nil {
		return err
	}
	all, err := c.Sys().ListAuth()
	if err != nil {
		return err
	}
	if all["machines/"] == nil || all["token/"] == nil {
		return errors.New("machines/ or token/ is not listed")
	}
	if err := errors.Join(same("type", all["machines/"].Type, "approle"), same("description", all["machines/"].Description, "d")); err != nil {
		return err
	}
	return c.Sys().DisableAuth("machines")
}

func policies(c *api.Client) error {
	text := `path "a/*" { capabilities = ["read", "list"] }`
	if err := c.Sys().PutPolicy("readers", text); err != nil {
		return err
	}
	read, err := c.Sys().GetPolicy("readers")
	if err != nil {
		return err
	}
	names, err := c.Sys().ListPolicies()
	if err != nil {
		return err
	}
	if err := errors.Join(same("policy", read, text), that("it is listed", contains(names, "readers") && contains(names, "root"))); err != nil {
		return err
	}
	if err := c.Sys().DeletePolicy("readers"); err != nil {
		return err
	}
	read, err = c.Sys().GetPolicy("readers")
	return errors.Join(err, same("deleted policy", read, ""))
}

func capabilities(c *api.Client) error {
	if err := c.Sys().PutPolicy("cap", `path "a/b" { capabilities = ["read", "update"] }`); err != nil {
		return err
	}
	created, err := c.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"cap"}})
	if err != nil {
		return err
	}
	of, err := c.Sys().Capabilities(created.Auth.ClientToken, "a/b")
	if err != nil {
		return err
	}
	c.SetToken(created.Auth.ClientToken)
	self, err := c.Sys().CapabilitiesSelf("a/c")
	return errors.Join(err, same("capabilities", of, []string{"read", "update"}), same("of another path", self, []string{"deny"}))
}

func auditDevices(c *api.Client) error {
	if err := c.Sys().EnableAuditWithOptions("dev", &api.EnableAuditOptions{Type: "file", Options: map[string]string{"file_path": "discard"}}); err != nil {
		return err
	}
	all, err := c.Sys().ListAudit()
	if err != nil {
		return err
	}
	if all["dev/"] == nil {
		return errors.New("dev/ is not listed")
	}
	hash, err := c.Sys().AuditHash("dev", "x")
	if err != nil {
		return err
	}
	if err := errors.Join(same("type", all["dev/"].Type, "file"), that("a hash", len(hash) == len("hmac-sha256:")+64)); err != nil {
		return err
	}
	return c.Sys().DisableAudit("dev")
}

func tearDown() []check {
	return []check{
		{"sys/seal", func(c *api.Client) error {
			if err := c.Sys().Seal(); err != nil {
				return err
			}
			status, err := c.Sys().SealStatus()
			if err != nil {
				return err
			}
			_, err = c.Sys().ListMounts()
			return errors.Join(same("sealed", status.Sealed, true), refused(err, 503))
		}},
		{"sys/unseal reset", func(c *api.Client) error {
			status, err := c.Sys().Unseal(unsealKeys[0])
			if err != nil {
				return err
			}
			if err := same("progress", status.Progress, 1); err != nil {
				return err
			}
			status, err = c.Sys().ResetUnsealProcess()
			if err != nil {
				return err
			}
			return same("progress", status.Progress, 0)
		}},
	}
}
