/**
 * What a caller of Vault may choose and here may not: asking for it is refused, for who asks relies on it. A nonce that comes twice
 * gives the key away (CVE-2023-4680); RSAES-PKCS1-v1_5 lets who may decrypt some ciphertexts decrypt others (CVE-2023-46809).
 */
import { BadRequest } from '../../core/errors.ts'
import { string } from '../../core/plugin/fields.ts'
import type { BatchItem } from './batch.ts'

const PADDINGS = ['padding_scheme', 'decrypt_padding_scheme', 'encrypt_padding_scheme'] as const
const OAEP = 'oaep'

const padding = string('Of RSA keys: `oaep`, which is the only one.').default(OAEP)

/** Fields of `encrypt`, `decrypt` and `datakey`. */
export const choiceFields = {
  nonce: string('Refused: nonces are made here.').default(''),
  padding_scheme: padding,
}
/** Fields of `rewrap`. */
export const rewrapChoiceFields = {
  nonce: choiceFields.nonce,
  decrypt_padding_scheme: padding,
  encrypt_padding_scheme: padding,
}

type Choices = { readonly [name in 'nonce' | (typeof PADDINGS)[number]]?: string | undefined }

/** @throws {BadRequest} there is a nonce, or another padding */
export function refuseChoices(choices: Choices): void {
  if ((choices.nonce ?? '') !== '') throw new BadRequest('nonce provided when not allowed')
  const other = PADDINGS.find((name) => (choices[name] ?? OAEP) !== OAEP)
  if (other !== undefined) throw new BadRequest(`${other} must be ${OAEP}: no other is offered`)
}

/** @throws {BadRequest} */
export function refuseItemChoices({ text }: BatchItem): void {
  const paddings = PADDINGS.map((name) => [name, text(name)] as const)
  refuseChoices({ nonce: text('nonce'), ...Object.fromEntries(paddings) })
}
