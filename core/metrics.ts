/**
 * What is counted of this node: requests by operation and how long they took, and gauges that are read when somebody
 * asks. Shown as Prometheus text and as the JSON that clients of Vault know.
 */

/** Requests of one operation. */
interface Summary {
  count: number
  sumMs: number
  sumOfSquares: number
  minMs: number
  maxMs: number
}

/** A number with its name and meaning. */
export interface Gauge {
  readonly name: string
  readonly help: string
  readonly value: number
}

export class Metrics {
  readonly #requests = new Map<string, Summary>()
  #failures = 0
  #auditFailures = 0
  #rateLimited = 0

  /** hot: a request was answered. */
  observe(operation: string, spanMs: number): void {
    let summary = this.#requests.get(operation)
    if (summary === undefined) {
      summary = { count: 0, sumMs: 0, sumOfSquares: 0, minMs: Infinity, maxMs: 0 }
      this.#requests.set(operation, summary)
    }
    summary.count += 1
    summary.sumMs += spanMs
    summary.sumOfSquares += spanMs * spanMs
    if (spanMs < summary.minMs) summary.minMs = spanMs
    if (spanMs > summary.maxMs) summary.maxMs = spanMs
  }

  /** A request failed by no fault of its client. */
  failed(): void {
    this.#failures += 1
  }

  /** A request was not done, or its answer withheld, because no audit device took it. */
  auditFailed(): void {
    this.#auditFailures += 1
  }

  /** A request was refused because its client made too many. */
  rateLimited(): void {
    this.#rateLimited += 1
  }

  /** @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
  prometheus(gauges: readonly Gauge[]): string {
    const lines = [
      '# HELP keyhold_request_duration_milliseconds Time from a request to its answer.',
      '# TYPE keyhold_request_duration_milliseconds summary',
    ]
    for (const [operation, { count, sumMs }] of this.#requests) {
      const label = `{operation="${operation}"}`
      lines.push(`keyhold_request_duration_milliseconds_sum${label} ${sumMs}`)
      lines.push(`keyhold_request_duration_milliseconds_count${label} ${count}`)
    }
    for (const { name, help, value } of this.#counters()) {
      const metric = `keyhold_${name}_total`
      lines.push(`# HELP ${metric} ${help}`, `# TYPE ${metric} counter`, `${metric} ${value}`)
    }
    for (const { name, help, value } of gauges) {
      lines.push(
        `# HELP keyhold_${name} ${help}`,
        `# TYPE keyhold_${name} gauge`,
        `keyhold_${name} ${value}`,
      )
    }
    return `${lines.join('\n')}\n`
  }

  /** In the shape of go-metrics, as `sys/metrics` of Vault answers. */
  json(gauges: readonly Gauge[], timestamp: string): Record<string, unknown> {
    return {
      Timestamp: timestamp,
      Gauges: gauges.map(({ name, value }) => ({
        Name: `keyhold.${name}`,
        Value: value,
        Labels: {},
      })),
      Points: [],
      Counters: this.#counters().map(counter),
      Samples: [...this.#requests].map(([operation, summary]) => sample(operation, summary)),
    }
  }

  #counters(): readonly Gauge[] {
    return [
      {
        name: 'request_failures',
        help: 'Requests that failed by no fault of the client.',
        value: this.#failures,
      },
      {
        name: 'audit_failures',
        help: 'Requests that failed because no audit device took them.',
        value: this.#auditFailures,
      },
      {
        name: 'rate_limited',
        help: 'Requests that were refused because a rate limit was passed.',
        value: this.#rateLimited,
      },
    ]
  }
}

function counter({ name, value }: Gauge): Record<string, unknown> {
  return {
    Name: `keyhold.${name.replaceAll('_', '.')}`,
    Count: value,
    Rate: 0,
    Sum: value,
    Min: 0,
    Max: 0,
    Mean: 0,
    Stddev: 0,
    Labels: {},
  }
}

function sample(operation: string, summary: Summary): Record<string, unknown> {
  const { count, sumMs, sumOfSquares, minMs, maxMs } = summary
  const mean = sumMs / count
  return {
    Name: 'keyhold.request.duration',
    Count: count,
    Rate: sumMs,
    Sum: sumMs,
    Min: minMs,
    Max: maxMs,
    Mean: mean,
    Stddev: Math.sqrt(Math.max(0, sumOfSquares / count - mean * mean)),
    Labels: { operation },
  }
}
