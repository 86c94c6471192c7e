package main

import (
	"errors"
	"time"

	"github.com/openbao/openbao/api/v2"
)

// How long a renewal by the watcher may take; it renews at two thirds of the token's three seconds.
const watcherLimit = 20 * time.Second

func tokens() []check {
	return []check{
		{"token create and lookup", func(c *api.Client) error {
			created, err := c.Auth().Token().Create(&api.TokenCreateRequest{
				Policies: []string{"default"}, TTL: "1h", DisplayName: "ci", Metadata: map[string]string{"team": "x"},
			})
			if err != nil {
				return err
			}
			found, err := c.Auth().Token().Lookup(created.Auth.ClientToken)
			if err != nil {
				return err
			}
			ttl, err := found.TokenTTL()
			if err != nil {
				return err
			}
			names, err := found.TokenPolicies()
			if err != nil {
				return err
			}
			renewable, err := found.TokenIsRenewable()
			return errors.Join(
				err, same("display name", found.Data["display_name"], "token-ci"), same("policies", names, []string{"default"}),
				same("meta", found.Data["meta"], map[string]any{"team": "x"}), same("renewable", renewable, true),
				that("an hour or a little less", ttl > 50*time.Minute && ttl <= time.Hour),
			)
		}},
		{"token lookup and renewal by accessor", func(c *api.Client) error {
			created, err := c.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"default"}, TTL: "1h"})
			if err != nil {
				return err
			}
			found, err := c.Auth().Token().LookupAccessor(created.Auth.Accessor)
			if err != nil {
				return err
			}
			renewed, err := c.Auth().Token().RenewAccessor(created.Auth.Accessor, 600)
			if err != nil {
				return err
			}
			return errors.Join(
				same("id", found.Data["id"], ""), same("accessor", found.Data["accessor"], created.Auth.Accessor),
				same("lease", renewed.Auth.LeaseDuration, 600),
			)
		}},
		{"token renew", func(c *api.Client) error {
			created, err := c.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"default"}, TTL: "1h"})
			if err != nil {
				return err
			}
			renewed, err := c.Auth().Token().Renew(created.Auth.ClientToken, 1200)
			if err != nil {
				return err
			}
			c.SetToken(created.Auth.ClientToken)
			self, err := c.Auth().Token().RenewSelf(600)
			if err != nil {
				return err
			}
			return errors.Join(same("lease", renewed.Auth.LeaseDuration, 1200), same("own lease", self.Auth.LeaseDuration, 600))
		}},
		{"token revoke takes the children along", func(c *api.Client) error {
			parent, err := c.Auth().Token().Create(&api.TokenCreateRequest{})
			if err != nil {
				return err
			}
			own, err := c.CloneWithHeaders()
			if err != nil {
				return err
			}
			own.SetToken(parent.Auth.ClientToken)
			child, err := own.Auth().Token().Create(&api.TokenCreateRequest{})
			if err != nil {
				return err
			}
			if err := c.Auth().Token().RevokeTree(parent.Auth.ClientToken); err != nil {
				return err
			}
			_, err = c.Auth().Token().Lookup(child.Auth.ClientToken)
			return refused(err, 403)
		}},
		{"token revoke by accessor, of itself, leaving orphans", func(c *api.Client) error {
			created, err := c.Auth().Token().Create(&api.TokenCreateRequest{})
			if err != nil {
				return err
			}
			if err := c.Auth().Token().RevokeAccessor(created.Auth.Accessor); err != nil {
				return err
			}
			orphaned, err := c.Auth().Token().CreateOrphan(&api.TokenCreateRequest{})
			if err != nil {
				return err
			}
			if err := c.Auth().Token().RevokeOrphan(orphaned.Auth.ClientToken); err != nil {
				return err
			}
			last, err := c.Auth().Token().Create(&api.TokenCreateRequest{})
			if err != nil {
				return err
			}
			c.SetToken(last.Auth.ClientToken)
			if err := c.Auth().Token().RevokeSelf(""); err != nil {
				return err
			}
			_, err = c.Auth().Token().LookupSelf()
			return refused(err, 403)
		}},
		{"token of a role", func(c *api.Client) error {
			if _, err := c.Logical().Write("auth/token/roles/ci", map[string]any{"allowed_policies": "default", "orphan": true}); err != nil {
				return err
			}
			created, err := c.Auth().Token().CreateWithRole(&api.TokenCreateRequest{}, "ci")
			if err != nil {
				return err
			}
			return errors.Join(same("orphan", created.Auth.Orphan, true), same("policies", created.Auth.Policies, []string{"default"}))
		}},
		{"batch token", func(c *api.Client) error {
			created, err := c.Auth().Token().Create(&api.TokenCreateRequest{Type: "batch", Policies: []string{"default"}, TTL: "5m"})
			if err != nil {
				return err
			}
			c.SetToken(created.Auth.ClientToken)
			found, err := c.Auth().Token().LookupSelf()
			if err != nil {
				return err
			}
			return errors.Join(same("type", found.Data["type"], "batch"), same("accessor", created.Auth.Accessor, ""))
		}},
		{"token of two uses", func(c *api.Client) error {
			created, err := c.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"default"}, NumUses: 2})
			if err != nil {
				return err
			}
			c.SetToken(created.Auth.ClientToken)
			for range 2 {
				if _, err := c.Auth().Token().LookupSelf(); err != nil {
					return err
				}
			}
			_, err = c.Auth().Token().LookupSelf()
			return refused(err, 403)
		}},
		{"lifetime watcher renews a token", watch},
		{"lifetime watcher is told of a token that was revoked", watchRevoked},
		{"lifetime watcher stops where a token reaches its end", watchToTheEnd},
	}
}

func watch(c *api.Client) error {
	renewable := true
	created, err := c.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"default"}, TTL: "3s", Renewable: &renewable})
	if err != nil {
		return err
	}
	c.SetToken(created.Auth.ClientToken)
	watcher, err := c.NewLifetimeWatcher(&api.LifetimeWatcherInput{Secret: created, Increment: 3})
	if err != nil {
		return err
	}
	go watcher.Start()
	defer watcher.Stop()
	for range 2 {
		select {
		case err := <-watcher.DoneCh():
			return errors.Join(errors.New("the watcher gave up"), err)
		case renewal := <-watcher.RenewCh():
			if err := same("lease", renewal.Secret.Auth.LeaseDuration, 3); err != nil {
				return err
			}
		case <-time.After(watcherLimit):
			return errors.New("no renewal came")
		}
	}
	return nil
}

func watchRevoked(c *api.Client) error {
	created, watcher, err := watchNew(c, &api.TokenCreateRequest{Policies: []string{"default"}, TTL: "3s"}, api.RenewBehaviorErrorOnErrors)
	if err != nil {
		return err
	}
	defer watcher.Stop()
	select {
	case <-watcher.RenewCh():
	case err := <-watcher.DoneCh():
		return errors.Join(errors.New("the watcher gave up"), err)
	case <-time.After(watcherLimit):
		return errors.New("no renewal came")
	}
	if err := c.Auth().Token().RevokeAccessor(created.Auth.Accessor); err != nil {
		return err
	}
	select {
	case err := <-watcher.DoneCh():
		return refused(err, 403)
	case <-time.After(watcherLimit):
		return errors.New("the watcher goes on")
	}
}

func watchToTheEnd(c *api.Client) error {
	created, watcher, err := watchNew(c, &api.TokenCreateRequest{Policies: []string{"default"}, TTL: "2s", ExplicitMaxTTL: "5s"}, api.RenewBehaviorIgnoreErrors)
	if err != nil {
		return err
	}
	defer watcher.Stop()
	begun := time.Now()
	for {
		select {
		case <-watcher.RenewCh():
			continue
		case err := <-watcher.DoneCh():
			if err != nil {
				return errors.Join(errors.New("the watcher failed"), err)
			}
		case <-time.After(watcherLimit):
			return errors.New("the watcher goes on")
		}
		break
	}
	if err := that("it is done before the token is", time.Since(begun) < 5*time.Second); err != nil {
		return err
	}
	time.Sleep(time.Until(begun.Add(6 * time.Second)))
	_, err = c.Auth().Token().Lookup(created.Auth.ClientToken)
	return refused(err, 403)
}

// watchNew makes a token and a watcher that runs as that token; c keeps its own.
func watchNew(c *api.Client, request *api.TokenCreateRequest, behavior api.RenewBehavior) (*api.Secret, *api.LifetimeWatcher, error) {
	created, err := c.Auth().Token().Create(request)
	if err != nil {
		return nil, nil, err
	}
	own, err := c.CloneWithHeaders()
	if err != nil {
		return nil, nil, err
	}
	own.SetToken(created.Auth.ClientToken)
	watcher, err := own.NewLifetimeWatcher(&api.LifetimeWatcherInput{Secret: created, RenewBehavior: behavior})
	if err != nil {
		return nil, nil, err
	}
	go watcher.Start()
	return created, watcher, nil
}

func logins() []check {
	return []check{
		{"approle login", func(c *api.Client) error {
			if err := c.Sys().EnableAuthWithOptions("approle", &api.EnableAuthOptions{Type: "approle"}); err != nil {
				return err
			}
			if _, err := c.Logical().Write("auth/approle/role/web", map[string]any{"token_policies": "default", "token_ttl": "10m"}); err != nil {
				return err
			}
			role, err := c.Logical().Read("auth/approle/role/web/role-id")
			if err != nil {
				return err
			}
			secret, err := c.Logical().Write("auth/approle/role/web/secret-id", nil)
			if err != nil {
				return err
			}
			credentials := map[string]any{"role_id": role.Data["role_id"], "secret_id": secret.Data["secret_id"]}
			c.ClearToken()
			login, err := c.Logical().Write("auth/approle/login", credentials)
			if err != nil {
				return err
			}
			if err := errors.Join(
				same("lease", login.Auth.LeaseDuration, 600), same("policies", login.Auth.Policies, []string{"default"}),
				same("metadata", login.Auth.Metadata, map[string]string{"role_name": "web"}), same("renewable", login.Auth.Renewable, true),
			); err != nil {
				return err
			}
			credentials["secret_id"] = "wrong"
			_, err = c.Logical().Write("auth/approle/login", credentials)
			return refused(err, 400)
		}},
		{"a bad token is 403", func(c *api.Client) error {
			c.SetToken("s.aaaaaaaaaaaaaaaaaaaaaaaa")
			_, err := c.Logical().Read("cubbyhole/a")
			return refused(err, 403)
		}},
	}
}

func wrapping() []check {
	return []check{
		{"wrapped answer is unwrapped once", func(c *api.Client) error {
			if _, err := c.Logical().Write("cubbyhole/wrap", map[string]any{"x": "y"}); err != nil {
				return err
			}
			c.SetWrappingLookupFunc(func(operation, path string) string { return "60s" })
			wrapped, err := c.Logical().Read("cubbyhole/wrap")
			if err != nil {
				return err
			}
			c.SetWrappingLookupFunc(func(operation, path string) string { return "" })
			if err := errors.Join(same("ttl", wrapped.WrapInfo.TTL, 60), same("path", wrapped.WrapInfo.CreationPath, "cubbyhole/wrap")); err != nil {
				return err
			}
			secret, err := c.Logical().Unwrap(wrapped.WrapInfo.Token)
			if err != nil {
				return err
			}
			if err := same("x", secret.Data["x"], "y"); err != nil {
				return err
			}
			_, err = c.Logical().Unwrap(wrapped.WrapInfo.Token)
			return refused(err, 400)
		}},
		{"sys/wrapping wrap, lookup, rewrap", func(c *api.Client) error {
			c.SetWrappingLookupFunc(func(operation, path string) string {
				if path == "sys/wrapping/wrap" {
					return "2m"
				}
				return ""
			})
			wrapped, err := c.Logical().Write("sys/wrapping/wrap", map[string]any{"x": "y"})
			if err != nil {
				return err
			}
			looked, err := c.Logical().Write("sys/wrapping/lookup", map[string]any{"token": wrapped.WrapInfo.Token})
			if err != nil {
				return err
			}
			again, err := c.Logical().Write("sys/wrapping/rewrap", map[string]any{"token": wrapped.WrapInfo.Token})
			if err != nil {
				return err
			}
			secret, err := c.Logical().Unwrap(again.WrapInfo.Token)
			if err != nil {
				return err
			}
			return errors.Join(same("ttl", looked.Data["creation_ttl"], "120"), same("x", secret.Data["x"], "y"))
		}},
	}
}
