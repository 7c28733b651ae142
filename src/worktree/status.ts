/**
 * Status: where the work tree stands, and what in it is not in its version yet.
 *
 * No store is opened, the index knows enough. So contents of files that are gone are not at hand, and of the renames only
 * those are found in which the content stayed the same.
 * @module
 */
import { existsSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { ConflictKind } from '../history/conflict.js'
import { readHeadsNote } from '../repo/heads-note.js'
import { type Head, readHead, WEFT_DIRECTORY } from '../repo/layout.js'
import { formatPath, parsePath } from '../repo/path-text.js'
import { announcedRenames } from './announced.js'
import { diskPath } from './disk-path.js'
import { WorkIndex } from './index-file.js'
import { exactRenames } from './renames.js'
import { type ChangeKind, type Scan, type Special, scanWorkTree } from './scan.js'
import { type BisectUnderWay, readState, type WorkState } from './state.js'

/** A path that differs from the version. Paths are text. */
export interface StatusChange {
  readonly path: string
  readonly change: ChangeKind | 'renamed'
  /** Where the file was, for `renamed`. */
  readonly from?: string
}

/** The answer of `weft status`. Lists are in order of paths. */
export interface StatusReport {
  /** The current branch; absent where the work tree stands on a version by itself. */
  readonly branch?: string
  /** Hex id of the version that the work tree was last made equal to; absent before the first one. */
  readonly version?: string
  /** Heads of the branch that came from elsewhere, hex ids: those that go on from this version, and others. */
  readonly newerHeads?: readonly string[]
  readonly otherHeads?: readonly string[]
  /** Whether there is nothing to commit. */
  readonly clean: boolean
  /** Whether another command is changing this work tree, or was interrupted. */
  readonly interrupted: boolean
  /** A merge that has not been committed: what is merged, as it was named. */
  readonly merge?: { readonly names: readonly string[]; readonly parents: readonly string[] }
  /** A version being picked or reverted that could not be finished. */
  readonly pick?: { readonly kind: 'pick' | 'revert'; readonly version: string }
  /** A search for the first bad version: the bad one that is known (hex id), how many good ones are, how many were skipped. */
  /** How often changes were put aside that have not been brought back; left out where never. */
  readonly shelves?: number
  readonly bisect?: { readonly bad?: string; readonly good: number; readonly skipped: number }
  /** What a merge could not decide and nobody has yet; it may have been committed so. */
  readonly conflicts: readonly { readonly path: string; readonly kind: ConflictKind }[]
  readonly changes: readonly StatusChange[]
  /** The topmost directories in which everything is new, with a slash behind. */
  readonly newDirectories: readonly string[]
  /** What could not be read, with the name of the system's error. */
  readonly unreadable: readonly { readonly path: string; readonly code: string }[]
  /** Pipes, sockets, devices, and names that no work tree may have: never tracked. */
  readonly special: readonly Special[]
  /** Repositories inside: not looked into. */
  readonly nested: readonly string[]
  /** Tracked paths that this file system takes for another one's name. */
  readonly clashes: readonly { readonly path: string; readonly with: string }[]
  /** Only where asked for. */
  readonly ignored?: readonly string[]
}

export interface StatusOptions {
  /** Files and directories to look at; all where there are none. Text. */
  readonly paths?: readonly string[] | undefined
  /** Whether to list what is ignored. */
  readonly ignored?: boolean | undefined
}

/**
 * Compares the work tree at `root` with the version that it stands on.
 *
 * @throws {CodedError} `WORKTREE_ABSENT`, `INDEX_MISSING`, `INDEX_DAMAGED`, `STATE_DAMAGED`, `PATH_UNKNOWN`, `DISK_*`.
 */
export async function workStatus(root: string, options: StatusOptions = {}): Promise<StatusReport> {
  const { branch, version } = await readHead(root)
  const index = indexFor(root, version)
  const { paths, ignored } = options
  const state = readState(root)
  for (const path of paths ?? []) assertKnown(root, index, path)
  const scan = scanWorkTree(root, index, { paths: paths?.map(parsePath), ignored })
  rememberStats(root, index, scan)
  const changes = statusChanges(scan, state)
  return {
    ...(branch !== undefined && { branch }),
    ...(version !== undefined && { version }),
    ...headsBeside(root, { branch, version }),
    clean: changes.length === 0,
    interrupted: existsSync(join(root, WEFT_DIRECTORY, 'operations', 'pending')),
    ...(await underWay(state)),
    changes,
    newDirectories: scan.newDirectories.map(formatPath),
    unreadable: scan.unreadable.map(({ path, code }) => ({ path: formatPath(path), code })),
    special: scan.special.map(({ path, kind }) => ({ path: formatPath(path), kind })),
    nested: scan.nested.map(formatPath),
    clashes: scan.clashes.map((clash) => ({ path: formatPath(clash.path), with: formatPath(clash.with) })),
    ...(ignored === true && { ignored: scan.ignored.map(formatPath) }),
  }
}

function headsBeside(root: string, head: Head): Pick<StatusReport, 'newerHeads' | 'otherHeads'> {
  const { newer, other } = readHeadsNote(root, head)
  return { ...(newer.length > 0 && { newerHeads: newer }), ...(other.length > 0 && { otherHeads: other }) }
}

async function underWay(
  state: WorkState,
): Promise<Pick<StatusReport, 'merge' | 'pick' | 'bisect' | 'shelves' | 'conflicts'>> {
  const { merge, pick, bisect, shelves } = state
  return {
    ...(merge && { merge: { names: merge.names, parents: merge.parents } }),
    ...(pick && { pick: { kind: pick.kind, version: pick.version } }),
    ...(bisect && { bisect: bisectIn(bisect) }),
    ...(shelves && { shelves: shelves.length }),
    conflicts: await conflictsIn(state),
  }
}

function bisectIn({ bad, good, skipped }: BisectUnderWay): NonNullable<StatusReport['bisect']> {
  return { ...(bad !== undefined && { bad }), good: good.length, skipped: skipped.length }
}

async function conflictsIn(state: WorkState): Promise<StatusReport['conflicts']> {
  if (state.conflicts === undefined) return []
  const { openConflicts } = await import('./open-conflicts.js')
  return openConflicts(state).map(({ path, kind }) => ({ path: formatPath(path), kind }))
}

/** Refuses a path at which there is nothing and was nothing. */
function assertKnown(root: string, index: WorkIndex, text: string): void {
  const path = parsePath(text)
  const known = path === '' || index.find(path) >= 0 || index.directories.find(`${path}/`) !== undefined
  if (known || lstatSync(diskPath(root, path), { throwIfNoEntry: false }) !== undefined) return
  throw new CodedError('PATH_UNKNOWN', `There is no ${text} here, and there was none in the last version.`, {
    hint: '`weft status` without a path shows all that has changed.',
    data: { path: text },
  })
}

/** The index, which must be of the version that the work tree stands on. */
function indexFor(root: string, version: string | undefined): WorkIndex {
  const index = WorkIndex.read(root)
  if (index !== undefined && (index.base && toHex(index.base.id)) === version) return index
  if (index === undefined && version === undefined) {
    throw new CodedError('WORKTREE_ABSENT', `The files of the branch have not been written into ${root} yet.`, {
      hint: '`weft switch <branch>` puts them there.',
    })
  }
  const what = index === undefined ? 'There is no index of the files in' : 'The index is of another version than'
  throw new CodedError('INDEX_MISSING', `${what} ${root}, so what has changed is not known.`, {
    hint: '`weft switch <branch>` makes one. Files that you changed are left as they are.',
  })
}

/** An index is written where that takes less time than finding the same out again. */
const WORTH = { files: 1 / 128, bytes: 8 * 1024 * 1024 }

function rememberStats(root: string, index: WorkIndex, { stats }: Scan): void {
  const bytes = [...stats.values()].reduce((sum, { size }) => sum + size, 0)
  if (stats.size === 0 || (stats.size < index.count * WORTH.files && bytes < WORTH.bytes)) return
  index.withStats(stats).writeUnlessChanged(root, index)
}

function statusChanges(scan: Scan, state: WorkState): StatusChange[] {
  const announced = announcedRenames(scan, state)
  const renames = new Map([...announced].map(([to, from]) => [to, from.path]))
  for (const { from, to } of exactRenames(scan, announced)) renames.set(to, from.path)
  const sources = new Set(renames.values())
  const changes: StatusChange[] = []
  for (const { path, change } of scan.changes) {
    const from = renames.get(path)
    if (from !== undefined) changes.push({ path: formatPath(path), change: 'renamed', from: formatPath(from) })
    else if (change !== 'deleted' || !sources.has(path)) changes.push({ path: formatPath(path), change })
  }
  return changes
}
