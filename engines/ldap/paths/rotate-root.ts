/** `rotate-root`: a new password for the account that manages the others, which then only the server knows. */
import { path } from '../../../core/plugin/path.ts'
import { rotateRoot } from '../rotate-root.ts'
import { demandConfig } from './config.ts'

export const rotateRootPath = path('rotate-root', {
  summary: 'A new password for the account that manages the others; only the server knows it then',
  operations: {
    update: async (request) => ({ effect: await rotateRoot(request, await demandConfig(request)) }),
  },
})
