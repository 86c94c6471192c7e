import { defineConfig } from 'vitest/config'

const SLOW_MS = 120_000

/** Each project is a suite of `npm test`; `tidy` is one of its checks. */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{core,engines,auth,storage,cmd,clients,scripts}/**/*.test.ts',
            'test/support/**/*.test.ts',
          ],
          setupFiles: ['test/support/check-records.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'tidy',
          include: ['test/tidy.test.ts'],
        },
      },
      {
        test: {
          name: 'conformance',
          include: ['test/{conformance,advisories,endpoints}/**/*.test.ts'],
          setupFiles: ['test/support/check-records.ts'],
          testTimeout: SLOW_MS,
          hookTimeout: SLOW_MS * 5,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: SLOW_MS,
          hookTimeout: SLOW_MS,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          testTimeout: SLOW_MS * 5,
          hookTimeout: SLOW_MS,
        },
      },
    ],
  },
})
