/**
 * `keyhold/plugin`: all that a plugin of somebody else imports. In a plugin's process the server provides it, so that
 * the errors that a plugin throws are the server's own.
 */
export { z } from 'zod'
export {
  BadRequest,
  FieldError,
  listed,
  NotFound,
  NothingDone,
  PermissionDenied,
  RequestError,
  UnsupportedOperation,
} from '../errors.ts'
export type { Json, JsonObject, RawNumber } from '../json.ts'
export type { Random } from '../random.ts'
export { kind, type Kind } from '../store/kind.ts'
export type { View } from '../store/view.ts'
export type {
  Conclude,
  Effect,
  EffectType,
  RenewedSecret,
  Secret,
  SecretRenewal,
  UndoContext,
} from './effects.ts'
export {
  anything,
  boolean,
  caselessName,
  duration,
  integer,
  integers,
  keyValues,
  list,
  object,
  oneOf,
  signedDuration,
  string,
  stringArray,
  type Field,
  type Fields,
  type Parsed,
} from './fields.ts'
export { path, type Handled, type Operation, type Path, type PathDeclaration } from './path.ts'
export type {
  MountContext,
  Plugin,
  PluginType,
  Renewal,
  RenewedGrant,
  UpgradeResult,
} from './plugin.ts'
export type { Caller, Client, Mount, Namespace, Request, RequestBase } from './request.ts'
export type { Grant, Response } from './response.ts'
export {
  changedTokenSettings,
  grantOf,
  NO_TOKEN_SETTINGS,
  shownTokenSettings,
  tokenFields,
  tokenSettingsSchema,
  type TokenSettings,
} from './token-settings.ts'
export { InvalidSchedule, parseSchedule, type Schedule } from './schedule.ts'
export { usernameTemplate, type UsernameTemplate } from './username-template.ts'
