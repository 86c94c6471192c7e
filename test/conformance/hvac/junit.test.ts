import { expect, test } from 'vitest'
import { parseJunit } from './junit.ts'

test('passed, failed, broken and skipped cases are told apart', () => {
  const xml = `<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="4">
    <testcase classname="tests.a.TestA" name="test_one" time="0.1" />
    <testcase classname="tests.a.TestA" name="test_two" time="0.1"><failure message="a &lt; b&#10;c">trace</failure></testcase>
    <testcase classname="tests.a.TestA" name="test_three" time="0.1"><error message="setup">trace</error></testcase>
    <testcase classname="tests.b.TestB" name="test_four" time="0.1"><skipped type="pytest.skip" message="why">x</skipped></testcase>
  </testsuite></testsuites>`
  expect(parseJunit(xml)).toEqual([
    { className: 'tests.a.TestA', name: 'test_one', outcome: 'passed', message: '' },
    { className: 'tests.a.TestA', name: 'test_two', outcome: 'failed', message: 'a < b\nc' },
    { className: 'tests.a.TestA', name: 'test_three', outcome: 'failed', message: 'setup' },
    { className: 'tests.b.TestB', name: 'test_four', outcome: 'skipped', message: 'why' },
  ])
})
