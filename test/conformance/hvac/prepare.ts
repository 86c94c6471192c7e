/**
 * hvac's own source package with its integration tests, and a Python environment to run them in. The environment is
 * kept in the user's cache folder, outside the repository; the package is unpacked anew for each run, since its tests
 * write beside themselves.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

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

export class PreparationFailed extends Error {
  override readonly name = 'PreparationFailed'
}

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
  const cache = join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'keyhold',
    'hvac-2.4.0',
  )
  const python = join(cache, 'venv', 'bin', 'python')
  const ready = join(cache, 'ready')
  const wanted = [HVAC, ...REQUIREMENTS].join('\n')
  if (!existsSync(ready) || readFileSync(ready, 'utf8') !== wanted) {
    rmSync(cache, { recursive: true, force: true })
    mkdirSync(cache, { recursive: true })
    run('python3', ['-m', 'venv', join(cache, 'venv')])
    run(python, ['-m', 'pip', 'install', '--quiet', ...REQUIREMENTS])
    run(python, [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--no-binary',
      ':all:',
      '--dest',
      cache,
      HVAC,
    ])
    assertSdist(join(cache, SDIST))
    writeFileSync(ready, wanted)
  }
  run(python, ['-m', 'tarfile', '--extract', join(cache, SDIST), dir])
  return { python, folder: join(dir, SDIST.replace('.tar.gz', '')) }
}

function assertSdist(file: string): void {
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex')
  if (digest !== SDIST_SHA256)
    throw new PreparationFailed(`${SDIST} has the digest ${digest}, not the known one`)
}

function run(program: string, args: readonly string[]): void {
  const done = spawnSync(program, args, { encoding: 'utf8' })
  if (done.status !== 0)
    throw new PreparationFailed(`${program} ${args.join(' ')}\n${done.stdout}${done.stderr}`)
}
