/** `cmac` (contract: engines-core.md, 2.6). */
import { BadRequest } from '../../../core/errors.ts'
import { anything, integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { eachItem, readBatch } from '../batch.ts'
import { makeCmac } from '../cmac.ts'
import { demandUsable } from '../keys.ts'
import { NO_KEY } from './encrypt.ts'
import { name } from './keys.ts'
import { demandInput } from './sign.ts'

const fields = {
  name,
  url_mac_length: integer('Its length in bytes, in the path.').matching(String.raw`\d{1,2}`),
  input: string('What is authenticated, in base64.'),
  mac_length: integer('Its length in bytes, 8 to 16; 0: 16.').default(0),
  key_version: integer('Version of the key; 0: the newest.').default(0),
  batch_input: anything('Several messages, each an object with `input`.'),
}

export const cmacPath = path(['cmac/:name', 'cmac/:name/:url_mac_length'], {
  summary: 'Makes a CMAC',
  fields,
  operations: { update: answer },
})

async function answer(request: Request<typeof fields>): Promise<Response> {
  const { storage, data } = request
  const key = await demandUsable(storage, data.name, 'mac', NO_KEY)
  const options = { asked: data.key_version, length: data.url_mac_length ?? data.mac_length }
  const one = async (text: string | undefined) => {
    if (text === undefined) throw new BadRequest('missing input for CMAC')
    return { cmac: await makeCmac(request, key, demandInput(text), options) }
  }
  if (data.batch_input === undefined) return { data: await one(data.input) }
  const { results } = await eachItem(readBatch(data.batch_input), ({ text }) => one(text('input')))
  return { data: { batch_results: results } }
}
