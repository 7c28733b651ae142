/**
 * A note of what became of the current branch elsewhere: which versions it stands at beside the one that the files are of.
 *
 *     <root>/.weft/heads     branch <name>
 *                            version <64 hex digits>          the one that the files were of when this was written
 *                            newer <64 hex digits>            a head that has all of it
 *                            other <64 hex digits>            a head that has not
 *
 * `weft status` opens no store, so whoever lets versions in writes this. It is derived: without it only status says less,
 * and a note of another branch or version says nothing.
 * @module
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { encodeUtf8, fromHex, toHex } from '../base/bytes.js'
import type { VersionRef } from '../history/header.js'
import { branchHeads } from './branch-heads.js'
import type { RepositoryContext } from './context.js'
import { writeDurably } from './durable.js'
import { type Head, WEFT_DIRECTORY } from './layout.js'

/** Heads of the current branch beside the version that the work tree stands on, hex ids. */
export interface OtherHeads {
  readonly newer: readonly string[]
  readonly other: readonly string[]
}

const NONE: OtherHeads = { newer: [], other: [] }

/** What the note says, where it is about this branch and version. */
export function readHeadsNote(root: string, { branch, version }: Head): OtherHeads {
  let lines: string[]
  try {
    lines = readFileSync(notePath(root), 'utf8').split('\n')
  } catch {
    return NONE
  }
  const [first, second, ...rest] = lines
  if (branch === undefined || first !== `branch ${branch}` || second !== `version ${version ?? ''}`) return NONE
  const ids = (word: string): string[] =>
    rest.flatMap((line) => (new RegExp(`^${word} [0-9a-f]{64}$`).test(line) ? [line.slice(word.length + 1)] : []))
  return { newer: ids('newer'), other: ids('other') }
}

/** Writes the note anew, or takes it away where there is nothing to say. */
export async function noteHeads(repo: RepositoryContext & { head(): Promise<Head> }): Promise<OtherHeads> {
  const head = await repo.head()
  const { newer, other } = await otherHeads(repo, head)
  if (newer.length + other.length === 0) rmSync(notePath(repo.root), { force: true })
  else {
    const lines = [`branch ${head.branch}`, `version ${head.version ?? ''}`]
    for (const id of newer) lines.push(`newer ${id}`)
    for (const id of other) lines.push(`other ${id}`)
    writeDurably(notePath(repo.root), encodeUtf8(`${lines.join('\n')}\n`), 0o666)
  }
  return { newer, other }
}

/** The same after a change here, where there was something to say before. */
export async function renewHeadsNote(repo: Parameters<typeof noteHeads>[0]): Promise<void> {
  try {
    readFileSync(notePath(repo.root))
  } catch {
    return
  }
  await noteHeads(repo)
}

async function otherHeads(repo: RepositoryContext, { branch, version }: Head): Promise<OtherHeads> {
  if (branch === undefined) return NONE
  const heads = (await branchHeads(repo.entries, branch)).filter(({ id }) => toHex(id) !== version)
  const newer: string[] = []
  const other: string[] = []
  for (const head of heads) ((await isAbove(repo, head, version)) ? newer : other).push(toHex(head.id))
  return { newer, other }
}

async function isAbove(
  { versions }: RepositoryContext,
  head: VersionRef,
  version: string | undefined,
): Promise<boolean> {
  const id = version === undefined ? undefined : fromHex(version)
  if (id === undefined) return true
  const [base] = await versions.withId('v', id, (one) => toHex(one.id) === version)
  if (base === undefined) return false
  return (await versions.vectorOf(head)).covers(versions.streams.slot(base.stream), base.last)
}

function notePath(root: string): string {
  return join(root, WEFT_DIRECTORY, 'heads')
}
