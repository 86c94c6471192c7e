import { expect, onTestFinished, test } from 'vitest'
import { startCluster } from '../../../test/support/kit.ts'

test.each(['prod ', ' prod', 'PROD'])(
  'a policy is written and deleted under the name that policies judged, not under %j',
  async (name) => {
    const cluster = await startCluster()
    onTestFinished(() => cluster.close())
    await cluster.write('sys/policies/acl/prod', { policy: 'path "a" {}' })
    const token = await cluster.tokenWith(
      'path "sys/policies/acl/*" { capabilities = ["update", "delete", "patch", "read"] } path "sys/policies/acl/prod" { capabilities = ["deny"] }',
    )
    const at = `sys/policies/acl/${encodeURIComponent(name)}`

    await cluster.write(at, { policy: 'path "b" {}' }, { token })
    await cluster.request('PATCH', at, { token, body: { policy: 'path "b" {}' } })
    await cluster.remove(at, { token })

    expect((await cluster.read('sys/policies/acl/prod')).data['policy']).toBe('path "a" {}')
  },
)
