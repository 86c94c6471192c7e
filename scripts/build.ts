/** `npm run build`: compiles the sources into `dist/`. */
import { join } from 'node:path'
import { compile } from './compile.ts'

process.exitCode = compile(join(import.meta.dirname, '../dist')) ? 0 : 1
