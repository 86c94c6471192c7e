/**
 * Plays one recorded scenario against a server and says, step by step, what differed.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { isJsonObject, parseJson, type Json } from '../../../core/json.ts'
import { sendRaw, type RawResponse } from '../../support/raw-http.ts'
import type { RunningServer } from '../../support/server-process.ts'
import type { CaseResult } from '../expectations.ts'
import { checkAnswer } from './check-answer.ts'
import { compute } from './compute.ts'
import { MissingVariable, substitute } from './placeholders.ts'
import type { RequestStep, Scenario } from './recording.ts'

const REPEAT_PAUSE_MS = 100
const REPEAT_LIMIT = 100

/** `AREA/SCENARIO/N` */
export function stepId(scenario: Scenario, step: RequestStep): string {
  return `${scenario.area}/${scenario.name}/${step.n}`
}

/** @param server freshly started as the scenario wants it @param outside names of what it needs beside it */
export async function playScenario(
  scenario: Scenario,
  server: RunningServer,
  outside: readonly (readonly [string, string])[] = [],
): Promise<CaseResult[]> {
  const variables = new Map([
    ...outside,
    ['root', server.rootToken],
    ['key', server.unsealKeys[0] ?? ''],
    ['addr', new URL(server.address).host],
    ['dir', server.dir],
  ])
  const results: CaseResult[] = []
  /** Which step should have given a variable its value. */
  const savers = new Map<string, string>()
  for (const step of scenario.steps) {
    if (step.kind === 'pause') {
      await pause(step.waitMs)
      continue
    }
    const id = stepId(scenario, step)
    for (const name of Object.keys(step.save)) savers.set(name, id)
    results.push({
      id,
      title: `${step.method} ${step.path}`,
      failures: await playStep(step, scenario, server, variables, savers),
    })
  }
  return results
}

async function playStep(
  step: RequestStep,
  scenario: Scenario,
  server: RunningServer,
  variables: Map<string, string>,
  savers: ReadonlyMap<string, string>,
): Promise<string[]> {
  if (step.unknown.length > 0) return [`the runner cannot play ${step.unknown.join(', ')}`]
  try {
    for (const [name, recipe] of Object.entries(step.compute)) {
      variables.set(
        name,
        compute(recipe, (text) => substitute(text, variables)),
      )
    }
    const answer = await sendUntilFits(step, scenario, server, variables)
    // What the step must leave is taken before it is judged: a different answer may still carry it.
    save(step, answer, variables)
    return checkAnswer(step, answer, variables)
  } catch (error) {
    if (error instanceof MissingVariable) {
      return [
        `depends on ${savers.get(error.variable) ?? 'no step'}, which gave no \${${error.variable}}`,
      ]
    }
    throw error
  }
}

async function sendUntilFits(
  step: RequestStep,
  scenario: Scenario,
  server: RunningServer,
  variables: ReadonlyMap<string, string>,
): Promise<RawResponse | undefined> {
  const { repeatUntilStatus: status, repeatUntilMatch: match } = step
  for (let tries = 1; ; tries += 1) {
    const answer = await send(step, scenario, server, variables)
    const fits =
      (status === undefined || answer?.status === status) &&
      (match === undefined || new RegExp(match).test(answer?.text ?? ''))
    if (fits || tries === REPEAT_LIMIT) return answer
    await pause(REPEAT_PAUSE_MS)
  }
}

function send(
  step: RequestStep,
  scenario: Scenario,
  server: RunningServer,
  variables: ReadonlyMap<string, string>,
): Promise<RawResponse | undefined> {
  const fill = (text: string) => substitute(text, variables)
  const fallback = scenario.init ? '${root}' : null
  const token = step.token === undefined ? fallback : step.token
  const body = step.bodyText ?? (step.body === undefined ? undefined : JSON.stringify(step.body))
  const headers = Object.entries(step.headers).map(([name, value]) => [name, fill(value)] as const)
  return sendRaw({
    host: '127.0.0.1',
    port: server.port,
    method: step.method,
    path: fill(step.path),
    headers: {
      ...contentType(step),
      ...(token === null ? {} : { 'X-Vault-Token': fill(token) }),
      ...Object.fromEntries(headers),
    },
    ...(body === undefined ? {} : { body: fill(body) }),
  })
}

function contentType(step: RequestStep): Record<string, string> {
  const given = Object.keys(step.headers).some((name) => name.toLowerCase() === 'content-type')
  if (given || (step.body === undefined && step.bodyText === undefined)) return {}
  return {
    'Content-Type': step.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
  }
}

function save(
  step: RequestStep,
  answer: RawResponse | undefined,
  variables: Map<string, string>,
): void {
  if (Object.keys(step.save).length === 0) return
  let body: Json | undefined
  try {
    body = parseJson(answer?.text ?? '')
  } catch {
    return
  }
  for (const [name, path] of Object.entries(step.save)) {
    const value = valueAt(body, path)
    if (typeof value === 'string') variables.set(name, value)
    else if (typeof value === 'number') variables.set(name, String(value))
    else variables.delete(name)
  }
}

/** @param path dotted; a number is a place in a list */
export function valueAt(value: Json | undefined, path: string): Json | undefined {
  let found: Json | undefined = value
  for (const part of path.split('.')) {
    if (Array.isArray(found)) {
      const items: readonly Json[] = found
      found = items[Number(part)]
    } else found = isJsonObject(found) ? found[part] : undefined
  }
  return found
}
