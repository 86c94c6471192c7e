/**
 * Changes the password of the account that manages the others. The new one is stored before it is set, so that whichever is in
 * force is known; what has not ended is gone on with, with the same one.
 */
import { BadRequest } from '../../core/errors.ts'
import type { Effect } from '../../core/plugin/effects.ts'
import type { RequestBase } from '../../core/plugin/request.ts'
import type { View } from '../../core/store/view.ts'
import { changePassword, ownAccount } from './change-password.ts'
import { withDirectory } from './connect.ts'
import { newPassword } from './passwords.ts'
import { CONFIG_KEY, configs, type Config } from './records.ts'

const RETRY_MS = 60_000

type Context = Pick<RequestBase, 'storage' | 'random' | 'generatePassword' | 'nowMs'>

/** Stores the new password in this transaction. @returns how it is set then */
export async function rotateRoot(context: Context, before: Config): Promise<Effect> {
  const { storage, nowMs } = context
  const password = before.nextBindPassword || (await newPassword(context, before))
  const config = { ...before, nextBindPassword: password, nextBindAtMs: nowMs + RETRY_MS }
  storage.put(configs, CONFIG_KEY, config)
  return {
    type: 'rotation',
    internal: {},
    async act(signal) {
      await withDirectory(config, { nowMs, signal }, [], async (run, boundWith) => {
        if (boundWith === password) return
        await changePassword(run, config, ownAccount(config), password)
      })
      return (after) => end(after.storage, password, after.nowMs)
    },
  }
}

async function end(storage: View, password: string, nowMs: number): Promise<undefined> {
  const config = await storage.get(configs, CONFIG_KEY)
  if (config?.nextBindPassword !== password) {
    throw new BadRequest(
      'the configuration was changed while the password was: write binddn and bindpass to it anew',
    )
  }
  storage.put(configs, CONFIG_KEY, {
    ...config,
    bindPassword: password,
    nextBindPassword: '',
    lastBindPassword: config.bindPassword,
    bindRotatedAtMs: nowMs,
  })
  return undefined
}
