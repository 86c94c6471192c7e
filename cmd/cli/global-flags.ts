/** Flags that many commands share. */
import { duration, list, pairs, text, yesNo } from './flags.ts'

export const connectionFlags = {
  address: text(
    'Address of the server, such as https://HOST:8200 or unix:///PATH. Also: VAULT_ADDR.',
  ),
  'agent-address': text(
    'Address of an agent to ask instead of the server. Also: VAULT_AGENT_ADDR.',
  ),
  'ca-cert': text(
    'File with the certificate authority (PEM) that the server is checked against. Also: VAULT_CACERT.',
  ),
  'ca-path': text('Folder with such files. Also: VAULT_CAPATH.'),
  'client-cert': text(
    'File with the certificate (PEM) that this client shows. Also: VAULT_CLIENT_CERT.',
  ),
  'client-key': text('File with the private key of -client-cert. Also: VAULT_CLIENT_KEY.'),
  'tls-server-name': text(
    "Name that the server's certificate must have. Also: VAULT_TLS_SERVER_NAME.",
  ),
  'tls-skip-verify': yesNo(
    "Do not check the server's certificate: anybody on the way can read along. Also: VAULT_SKIP_VERIFY.",
  ),
  namespace: text('Namespace to work in. Also: VAULT_NAMESPACE.'),
  ns: text('The same as -namespace.', { hidden: true }),
  'wrap-ttl': duration(
    'Ask for the answer in a wrapping token that lives this long. Also: VAULT_WRAP_TTL.',
  ),
  mfa: list('Credentials of a second factor: METHOD:CODE. Also: VAULT_MFA.'),
  header: pairs('A further header of each request.'),
  'policy-override': yesNo('Override soft-mandatory policies of servers that have them.', {
    hidden: true,
  }),
  'disable-redirects': yesNo('Do not follow a redirect.'),
  'output-curl-string': yesNo('Print the request as a curl command instead of sending it.'),
  'output-policy': yesNo('Print a policy that allows the request instead of sending it.'),
  'non-interactive': yesNo('Never ask for anything on the terminal.'),
  'no-color': yesNo('Nothing is coloured; taken for old scripts.', { hidden: true }),
  'unlock-key': text('Key that unlocks a locked namespace.', { hidden: true }),
}

export const formatFlag = {
  format: text(
    'How to print the answer: table, json or yaml (read also: raw). Also: VAULT_FORMAT.',
    { values: ['table', 'json', 'yaml', 'raw'] },
  ),
}

export const fieldFlag = {
  field: text('Print only this field, with no newline after it.'),
}

export const mountFlag = {
  mount: text('Where the engine is mounted; the path is then read below it.'),
}
