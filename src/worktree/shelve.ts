/**
 * Shelve: unsaved changes are put aside, as a version that no branch names, and brought back later, wherever the work
 * tree stands then.
 *
 * The version stands on the one that the changes were made on, so bringing them back is a merge like any other: by file
 * and by line, whatever has happened meanwhile. It has a stream of its own (history/own-streams.ts), which nobody needs who
 * gets the branches.
 * @module
 */
import { encodeUtf8, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { VersionRef } from '../history/header.js'
import { applyChange } from '../history/merge.js'
import { formatLseq } from '../lseq/lseq.js'
import { Vector } from '../lseq/vector.js'
import { authorVersion } from '../repo/author.js'
import { type ConflictInfo, conflictInfo } from '../repo/conflict-text.js'
import { identNow } from '../repo/ident.js'
import { unformatPath } from '../repo/path-text.js'
import type { Author } from '../repo/person.js'
import type { Failure } from './apply.js'
import { assertStanding } from './commit.js'
import { assertFit, type CommittedPath, changesOf } from './commit-changes.js'
import { movesOf, withBothEnds, withFiles, withMoves } from './move.js'
import { planMove } from './move-tree.js'
import { type FileMove, storedContent } from './operation.js'
import type { Shelf, WorkState } from './state.js'
import { keepingStats, type MergedTree, mergedTree, newPlaces, toOpen } from './take-outcome.js'
import type { Worktree } from './worktree.js'

export interface ShelveOptions {
  readonly author: Author
  /** Files and directories; everything where there are none. Binary strings. */
  readonly paths?: readonly string[] | undefined
  readonly message?: string | undefined
}

/** What was put aside, as it is listed. */
export interface ShelfInfo extends Shelf {
  /** 1 for the one that was put aside last. */
  readonly n: number
}

export interface ShelveReport {
  readonly shelf: ShelfInfo
  readonly changes: readonly CommittedPath[]
  readonly failures: readonly Failure[]
}

export interface UnshelveReport {
  readonly shelf: ShelfInfo
  /** Files written or removed. */
  readonly files: number
  readonly conflicts: readonly ConflictInfo[]
  /** Paths whose unsaved changes stayed as they are. */
  readonly carried: readonly string[]
  readonly failures: readonly Failure[]
}

/** What is put aside, the last first. */
export function shelves({ shelves: all = [] }: WorkState): ShelfInfo[] {
  return all.map((shelf, i) => ({ n: i + 1, ...shelf }))
}

/**
 * Puts unsaved changes aside, new files included.
 *
 * @throws {CodedError} `NOTHING_TO_SHELVE`, `MERGE_UNDER_WAY`, `CONFLICTS_LEFT`, `FILE_UNREADABLE`, `PATH_COLLISION`.
 */
export async function shelve(work: Worktree, options: ShelveOptions): Promise<ShelveReport> {
  work.assertNothingUnderWay('shelving')
  await assertStanding(work)
  const { repo, index, state } = work
  const scan = work.scan({ paths: withBothEnds(options.paths, state) })
  assertFit(scan)
  if (scan.changes.length === 0) {
    throw new CodedError('NOTHING_TO_SHELVE', 'Nothing has changed that could be put aside.', {
      hint: '`weft status` shows what there is; what is ignored is left alone.',
    })
  }
  const changes = await changesOf(work, scan)
  const message = options.message?.trim() || (await standardMessage(work))
  const ident = identNow(options.author)
  const { base } = index
  const composed = await authorVersion(
    { entries: repo.entries, versions: repo.versions, ...(await repo.writer()) },
    {
      parents: base === undefined ? [] : [base],
      writes: changes.writes,
      author: ident,
      committer: ident,
      message: encodeUtf8(`${message}\n`),
      isAside: true,
      ...(base === undefined ? {} : { tree: index.treeFor(changes.writes.map(({ path }) => path)) }),
    },
  )
  const shelf: Shelf = {
    version: toHex(composed.ref.id),
    message,
    ...(work.head.branch === undefined ? {} : { branch: work.head.branch }),
    time: new Date().toISOString(),
  }
  const files = scan.changes.map(({ path, tracked }): FileMove => {
    if (tracked === undefined || base === undefined) return { path, to: undefined }
    const { mode, sha256 } = tracked
    return { path, to: { mode, sha256: toHex(sha256), stored: storedContent(tracked, toHex(base.id)) } }
  })
  const { failures } = await work.perform({
    command: 'shelve',
    summary: message,
    entries: composed.entries,
    files,
    state: { ...stateWithout(state, files), shelves: [shelf, ...(state.shelves ?? [])] },
  })
  return { shelf: { n: 1, ...shelf }, changes: changes.committed, failures }
}

/** What is announced of files that are not put aside. */
function stateWithout(state: WorkState, files: readonly FileMove[]): WorkState {
  const gone = new Set(files.map(({ path }) => path))
  const moves = new Map([...movesOf(state)].filter(([to, from]) => !gone.has(to) && !gone.has(from)))
  const places = Object.entries(state.files ?? {}).filter(([path]) => !gone.has(unformatPath(path)))
  return withFiles(withMoves(state, moves), Object.fromEntries(places))
}

async function standardMessage({ repo, index: { base }, head: { branch } }: Worktree): Promise<string> {
  const where = branch === undefined ? '' : `on ${branch}`
  if (base === undefined) return `Changes ${where}`.trim()
  const { message } = await repo.versions.note({ last: base.seq, stream: base.stream })
  const [subject = ''] = Buffer.from(message).toString('utf8').split('\n', 1)
  return `Changes ${where} after ${toHex(base.id).slice(0, 12)} ${subject}`.replace(/ +/g, ' ').trim()
}

/**
 * Brings back what was put aside.
 *
 * @param n - Which one; 1 is the one that was put aside last.
 * @throws {CodedError} `SHELF_UNKNOWN`, `WOULD_LOSE`, `MERGE_UNDER_WAY`, `CONFLICTS_LEFT`.
 */
export async function unshelve(work: Worktree, n = 1): Promise<UnshelveReport> {
  work.assertNothingUnderWay('unshelving')
  await assertStanding(work)
  const shelf = shelfAt(work.state, n)
  const { repo, index, state } = work
  const { entries, versions } = repo
  const { version, vector: to } = await repo.resolve(shelf.version)
  if (version === undefined) throw new TypeError(`shelf: expected a version, got ${shelf.version}`)
  const [parent] = version.parents
  const from = parent === undefined ? Vector.empty : await versions.vectorOf(parent)
  const left = index.base === undefined ? Vector.empty : await versions.vectorOf(index.base)
  const names = { left: work.head.branch ?? 'work tree', right: 'shelved' }
  const outcome = await applyChange({ entries, versions }, left, { from, to }, names)
  const sides = { left: toHex((index.base ?? NO_VERSION).id), right: shelf.version }
  const tree = mergedTree(outcome, sides)
  const conflicts = toOpen(outcome.conflicts, tree, sides)
  if (conflicts !== undefined && state.conflicts !== undefined) throw conflictsLeft()
  const after = index.with(index.base, keepingStats(index, tree.tracked))
  const { files, carried } = planMove(work, after, { source: tree.source })
  const rest = { ...state, shelves: state.shelves?.filter((_, i) => i !== n - 1) }
  const { record, failures } = await work.perform({
    command: 'unshelve',
    summary: shelf.message,
    files,
    state: withFiles(
      { ...withShelves(rest), ...(conflicts === undefined ? {} : { conflicts }) },
      { ...state.files, ...knownPlaces(tree, work) },
    ),
  })
  return { shelf, files: record.files.length, conflicts: outcome.conflicts.map(conflictInfo), carried, failures }
}

const NO_VERSION: VersionRef = { seq: 0, stream: 0, id: new Uint8Array(32) }

/** Forgets what was put aside; undo brings it back. */
export async function dropShelf(work: Worktree, n = 1): Promise<ShelfInfo> {
  const shelf = shelfAt(work.state, n)
  const { state } = work
  await work.perform({
    command: 'shelve',
    summary: `drop ${shelf.message}`,
    state: withShelves({ ...state, shelves: state.shelves?.filter((_, i) => i !== n - 1) }),
  })
  return shelf
}

function withShelves({ shelves: left, ...rest }: WorkState): WorkState {
  return left === undefined || left.length === 0 ? rest : { ...rest, shelves: left }
}

function shelfAt(state: WorkState, n: number): ShelfInfo {
  const all = shelves(state)
  const shelf = all[n - 1]
  if (shelf !== undefined) return shelf
  throw new CodedError('SHELF_UNKNOWN', all.length === 0 ? 'Nothing is put aside.' : `There is no shelf ${n}.`, {
    hint:
      all.length === 0 ? '`weft shelve` puts unsaved changes aside.' : '`weft shelve --list` shows those there are.',
  })
}

/**
 * Files that have another path now than in the version that the work tree stands on. Files that were new when they were
 * put aside are new again: nobody else knows the version in which they were born.
 */
function knownPlaces(tree: MergedTree, { index }: Worktree): Record<string, string> {
  const places = Object.entries(newPlaces(tree, index))
  if (places.length === 0) return {}
  const known = new Set([...index.all()].map(({ file }) => formatLseq(file.seq, file.stream)))
  return Object.fromEntries(places.filter(([, file]) => known.has(file)))
}

export function conflictsLeft(): CodedError {
  return new CodedError('CONFLICTS_LEFT', 'There would be new conflicts, and older ones have not been resolved.', {
    hint: '`weft resolve --list` shows those. Nothing was changed.',
  })
}
