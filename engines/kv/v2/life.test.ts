/** The life of a key against a model: whatever requests come, in whatever order, versions are as the model says. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startKv, type KvCluster } from '../mounted.fixture.ts'

let kv: KvCluster
let keysMade = 0
beforeAll(async () => {
  kv = await startKv()
  await kv.mount('kv/', '2')
})
afterAll(() => kv.close())

interface ModelVersion {
  readonly data: Record<string, number>
  deleted: boolean
  destroyed: boolean
  expiresAtMs: number
}

/** As simple as can be: a map of versions, and loops. */
class Model {
  readonly versions = new Map<number, ModelVersion>()
  current = 0
  maxVersions = 0
  spanSeconds = 0
  exists = false

  add(data: Record<string, number>, nowMs: number): void {
    this.exists = true
    this.current++
    const expiresAtMs = this.#expiry(nowMs)
    this.versions.set(this.current, { data, deleted: false, destroyed: false, expiresAtMs })
    const kept = this.maxVersions === 0 ? 10 : this.maxVersions
    for (const number of this.versions.keys()) {
      if (number <= this.current - kept) this.versions.delete(number)
    }
  }

  undelete(version: ModelVersion, nowMs: number): void {
    if (version.destroyed) return
    version.deleted = false
    version.expiresAtMs = this.#expiry(nowMs)
  }

  visible(number: number, nowMs: number): Record<string, number> | undefined {
    const version = this.versions.get(number)
    if (version === undefined || version.deleted || version.destroyed) return undefined
    return version.expiresAtMs <= nowMs ? undefined : version.data
  }

  #expiry(nowMs: number): number {
    return this.spanSeconds === 0 ? Infinity : nowMs + this.spanSeconds * 1000
  }
}

type Step = (path: string, model: Model) => Promise<void>

const member = fc.constantFrom('a', 'b', 'c')
const number = fc.integer({ min: 1, max: 14 })
const numbers = fc.array(number, { minLength: 1, maxLength: 4 })
const data = fc.dictionary(member, fc.integer({ min: 0, max: 9 }))
const nowMs = () => kv.clock.nowMs()

const write = data.map((sent): Step => async (path, model) => {
  const { status } = await kv.write(`kv/data/${path}`, { data: sent })
  expect(status).toBe(200)
  model.add(sent, nowMs())
})

const casWrite = fc
  .tuple(data, fc.integer({ min: 0, max: 12 }))
  .map(([sent, cas]): Step => async (path, model) => {
    const { status } = await kv.write(`kv/data/${path}`, { data: sent, options: { cas } })
    expect(status).toBe(cas === model.current ? 200 : 400)
    if (status === 200) model.add(sent, nowMs())
  })

const patch = fc
  .tuple(member, fc.option(fc.integer({ min: 0, max: 9 })))
  .map(([name, value]): Step => async (path, model) => {
    const before = model.visible(model.current, nowMs())
    const body = { data: { [name]: value } }
    const { status } = await kv.request('PATCH', `kv/data/${path}`, { body })
    expect(status).toBe(before === undefined ? 404 : 200)
    if (before === undefined) return
    const { [name]: _gone, ...rest } = before
    model.add(value === null ? rest : { ...rest, [name]: value }, nowMs())
  })

const remove = fc.constant<Step>(async (path, model) => {
  await kv.remove(`kv/data/${path}`)
  const current = model.versions.get(model.current)
  if (current !== undefined) current.deleted = true
})

const onVersions = (
  operation: string,
  change: (model: Model, version: ModelVersion) => void,
): fc.Arbitrary<Step> =>
  numbers.map((versions) => async (path, model) => {
    const { status } = await kv.write(`kv/${operation}/${path}`, { versions })
    expect(status).toBe(204)
    for (const one of versions) {
      const version = model.versions.get(one)
      if (version !== undefined) change(model, version)
    }
  })

const settings = fc
  .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 3 }))
  .map(([maxVersions, spanSeconds]): Step => async (path, model) => {
    const body = { max_versions: maxVersions, delete_version_after: spanSeconds }
    await kv.write(`kv/metadata/${path}`, body)
    Object.assign(model, { maxVersions, spanSeconds, exists: true })
  })

const forget = fc.constant<Step>(async (path, model) => {
  await kv.remove(`kv/metadata/${path}`)
  model.versions.clear()
  Object.assign(model, { current: 0, maxVersions: 0, spanSeconds: 0, exists: false })
})

const wait = fc.integer({ min: 1, max: 3 }).map((seconds): Step => async () => {
  kv.clock.advance(seconds)
})

const steps = fc.oneof(
  { weight: 5, arbitrary: write },
  casWrite,
  patch,
  remove,
  onVersions('delete', (_model, version) => (version.deleted = true)),
  onVersions('undelete', (model, version) => model.undelete(version, nowMs())),
  onVersions('destroy', (_model, version) => (version.destroyed = true)),
  settings,
  { weight: 1, arbitrary: forget },
  wait,
)

test('after any requests, each version is there or gone as the model says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 30 }), async (life) => {
      const path = `key-${++keysMade}`
      const model = new Model()
      for (const step of life) {
        await step(path, model)
        await expectLike(path, model)
      }
    }),
    { numRuns: 100 },
  )
})

async function expectLike(path: string, model: Model): Promise<void> {
  const current = await kv.read(`kv/data/${path}`)
  const visible = model.visible(model.current, nowMs())
  expect(current.status).toBe(visible === undefined ? 404 : 200)
  expect(current.data['data'] ?? undefined).toEqual(visible)
  const { status, data: metadata } = await kv.read(`kv/metadata/${path}`)
  expect(status).toBe(model.exists ? 200 : 404)
  if (!model.exists) return
  expect(metadata['current_version']).toBe(model.current)
  const destroyed = [...model.versions].map(([n, version]) => [
    String(n),
    { destroyed: version.destroyed },
  ])
  expect(metadata['versions']).toMatchObject(Object.fromEntries(destroyed))
  expect(Object.keys(metadata['versions'] ?? {})).toHaveLength(model.versions.size)
  for (const n of model.versions.keys()) {
    const answer = await kv.read(`kv/data/${path}?version=${n}`)
    expect(answer.data['data'] ?? undefined).toEqual(model.visible(n, nowMs()))
  }
}
