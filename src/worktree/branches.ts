/**
 * Branches and tags: made, moved to another name, deleted.
 * @module
 */
import { encodeUtf8, fromLatin1, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { refOf, type VersionRef } from '../history/header.js'
import type { RefKind } from '../history/keys.js'
import { isDeletion, type Ref, readRefs } from '../history/refs.js'
import { Vector } from '../lseq/vector.js'
import { textOf } from '../repo/describe.js'
import { someNames } from '../repo/names.js'
import type { Author } from '../repo/person.js'
import { parseRefName } from '../repo/ref-names.js'
import type { Worktree } from './worktree.js'

/** What became of a name. */
export interface RefReport {
  readonly name: string
  readonly change: 'created' | 'renamed' | 'deleted'
  /** The name it had before, for `renamed`. */
  readonly from?: string
  /** Hex ids of the versions that it names, or named. */
  readonly versions: readonly string[]
}

type Kind = Extract<RefKind, 'b' | 't'>

const WORDS = { b: 'branch', t: 'tag' } as const

/**
 * Makes a branch at a version, by default where the work tree stands.
 *
 * @throws {CodedError} `NAME_BAD`, `NAME_TAKEN`, `V_*`.
 */
export async function createBranch(work: Worktree, name: string, at?: string): Promise<RefReport> {
  return create(work, 'b', name, at, {})
}

/**
 * Makes a tag at a version, by default where the work tree stands. A tag is set once.
 *
 * @throws {CodedError} As `createBranch`.
 */
export async function createTag(
  work: Worktree,
  name: string,
  { at, message, author }: { at?: string | undefined; message?: string | undefined; author?: Author | undefined },
): Promise<RefReport> {
  return create(work, 't', name, at, { message, author })
}

async function create(
  work: Worktree,
  kind: Kind,
  name: string,
  at: string | undefined,
  { message, author }: { message?: string | undefined; author?: Author | undefined },
): Promise<RefReport> {
  const bytes = parseRefName(name, WORDS[kind])
  await assertFree(work, name, bytes)
  const version = await versionAt(work, at)
  const said = message === undefined ? {} : { message: encodeUtf8(`${message.trimEnd()}\n`) }
  await work.perform({
    command: WORDS[kind],
    summary: `made ${name} at ${toHex(version.id).slice(0, 12)}`,
    refs: [{ kind, name: bytes, to: [{ version, ...said }] }],
    ...(author === undefined ? {} : { author }),
  })
  return { name, change: 'created', versions: [toHex(version.id)] }
}

/**
 * Gives a branch another name.
 *
 * @throws {CodedError} `NAME_BAD`, `NAME_TAKEN`, `REF_UNKNOWN`.
 */
export async function renameBranch(work: Worktree, from: string, to: string): Promise<RefReport> {
  const bytes = parseRefName(to)
  const heads = await headsOf(work, 'b', from)
  await assertFree(work, to, bytes)
  const { branch, version } = work.head
  await work.perform({
    command: 'branch',
    summary: `renamed ${from} to ${to}`,
    refs: [
      { kind: 'b', name: heads[0]?.name ?? '', to: [] },
      { kind: 'b', name: bytes, to: heads.map(({ value: { replaces: _, ...value } }) => value) },
    ],
    ...(branch === from ? { head: { branch: to, version } } : {}),
  })
  return { name: to, change: 'renamed', from, versions: versionsOf(heads) }
}

/**
 * Deletes a branch.
 *
 * @param force - Also where its versions are then named by nothing.
 * @throws {CodedError} `REF_UNKNOWN`, `BRANCH_CURRENT`, `BRANCH_UNMERGED`.
 */
export async function deleteBranch(work: Worktree, name: string, force = false): Promise<RefReport> {
  const heads = await headsOf(work, 'b', name)
  if (work.head.branch === name) {
    throw new CodedError('BRANCH_CURRENT', `The work tree stands on ${name}.`, {
      hint: 'Switch to another branch first.',
    })
  }
  if (!force && !(await isReached(work, heads))) {
    throw new CodedError('BRANCH_UNMERGED', `${name} has versions that no other branch or tag has.`, {
      hint: '--force deletes it all the same; weft undo brings it back.',
    })
  }
  return remove(work, 'b', name, heads)
}

/** @throws {CodedError} `REF_UNKNOWN`. */
export async function deleteTag(work: Worktree, name: string): Promise<RefReport> {
  return remove(work, 't', name, await headsOf(work, 't', name))
}

async function remove(work: Worktree, kind: Kind, name: string, heads: readonly Ref[]): Promise<RefReport> {
  await work.perform({
    command: WORDS[kind],
    summary: `deleted ${name}`,
    refs: [{ kind, name: heads[0]?.name ?? '', to: [] }],
  })
  return { name, change: 'deleted', versions: versionsOf(heads) }
}

function versionsOf(heads: readonly Ref[]): string[] {
  return heads.flatMap(({ value: { version } }) => (version === undefined ? [] : [toHex(version.id)]))
}

async function headsOf({ repo }: Worktree, kind: Kind, name: string): Promise<Ref[]> {
  const refs = (await readRefs(repo.entries, kind)).filter(({ value }) => !isDeletion(value))
  const heads = refs.filter((ref) => nameText(ref) === name)
  if (heads.length > 0) return heads
  const names = [...new Set(refs.map(nameText))]
  throw new CodedError('REF_UNKNOWN', `There is no ${WORDS[kind]} ${name}.`, {
    hint:
      names.length === 0
        ? `There are none yet: weft ${WORDS[kind]} <name> makes one.`
        : `There are: ${someNames(name, names)}.`,
    data: { candidates: names },
  })
}

/** @throws {CodedError} `NAME_TAKEN`. */
export async function assertFree({ repo }: Worktree, name: string, bytes: string): Promise<void> {
  const taken = (await readRefs(repo.entries)).find((ref) => ref.name === bytes && !isDeletion(ref.value))
  if (taken === undefined) return
  const word = { b: 'branch', t: 'tag', s: 'snapshot' }[taken.kind]
  throw new CodedError('NAME_TAKEN', `There is a ${word} of the name ${name} already.`, {
    hint: taken.kind === 'b' ? `weft switch ${name} goes there.` : 'Choose another name, or delete that one first.',
  })
}

async function versionAt({ repo, index }: Worktree, at: string | undefined): Promise<VersionRef> {
  if (at === undefined && index.base !== undefined) return index.base
  const { version } = await repo.resolve(at)
  if (version !== undefined) return refOf(version)
  throw new CodedError('V_NOT_ONE', `${at} is the join of several versions.`, {
    hint: 'Name one version. `weft snapshot create` names a state of several.',
  })
}

/** Whether other branches and tags reach all the heads. */
async function isReached({ repo }: Worktree, heads: readonly Ref[]): Promise<boolean> {
  const { versions, entries } = repo
  const own = new Set(heads.map(({ seq, stream }) => `${stream}-${seq}`))
  let reached = Vector.empty
  for (const { seq, stream, value } of await readRefs(entries)) {
    if (value.version === undefined || own.has(`${stream}-${seq}`)) continue
    reached = reached.join(await versions.vectorOf(value.version))
  }
  return heads.every(
    ({ value: { version } }) =>
      version === undefined || reached.covers(versions.streams.slot(version.stream), version.seq),
  )
}

function nameText({ name }: Ref): string {
  return textOf(fromLatin1(name))
}
