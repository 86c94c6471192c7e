/** What version 1 stores: each value whole, under its path. */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import { kind } from '../../../core/store/kind.ts'

/** Checked and not copied: values may be large. */
export const values = kind('kv-value', z.custom<JsonObject>(isJsonObject))
export const VALUE_PREFIX = 'values/'
