/** The program itself: its version, its Node, and the user who runs it. */
import { PRODUCT_VERSION } from '../../core/version.ts'
import { tooOld } from '../node-version.ts'
import { failure, ok, warning, type Finding } from './finding.ts'
import type { Machine } from './machine.ts'

export function checkProgram({ nodeVersion, uid }: Machine): readonly Finding[] {
  const old = tooOld(nodeVersion)
  const said = `Keyhold ${PRODUCT_VERSION} on Node ${nodeVersion}, ${process.platform} ${process.arch}`
  const node =
    old === undefined
      ? ok(said)
      : failure(said, 'put a newer Node first on the PATH; `node --version` says which is found')
  return uid === 0 ? [node, ROOT] : [node]
}

const ROOT = warning(
  'this is run by root, who may do everything: what follows says nothing of what the server may do',
  'run it as the user of the server: sudo -u keyhold keyhold operator diagnose ...',
)
