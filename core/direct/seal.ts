/** `sys/seal` of a node that is sealed already, or was never initialised: there is nothing left to do. */
import { NO_CONTENT, type DirectEndpoint } from './endpoint.ts'

export const sealedSealEndpoint: DirectEndpoint = {
  path: 'sys/seal',
  methods: { POST: async () => NO_CONTENT, PUT: async () => NO_CONTENT },
}
