"""All of hvac's database module against a server and a PostgreSQL; hvac itself tests it with mocks only."""

import os
import sys

import hvac

url, user, password, static = sys.argv[1:]
client = hvac.Client(url=os.environ["VAULT_ADDR"], token=os.environ["VAULT_TOKEN"])
client.sys.enable_secrets_engine("database")
database = client.secrets.database

connection = {"connection_url": url, "username": user, "password": password}
database.configure("pg", "postgresql-database-plugin", allowed_roles="*", **connection)
assert database.list_connections()["data"]["keys"] == ["pg"]
read = database.read_connection("pg")["data"]
assert read["plugin_name"] == "postgresql-database-plugin"
assert "password" not in read["connection_details"]

create = """CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'"""
database.create_role("app", "pg", [create], default_ttl="1h", max_ttl="2h")
assert database.list_roles()["data"]["keys"] == ["app"]
assert database.read_role("app")["data"]["default_ttl"] == 3600
made = database.generate_credentials("app")
assert made["lease_duration"] == 3600 and made["data"]["username"] and made["data"]["password"]
assert client.sys.renew_lease(made["lease_id"], 1800)["lease_duration"] == 1800
client.sys.revoke_lease(made["lease_id"])

database.create_static_role("static", "pg", static, [], rotation_period="24h")
assert database.list_static_roles()["data"]["keys"] == ["static"]
assert database.read_static_role("static")["data"]["username"] == static
before = database.get_static_credentials("static")["data"]["password"]
database.rotate_static_role_credentials("static")
assert database.get_static_credentials("static")["data"]["password"] != before

database.rotate_root_credentials("pg")
database.reset_connection("pg")
database.delete_static_role("static")
database.delete_role("app")
database.delete_connection("pg")
print("done")
