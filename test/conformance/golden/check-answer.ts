/**
 * Whether an answer is the recorded one: status, headers, body.
 */
import { parseJson, type Json } from '../../../core/json.ts'
import type { RawResponse } from '../../support/raw-http.ts'
import { differences, topOrderDifference } from './match.ts'
import { matchText, type Variables } from './placeholders.ts'
import type { RequestStep } from './recording.ts'

/** Every recorded answer has these; a step says what is otherwise. */
const USUAL_HEADERS: Readonly<Record<string, string | null>> = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  location: null,
  vary: null,
  'retry-after': null,
  'x-vault-namespace': null,
  'access-control-allow-origin': null,
  'access-control-allow-methods': null,
  'access-control-allow-headers': null,
  'access-control-max-age': null,
}

export function checkAnswer(
  step: RequestStep,
  answer: RawResponse | undefined,
  variables: Variables,
): string[] {
  if (answer === undefined || step.status === undefined) {
    return answer?.status === step.status
      ? []
      : [`status: recorded ${step.status}, got ${answer?.status ?? 'no answer'}`]
  }
  if (step.status === 500 && isUsersMistake(step, answer, variables))
    return headerDifferences(step, answer, variables)
  return [
    ...(answer.status === step.status
      ? []
      : [`status: recorded ${step.status}, got ${answer.status}`]),
    ...headerDifferences(step, answer, variables),
    ...bodyDifferences(step, answer, variables),
  ]
}

/**
 * Where the reference answers 500 to a user's mistake, Keyhold answers 4xx with the same text, in the reference's form
 * for one error (`1 error occurred: …`) or bare.
 */
function isUsersMistake(step: RequestStep, answer: RawResponse, variables: Variables): boolean {
  if (answer.status < 400 || answer.status > 499 || step.response === undefined) return false
  const recorded = JSON.stringify(step.response)
  const bare = recorded.replace(/1 error occurred:\\n\\t\* (.*)\\n\\n"/, '$1"')
  const actual = jsonOf(answer.text)
  return [recorded, bare].some(
    (text) => differences(parseJson(text), actual, variables).length === 0,
  )
}

function headerDifferences(step: RequestStep, answer: RawResponse, variables: Variables): string[] {
  const expected = { ...USUAL_HEADERS, ...step.responseHeaders }
  return Object.entries(expected).flatMap(([name, value]) => {
    const actual = answer.headers.get(name)
    const fits =
      value === null || actual === undefined
        ? (actual ?? null) === value
        : matchText(value, actual, variables) !== undefined
    return fits ? [] : [`header ${name}: recorded ${value ?? 'absent'}, got ${actual ?? 'absent'}`]
  })
}

function bodyDifferences(step: RequestStep, answer: RawResponse, variables: Variables): string[] {
  if (step.responseText !== undefined)
    return textDifferences(step.responseText, answer.text, variables)
  if (step.response === undefined) {
    return answer.text === '' ? [] : [`body: recorded empty, got ${answer.text.slice(0, 200)}`]
  }
  if (step.response === '<any>') return []
  const actual = jsonOf(answer.text)
  const found = differences(step.response, actual, variables, { unordered: step.unordered })
  return found.length > 0 ? found : topOrderDifference(step.response, actual)
}

function textDifferences(expected: string, actual: string, variables: Variables): string[] {
  const fits = [actual, actual.trimEnd()].some(
    (text) => matchText(expected, text, variables) !== undefined,
  )
  return fits ? [] : [`body: recorded ${expected}, got ${actual}`]
}

function jsonOf(text: string): Json | undefined {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
