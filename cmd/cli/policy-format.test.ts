import { expect, test } from 'vitest'
import { InvalidPolicy } from '../../core/policy/errors.ts'
import { formatPolicy } from './policy-format.ts'

const UNTIDY = `# all of it
path "a" {capabilities=["read"]}
path "b/*" {
  capabilities = ["read", "list"] # trailing
  // another
  allowed_parameters = { "a" = ["1","2"]
   "bcd" = [] }
  min_wrapping_ttl="1m"
     max_wrapping_ttl = "2m"


  required_parameters = [
   "x",
"y" ]
}
`

const TIDY = `# all of it
path "a" {
  capabilities = ["read"]
}

path "b/*" {
  capabilities = ["read", "list"] # trailing

  // another
  allowed_parameters = {
    "a"   = ["1", "2"]
    "bcd" = []
  }

  min_wrapping_ttl = "1m"
  max_wrapping_ttl = "2m"

  required_parameters = [
    "x",
    "y",
  ]
}
`

test('a policy gets the form that OpenBao gives it, comments and all', () => {
  expect(formatPolicy(UNTIDY)).toBe(TIDY)
})

test('what is tidy stays as it is', () => {
  expect(formatPolicy(TIDY)).toBe(TIDY)
})

test('comments at the end, and a text of nothing but comments, are kept', () => {
  expect(formatPolicy('path "a" {\n# why\n}\n# end')).toBe('path "a" {\n  # why\n}\n\n# end\n')
  expect(formatPolicy('# only this')).toBe('# only this\n')
})

test('what is no policy is refused with its place, and never half written', () => {
  expect(() => formatPolicy('path "a" { capabilities = [')).toThrow(InvalidPolicy)
  expect(() => formatPolicy('nonsense')).toThrow(/At 1:/)
  expect(() => formatPolicy('path "a" { capabilities = ["fly"] }')).toThrow(InvalidPolicy)
})
