/**
 * `server -dev`: a server to try things on. It is initialised and unsealed by itself, with one share, keeps its data in
 * an embedded SQLite file that goes with it, and has `secret/` mounted as KV v2. Never for secrets that matter.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { issueRootToken } from '../../core/bootstrap.ts'
import { mountEngine } from '../../core/mounts/change.ts'
import { ROOT } from '../../core/namespaces.ts'
import type { Node } from '../../core/node.ts'
import { ROOT_POLICY } from '../../core/policy/names.ts'
import { Transaction } from '../../core/store/transaction.ts'
import { View } from '../../core/store/view.ts'
