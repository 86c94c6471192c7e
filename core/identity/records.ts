/**
 * Who somebody is across auth methods, as it is stored: entities with their aliases, and groups. All below one folder
 * of the namespace; whoever changes them goes through `entities.ts` and `groups.ts`, which keep the indices.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { namespacePrefix } from '../namespaces.ts'
import { kind, texts } from '../store/kind.ts'

const strings = z.array(z.string()).readonly()

const aliasFields = {
  id: z.string(),
  name: z.string(),
  mountAccessor: z.string(),
  mountUuid: z.string(),
  createdAtMs: z.number(),
  updatedAtMs: z.number(),
}

const aliasSchema = z
  .object({
    ...aliasFields,
    /** What the auth method said at the last login; `null`: nothing. */
    metadata: texts.nullable(),
    customMetadata: texts.nullable(),
    /** Entities that it belonged to before they were merged. */
    mergedFrom: strings,
  })
  .readonly()

/** That an entity is in a group. */
const membershipSchema = z
  .object({
    groupId: z.string(),
    /** Of the group: that of the entity, or one below it. */
    namespaceId: z.string(),
    /** Of an external group: the auth mount whose logins decide. */
    mountAccessor: z.string().optional(),
  })
  .readonly()

const entitySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    metadata: texts.nullable(),
    policies: strings,
    disabled: z.boolean(),
    aliases: z.array(aliasSchema).readonly(),
    groups: z.array(membershipSchema).readonly(),
    /** Entities that were merged into it. */
    merged: strings,
    createdAtMs: z.number(),
    updatedAtMs: z.number(),
  })
  .readonly()

const groupSchema = z
  .object({
    id: z.string(),
    namespaceId: z.string(),
    name: z.string(),
    type: z.enum(['internal', 'external']),
    metadata: texts.nullable(),
    policies: strings,
    memberGroupIds: strings,
    parentGroupIds: strings,
    /** Of an external group: what the auth method calls it. */
    alias: z.object(aliasFields).readonly().nullable(),
    /** Rises with each change. */
    modifyIndex: z.number().int(),
    createdAtMs: z.number(),
    updatedAtMs: z.number(),
  })
  .readonly()

export type Alias = z.infer<typeof aliasSchema>
export type Membership = z.infer<typeof membershipSchema>
export type Entity = z.infer<typeof entitySchema>
export type Group = z.infer<typeof groupSchema>
export type GroupAlias = NonNullable<Group['alias']>

export const entities = kind('entity', entitySchema)
export const groups = kind('group', groupSchema)
/** What leads from a name, an alias or a member to what has it. */
export const identityLinks = kind('identity-link', z.object({ id: z.string() }).readonly())
/** That an entity is in a group; the key says it all. */
export const groupMembers = kind('group-member', z.object({}).readonly(), {
  keptWhenWritten: false,
})

const folder = (namespaceId: string) => `${namespacePrefix(namespaceId)}identity/`

export const entityFolder = (namespaceId: string) => `${folder(namespaceId)}entity/`
export const entityKey = (namespaceId: string, id: string) =>
  entityFolder(namespaceId) + segment(id)
export const entityNameFolder = (namespaceId: string) => `${folder(namespaceId)}entity-name/`
/** Names of entities are the same whatever their capitals. */
export const entityNameKey = (namespaceId: string, name: string) =>
  entityNameFolder(namespaceId) + segment(name.toLowerCase())
export const aliasFolder = (namespaceId: string) => `${folder(namespaceId)}alias/`
export const aliasKey = (namespaceId: string, id: string) => aliasFolder(namespaceId) + segment(id)
export const aliasNameKey = (namespaceId: string, mountAccessor: string, name: string) =>
  `${folder(namespaceId)}alias-name/${segment(mountAccessor)}/${digest(name)}`

export const groupFolder = (namespaceId: string) => `${folder(namespaceId)}group/`
export const groupKey = (namespaceId: string, id: string) => groupFolder(namespaceId) + segment(id)
export const groupNameFolder = (namespaceId: string) => `${folder(namespaceId)}group-name/`
export const groupNameKey = (namespaceId: string, name: string) =>
  groupNameFolder(namespaceId) + segment(name)
export const groupAliasFolder = (namespaceId: string) => `${folder(namespaceId)}group-alias/`
export const groupAliasKey = (namespaceId: string, id: string) =>
  groupAliasFolder(namespaceId) + segment(id)
export const groupAliasNameKey = (namespaceId: string, mountAccessor: string, name: string) =>
  `${folder(namespaceId)}group-alias-name/${segment(mountAccessor)}/${digest(name)}`
export const memberFolder = (namespaceId: string, groupId: string) =>
  `${folder(namespaceId)}group-member/${groupId}/`
export const memberKey = (namespaceId: string, groupId: string, entityId: string) =>
  memberFolder(namespaceId, groupId) + entityId

/** A name as one segment of a key. */
function segment(name: string): string {
  return name.replaceAll('%', '%25').replaceAll('/', '%2F')
}

/** What a provider calls somebody may be as long as it likes, and is never listed. */
function digest(name: string): string {
  return createHash('sha256').update(name).digest('base64url')
}
