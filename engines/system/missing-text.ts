/** What a refused request lacks, in words that say what would allow it. */
import type { Missing } from '../../core/policy/explain.ts'
import type { ParameterFault } from '../../core/policy/parameter-faults.ts'

/** @param rulePath of the rule that applies; undefined: none does, and `path` is the request's */
export function missingText(
  missing: Missing,
  { path, rulePath }: { path: string; rulePath: string | undefined },
): string {
  const quoted = JSON.stringify(rulePath ?? path)
  switch (missing.kind) {
    case 'capability':
      return rulePath === undefined
        ? `no rule applies to this path; one for path ${quoted} with capability "${missing.capability}" would allow it`
        : `the rule for path ${quoted} needs capability "${missing.capability}"`
    case 'no_deny':
      return `the rule for path ${quoted} denies everything; it, or a rule that is closer to the path, must grant without "deny"`
    case 'sudo':
      return `the path needs capability "sudo" as well, in the rule for path ${quoted}`
    case 'wrapping':
      return wrappingText(missing)
    case 'parameter':
      return parameterText(missing)
    case 'page_size':
      return `the listing must ask for at most ${missing.maximum} keys: "limit" from 1 to ${missing.maximum}, or "max"`
    case 'approval':
      return 'the rule has a control group, and this server has no approvals: without control_group the rule would allow it'
    case 'root':
      return 'no capability grants this operation; only the policy "root" does'
    case 'namespace':
      return 'the policies of the token count in its own namespace and those below it; a token of this namespace is needed'
  }
}

function wrappingText({ minSeconds, maxSeconds }: Missing & { kind: 'wrapping' }): string {
  if (maxSeconds > 0 && minSeconds > maxSeconds) {
    return `no wrapping TTL can be at least ${minSeconds} and at most ${maxSeconds} seconds; two policies differ here`
  }
  const bounds = [
    ...(minSeconds > 0 ? [`at least ${minSeconds}`] : []),
    ...(maxSeconds > 0 ? [`at most ${maxSeconds}`] : []),
  ]
  return `the answer must be wrapped, with a TTL of ${bounds.join(' and ')} seconds`
}

function parameterText({ parameter, problem }: ParameterFault): string {
  const name = JSON.stringify(parameter)
  switch (problem) {
    case 'required':
      return `the parameter ${name} must be given (required_parameters)`
    case 'denied':
      return `the parameter ${name} must not be given (denied_parameters)`
    case 'denied_value':
      return `the parameter ${name} must have another value (denied_parameters)`
    case 'not_allowed':
      return `the parameter ${name} must not be given, or be among allowed_parameters`
    case 'value_not_allowed':
      return `the parameter ${name} must have one of the values of allowed_parameters`
  }
}
