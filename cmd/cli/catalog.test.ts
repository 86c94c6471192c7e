import { describe, expect, test } from 'vitest'
import { CATALOG } from './catalog.ts'

describe('the catalog', () => {
  test('is in order and names each command once', () => {
    const names = CATALOG.map(({ name }) => name)
    expect(names).toEqual([...new Set(names)].sort())
  })

  test.each(CATALOG.flatMap(({ name, load }) => (load === undefined ? [] : [{ name, load }])))(
    '$name loads, and its help begins with its name',
    async ({ name, load }) => {
      const command = await load()
      expect(command.usage.startsWith(name)).toBe(true)
      expect(command.about).toMatch(/[.!]/)
    },
  )

  test.each(CATALOG.filter(({ name }) => name.includes(' ')))(
    '$name lies in a group',
    ({ name }) => {
      const group = name.slice(0, name.lastIndexOf(' '))
      expect(CATALOG.find((entry) => entry.name === group)).toBeDefined()
    },
  )
})
