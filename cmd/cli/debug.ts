/** The command `debug`: what a person who helps wants to know of a server, in one file that holds no secret. */
import { systemClock } from '../../core/clock.ts'
import { goDuration } from '../../core/duration.ts'
import { PRODUCT_VERSION } from '../../core/version.ts'
import { textOf } from '../client/secret.ts'
import { command, type Call } from './command.ts'
import { askHealth, capture, DEBUG_TARGETS, type DebugTarget } from './debug-capture.ts'
import { filesOf, outputOf, writeBundle, type About } from './debug-bundle.ts'
import { EXIT_USAGE, orFail } from './failure.ts'
import { duration, list, text, yesNo } from './flags.ts'
import { oneOf } from './monitor.ts'

/** More often would be work for the server that shows in what is captured. */
const MIN_SECONDS = 5
/** So that what falls due at the end is captured too. */
const GRACE_MS = 1_000
const FORMATS = ['standard', 'json']

const flags = {
  compress: yesNo('One file (.tar.gz) instead of a folder; the default.', { initial: true }),
  duration: duration('For how long; default 2m.'),
  interval: duration('How often it asks; default 30s.'),
  'metrics-interval': duration('How often it asks for metrics; default 10s.'),
  output: text('The file, or the folder with -compress=false; default: named by the time.'),
  target: list(
    `What to capture: ${DEBUG_TARGETS.join(', ')}; may be given several times; default: all.`,
    { values: DEBUG_TARGETS },
  ),
  'log-format': text('How lines of the log are written: standard (default) or json.', {
    values: FORMATS,
  }),
}
type DebugCall = Call<typeof flags>

export const debug = command({
  usage: 'debug [options]',
  about: `Watches a server for some time and writes what it saw into one file, for whoever is to help: its configuration without secrets, its machine, metrics, running requests, state and log. What the token may not see is left out, and named in index.json. Tokens that a log line holds by mistake are blacked out. Ctrl-C ends it early.

  %p debug
  %p debug -duration=10m -interval=1m -target=metrics -target=log`,
  flags,
  run,
})

async function run(call: DebugCall): Promise<void> {
  const plan = planOf(call)
  const connection = { ...call.connection(), wrapTtl: undefined }
  const health = await orFail(
    'Error during validation: unable to connect to the server',
    askHealth(connection),
    EXIT_USAGE,
  )
  const startedMs = systemClock.nowMs()
  const output = outputOf(call.flags, call.program.command, startedMs)
  const { printer } = call
  const about = {
    vault_address: connection.address.href.replace(/\/$/, ''),
    client_version: PRODUCT_VERSION,
    server_version: textOf(health['version']),
    timestamp: new Date(startedMs).toISOString(),
    duration_seconds: plan.seconds,
    interval_seconds: plan.intervalMs / 1000,
    metrics_interval_seconds: plan.metricsIntervalMs / 1000,
    compress: call.flags.compress,
    targets: plan.targets,
  }
  for (const line of introduction(about, call.program.product, output.path)) printer.line(line)
  const end = [call.terminal.interruption(), AbortSignal.timeout(plan.seconds * 1000 + GRACE_MS)]
  const captured = await capture(plan, AbortSignal.any(end), {
    connection,
    clock: systemClock,
    progress: (target) =>
      printer.warn(`${new Date(systemClock.nowMs()).toISOString()} captured ${target}`),
  })
  const files = filesOf(captured, about, `${call.program.command}.log`)
  writeBundle(output, files, startedMs)
  for (const { target, error } of captured.errors)
    printer.warn(
      `Not captured: ${target}: ${error
        .trim()
        .split(/\s*\n\s*/)
        .at(-1)}`,
    )
  printer.line(`Success! Bundle written to: ${output.path}`)
}

function planOf({ flags: given, printer }: DebugCall) {
  const atLeast = (name: string, seconds: number): number => {
    if (seconds >= MIN_SECONDS) return seconds
    printer.warn(`${name}: ${goDuration(seconds)} is too short; ${MIN_SECONDS}s is taken`)
    return MIN_SECONDS
  }
  const seconds = atLeast('-duration', given.duration ?? 120)
  const interval = Math.min(seconds, atLeast('-interval', given.interval ?? 30))
  const metrics = Math.min(seconds, atLeast('-metrics-interval', given['metrics-interval'] ?? 10))
  return {
    seconds,
    intervalMs: interval * 1000,
    metricsIntervalMs: metrics * 1000,
    targets: targetsOf(given.target, printer.warn),
    logFormat: oneOf(FORMATS, given['log-format'] ?? 'standard', 'log format'),
  }
}

function targetsOf(given: readonly string[], warn: (text: string) => void): readonly DebugTarget[] {
  if (given.length === 0) return DEBUG_TARGETS
  const wanted = given.flatMap((item) => item.split(','))
  const known = DEBUG_TARGETS.filter((target) => wanted.includes(target))
  const unknown = wanted.filter((target) => !known.some((one) => one === target))
  if (unknown.length > 0) warn(`Ignoring invalid targets: ${unknown.join(', ')}`)
  return known
}

function introduction(about: About, product: string, path: string): readonly string[] {
  const rows: readonly (readonly [string, string])[] = [
    [`${product} Address`, about.vault_address],
    ['Client Version', about.client_version],
    ['Server Version', about.server_version],
    ['Duration', goDuration(about.duration_seconds)],
    ['Interval', goDuration(about.interval_seconds)],
    ['Metrics Interval', goDuration(about.metrics_interval_seconds)],
    ['Targets', about.targets.join(', ')],
    ['Output', path],
  ]
  return [
    '==> Starting debug capture...',
    ...rows.map(([title, value]) => `${title.padStart(22)}: ${value}`),
    '',
    '==> Capturing information...',
  ]
}
