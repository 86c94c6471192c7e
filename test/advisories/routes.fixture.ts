/** Every path that every engine and method declares, ready to be requested: for tests of rules that hold for all. */
import type { Declarable, OperationFacts, Path } from '../../core/plugin/path.ts'
import type { Segment } from '../../core/plugin/pattern.ts'
import { putMount } from '../support/records.ts'
import type { Cluster } from '../support/kit.ts'

export interface Declared {
  readonly path: Path
  /** Below `/v1/`, with a value in each place that wants one. */
  readonly url: string
  /** The same, with other values in those places that fold case. */
  readonly upperCaseUrl: string
  /** Names of fields that the url fills. */
  readonly inUrl: ReadonlySet<string>
  readonly operations: ReadonlyMap<Declarable, OperationFacts>
}

/** `create` is an `update` of what is not there. */
export const METHODS: Readonly<Record<Declarable, string>> = {
  read: 'GET',
  list: 'LIST',
  scan: 'SCAN',
  create: 'POST',
  update: 'POST',
  patch: 'PATCH',
  delete: 'DELETE',
  header: 'HEAD',
}

/** Which versions of an engine a mount can ask for. */
const VERSIONS = [undefined, '1', '2']
/** Values for places in a path; the first that fits. */
const SAMPLES = ['sample', '1', '0', 'a', 'sha2-256', '00000000-0000-0000-0000-000000000000']

/** Mounts one of each type and version, and lists what they declare. */
export async function declaredRoutes(cluster: Cluster): Promise<Declared[]> {
  const [node] = cluster.nodes
  if (node === undefined) throw new Error('a cluster has a node')
  const found: Declared[] = []
  for (const type of node.registry.types) {
    const seen = new Set<string>()
    for (const version of type.singleton ? [undefined] : VERSIONS) {
      const { paths } = type.create({ version })
      const shape = paths.flatMap((path) => routesOf('', path).map(({ url }) => url)).join()
      if (seen.has(shape)) continue
      seen.add(shape)
      const prefix = await mounted(cluster, type, version)
      for (const path of paths) found.push(...routesOf(prefix, path))
    }
  }
  return found
}

async function mounted(
  cluster: Cluster,
  { type, kind, singleton }: { type: string; kind: 'secret' | 'auth'; singleton?: boolean },
  version: string | undefined,
): Promise<string> {
  if (singleton) return type === 'system' ? 'sys/' : kind === 'auth' ? `auth/${type}/` : `${type}/`
  const path = `${kind === 'auth' ? 'auth/' : ''}sweep-${type}${version ?? ''}/`
  await putMount(cluster, { path, type, kind, options: version === undefined ? null : { version } })
  return path
}

function routesOf(prefix: string, path: Path): Declared[] {
  return path.patterns.map(({ segments }) => ({
    path,
    url: prefix + segments.map(sampleOf).join('/'),
    upperCaseUrl: prefix + segments.map(upperCaseOf).join('/'),
    inUrl: new Set(
      segments.flatMap((segment) => (segment.kind === 'literal' ? [] : [segment.name])),
    ),
    operations: path.operations,
  }))
}

function sampleOf(segment: Segment): string {
  if (segment.kind === 'literal') return segment.text
  if (segment.kind === 'rest') return 'sample'
  const sample = SAMPLES.find((one) => segment.is.test(one))
  if (sample === undefined) throw new Error(`no sample fits ${segment.is}; add one that does`)
  return sample
}

function upperCaseOf(segment: Segment): string {
  const sample = sampleOf(segment)
  return segment.kind !== 'literal' && segment.folds ? sample.toUpperCase() : sample
}
