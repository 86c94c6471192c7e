/**
 * An entry as JSONx, which is JSON as XML: for tools that read Vault's `format=jsonx`. Members stand in the order of their names, and
 * there is no outermost element, as there. Texts are escaped, which Vault's are not, so that no value of a client becomes
 * an element.
 */
import { isJsonObject, parseJson, type Json } from '../json.ts'

/** @param json one object */
export function jsonxOf(json: string): string {
  const entry = parseJson(json)
  return isJsonObject(entry) ? membersOf(entry) : elementOf(entry, '')
}

function membersOf(object: { readonly [name: string]: Json | undefined }): string {
  return Object.keys(object)
    .sort()
    .map((name) => elementOf(object[name] ?? null, ` name="${escaped(name)}"`))
    .join('')
}

function elementOf(value: Json, name: string): string {
  if (value === null) return `<json:null${name} />`
  if (typeof value === 'string') return element('string', name, escaped(value))
  if (typeof value === 'boolean') return element('boolean', name, String(value))
  if (Array.isArray(value)) {
    const items: readonly Json[] = value
    return element('array', name, items.map((item) => elementOf(item, '')).join(''))
  }
  if (isJsonObject(value)) return element('object', name, membersOf(value))
  return element('number', name, JSON.stringify(value))
}

function element(type: string, name: string, content: string): string {
  return `<json:${type}${name}>${content}</json:${type}>`
}

const SPECIAL: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
}
/** The characters above, and those that XML 1.0 does not know. */
// oxlint-disable-next-line no-control-regex -- these are what has to be replaced
const TO_ESCAPE = /[&<>"'\u0000-\u001F\uFFFE\uFFFF]/g

function escaped(text: string): string {
  return text.toWellFormed().replace(TO_ESCAPE, (character) => SPECIAL[character] ?? '\uFFFD')
}
