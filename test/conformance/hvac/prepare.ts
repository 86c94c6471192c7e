/**
 * hvac's own source package with its integration tests, and a Python environment to run them in. The package is unpacked
 * anew for each run, since its tests write beside themselves.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PreparationFailed, preparePython, runToEnd } from '../python-environment.ts'

const HVAC = 'hvac==2.4.0'
const SDIST = 'hvac-2.4.0.tar.gz'
const SDIST_SHA256 = 'e0056ad9064e7923e874e6769015b032580b639e29246f5ab1044f7959c1c7e0'
/** What its integration tests import, of the versions that were tried. */
const REQUIREMENTS = [
  'pytest==9.2.0',
  'parameterized==0.9.0',
  'requests-mock==1.12.1',
  'pyhcl==0.4.5',
  'requests==2.34.2',
  'packaging==26.3',
]

export interface HvacSuite {
  readonly python: string
  /** The unpacked package: tests are run from here. */
  readonly folder: string
}

/**
 * @param dir where to unpack
 * @throws {PreparationFailed} Python or the registry did not do what was asked
 */
export function prepareHvac(dir: string): HvacSuite {
  const { python, cache } = preparePython({
    name: 'hvac-2.4.0',
    requirements: REQUIREMENTS,
    source: HVAC,
    finish({ python: own, cache: to }) {
      const options = ['--quiet', '--no-deps', '--no-binary', ':all:', '--dest', to]
      runToEnd(own, ['-m', 'pip', 'download', ...options, HVAC])
      assertSdist(join(to, SDIST))
    },
  })
  runToEnd(python, ['-m', 'tarfile', '--extract', join(cache, SDIST), dir])
  return { python, folder: join(dir, SDIST.replace('.tar.gz', '')) }
}

function assertSdist(file: string): void {
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex')
  if (digest !== SDIST_SHA256)
    throw new PreparationFailed(`${SDIST} has the digest ${digest}, not the known one`)
}
