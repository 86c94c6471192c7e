/** Commands against a real server of two nodes in this process, over HTTP. */
import { onTestFinished } from 'vitest'
import { createApi } from '../../core/api.ts'
import { closeListeners, startListener } from '../../core/http/testing/test-listener.ts'
import { startCluster, type Cluster, type ClusterOptions } from '../../test/support/kit.ts'
import { programNamed } from './program.ts'
import { runCommandLine } from './run.ts'
import { fakeTerminal } from './terminal.fixture.ts'

export interface Ran {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

export interface ServedCluster {
  readonly cluster: Cluster
  readonly address: string
  /** @param words the command line, word by word; those of one text are parted by blanks */
  readonly run: (words: string | readonly string[], options?: RunOptions) => Promise<Ran>
}

interface RunOptions {
  /** Default: the root token. */
  readonly token?: string
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** Default: `keyhold`. */
  readonly as?: 'keyhold' | 'vault' | 'bao'
  readonly interruption?: AbortSignal
}

/** It ends with the test. */
export async function serveCluster(options: ClusterOptions = {}): Promise<ServedCluster> {
  const cluster = await startCluster(options)
  const [node] = cluster.nodes
  if (node === undefined) throw new Error('a cluster has a node')
  const { port } = await startListener({}, createApi(node))
  onTestFinished(async () => {
    await closeListeners()
    await cluster.close()
  })
  const address = `http://127.0.0.1:${port}`
  return {
    cluster,
    address,
    async run(words, options = {}) {
      const { token = cluster.rootToken, input = '', env = {}, as = 'keyhold' } = options
      const terminal = fakeTerminal({
        env: { VAULT_ADDR: address, VAULT_TOKEN: token, ...env },
        input,
        ...(options.interruption && { interruption: options.interruption }),
      })
      const args = typeof words === 'string' ? words.split(' ') : words
      const exitCode = await runCommandLine(args, terminal, programNamed(as))
      return { exitCode, ...terminal.written }
    },
  }
}
