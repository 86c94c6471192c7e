/** The names of what is due at some time: in their order the due ones come first. */

/** Digits of a time in a key, enough until the year 5138. */
const TIME_DIGITS = 14
/** The mount stands in the name too, so that a sweep can pass over those of a mount that does not answer. */
export const dueName = (dueAtMs: number, mountUuid: string, name: string) =>
  `${String(Math.floor(dueAtMs)).padStart(TIME_DIGITS, '0')}.${mountUuid}.${name}`

/** What a name made by `dueName` says. */
export function readDueName(name: string): { dueAtMs: number; mountUuid: string; rest: string } {
  const end = name.indexOf('.', TIME_DIGITS + 1)
  return {
    dueAtMs: Number(name.slice(0, TIME_DIGITS)),
    mountUuid: name.slice(TIME_DIGITS + 1, end),
    rest: name.slice(end + 1),
  }
}
