/**
 * Whether the time that something takes tells what it was given: Welch's t-test over measurements of two classes of inputs, taken
 * in turn (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?", DATE 2017).
 */
import { systemClock } from '../../core/clock.ts'
import { systemRandom } from '../../core/random.ts'

export interface Trial<Input> {
  readonly run: (input: Input) => unknown
  /** A fresh input of each class, made in the same way, so that they differ in nothing but what the class is about. */
  readonly classes: readonly [() => Input, () => Input]
  /** Measurements of each class. */
  readonly rounds: number
  /** Inputs of a class that are measured as one: what is shorter than the clock can tell. */
  readonly batch: number
}

/** Beyond it, times differ. dudect takes 4.5 for a hint and 10 for certain. */
const CERTAIN = 10
/** What is chance, or another program, is not there every time. */
const ATTEMPTS = 4
/** Slower measurements were interrupted; they are left out of both classes alike. */
const KEPT = 0.8

/** @returns whether every attempt says so, and the same class was the slower one each time */
export async function tellsApart<Input>(trial: Trial<Input>): Promise<boolean> {
  // Until what it runs is compiled, all else is small beside that.
  await measure({ ...trial, rounds: Math.ceil(trial.rounds / 10) })
  let direction = 0
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const t = welch(await measure(trial))
    direction ||= Math.sign(t)
    if (Math.abs(t) < CERTAIN || Math.sign(t) !== direction) return false
  }
  return true
}

type Times = readonly [number[], number[]]

async function measure<Input>({ run, classes, rounds, batch }: Trial<Input>): Promise<Times> {
  const times: Times = [[], []]
  for (let round = 0; round < rounds; round++) {
    const first = (systemRandom.bytes(1)[0] ?? 0) & 1
    for (const which of first === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const inputs = Array.from({ length: batch }, classes[which])
      const from = systemClock.monotonicMs()
      for (const input of inputs) await run(input)
      times[which].push(systemClock.monotonicMs() - from)
    }
  }
  return times
}

function welch(times: Times): number {
  const all = times.flat().sort((a, b) => a - b)
  const most = all[Math.floor(all.length * KEPT)] ?? Number.POSITIVE_INFINITY
  const [a, b] = times.map((some) => statistics(some.filter((time) => time <= most)))
  if (a === undefined || b === undefined) return 0
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count)
}

function statistics(values: readonly number[]) {
  const count = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / count
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { count, mean, variance: squares / (count - 1) }
}
