/**
 * Merge: other versions are joined to the one that the work tree stands on.
 *
 * Where nothing conflicts the version that joins them is made at once. Otherwise the work tree is given what could be
 * decided and, where it could not, both sides between markers; the conflicts themselves are kept as data (open-conflicts.ts)
 * until they are resolved or committed as they are.
 * @module
 */
import { encodeUtf8, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { refOf, type Version, type VersionRef } from '../history/header.js'
import { type MergeOutcome, mergeStates } from '../history/merge.js'
import { SQUASH_EXTRA } from '../history/note.js'
import { authorVersion } from '../repo/author.js'
import { branchHeads } from '../repo/branch-heads.js'
import { type ConflictInfo, conflictInfo, type NearInfo, nearInfo } from '../repo/conflict-text.js'
import { identNow } from '../repo/ident.js'
import { mergeWrites } from '../repo/merge-writes.js'
import type { Author } from '../repo/person.js'
import type { Failure } from './apply.js'
import { branchMove, parseMessage } from './commit.js'
import type { Tracked } from './index-file.js'
import { planMove } from './move-tree.js'
import { standingState } from './open-conflicts.js'
import { rebuildIndex } from './rebuild.js'
import { keepingStats, mergedTree, newPlaces, toOpen } from './take-outcome.js'
import type { Worktree } from './worktree.js'

export interface MergeOptions {
  readonly author: Author
  /** What to merge: branch, or anything that names a version. By default the other heads of the current branch. */
  readonly version?: string | undefined
  /** One version in the log; lines keep their authors, versions and signatures all the same. */
  readonly squash?: boolean | undefined
  /** Make a version also where moving the branch would do. */
  readonly noForward?: boolean | undefined
  /** Leave the outcome in the work tree. */
  readonly noCommit?: boolean | undefined
  readonly message?: string | undefined
}

export interface MergeReport {
  /** `already`: all of it was there. `forward`: the branch was moved. `conflicts`, `uncommitted`: the work tree has it. */
  readonly kind: 'already' | 'forward' | 'merged' | 'conflicts' | 'uncommitted'
  /** What was merged, as it was called. */
  readonly from: string
  readonly branch?: string
  /** Hex id of the version that the work tree stands on now; none where it is not committed. */
  readonly version?: string
  readonly parents: readonly string[]
  /** Files written or removed. */
  readonly files: number
  readonly conflicts: readonly ConflictInfo[]
  /** Clean parts at which both sides came near each other: they deserve a look. */
  readonly near: readonly NearInfo[]
  readonly carried: readonly string[]
  readonly failures: readonly Failure[]
}

/**
 * Merges.
 *
 * @throws {CodedError} `MERGE_UNDER_WAY`, `NOTHING_TO_MERGE`, `WOULD_LOSE`, `V_*`.
 */
export async function merge(work: Worktree, options: MergeOptions): Promise<MergeReport> {
  work.assertNothingUnderWay('merging')
  const from = options.version ?? (await otherHead(work))
  const right = await versionNamed(work, from)
  const { base } = work.index
  if (base === undefined) return forward(work, right, from, [])
  const { versions, entries } = work.repo
  const [left, theirs] = [await versions.vectorOf(base), await versions.vectorOf(refOf(right))]
  const names = { left: sideName(work.head.branch, toHex(base.id)), right: sideName(from, toHex(right.id)) }
  const outcome = await mergeStates({ entries, versions }, left, theirs, names)
  const parents = [toHex(base.id), toHex(right.id)]
  if (outcome.kind === 'already') return { kind: 'already', from, ...standing(work), parents, ...NOTHING_DONE }
  if (outcome.kind === 'fast-forward' && options.squash !== true && options.noForward !== true) {
    return forward(work, right, from, parents)
  }
  if (outcome.conflicts.length > 0 || options.noCommit === true) return leave(work, outcome, right, from, options)
  return join(work, outcome, right, from, options)
}

const NOTHING_DONE = { files: 0, conflicts: [], near: [], carried: [], failures: [] }

function standing({ head: { branch, version } }: Worktree): { branch?: string; version?: string } {
  return { ...(branch === undefined ? {} : { branch }), ...(version === undefined ? {} : { version }) }
}

/** How a side is called in markers, which name the versions that had a part in it besides. */
function sideName(name: string | undefined, id: string): string {
  return name === undefined || id.startsWith(name) ? id.slice(0, 12) : name
}

/** A head of the current branch beside the one that the work tree stands on. */
async function otherHead({ repo, head: { branch, version } }: Worktree): Promise<string> {
  const heads = branch === undefined ? [] : await branchHeads(repo.entries, branch)
  const other = heads.map(({ id }) => toHex(id)).find((id) => id !== version)
  if (other !== undefined) return other
  throw new CodedError(
    'NOTHING_TO_MERGE',
    'The current branch has one head only: there is nothing to merge by itself.',
    {
      hint: 'Name a branch or version: `weft merge <version>`.',
    },
  )
}

async function versionNamed({ repo }: Worktree, text: string): Promise<Version> {
  const { version } = await repo.resolve(text)
  if (version !== undefined) return version
  throw new CodedError('V_NOT_ONE', `${text} is the join of several versions.`, { hint: 'Merge them one by one.' })
}

/** The branch moves to a version that has all that it had. */
async function forward(work: Worktree, right: Version, from: string, parents: readonly string[]): Promise<MergeReport> {
  const id = toHex(right.id)
  const index = await rebuildIndex(work.repo, id, work.index)
  const { files, carried } = planMove(work, index)
  const { branch } = work.head
  const vector = await work.repo.versions.vectorOf(refOf(right))
  const { record, failures } = await work.perform({
    command: 'merge',
    summary: `${named(from)}: moved ${branch ?? 'the work tree'} to ${id.slice(0, 12)}`,
    files,
    head: { branch, version: id },
    index,
    ...(branch === undefined ? {} : { refs: [branchMove(work, branch, { ref: refOf(right), vector })] }),
    state: await standingState(work, index),
  })
  const { length } = record.files
  return { ...NOTHING_DONE, kind: 'forward', from, ...standing(work), parents, files: length, carried, failures }
}

/** What was merged, as titles name it: a whole id leaves no room there. */
function named(from: string): string {
  return /^[0-9a-f]{64}$/.test(from) ? from.slice(0, 12) : from
}

function standardMessage(from: string, { head: { branch } }: Worktree): string {
  return branch === undefined ? `Merge ${named(from)}` : `Merge ${named(from)} into ${branch}`
}

/** The version that joins both sides, made at once. */
async function join(
  work: Worktree,
  outcome: MergeOutcome,
  right: Version,
  from: string,
  { author, squash, message }: MergeOptions,
): Promise<MergeReport> {
  const { repo, index } = work
  const { entries, versions } = repo
  const base = index.base as VersionRef
  const sides = { left: toHex(base.id), right: toHex(right.id) }
  const vectors = { left: await versions.vectorOf(base), right: await versions.vectorOf(refOf(right)) }
  const ident = identNow(author)
  const text = parseMessage(message ?? standardMessage(from, work))
  const composed = await authorVersion(
    { entries, versions, ...(await repo.writer()) },
    {
      parents: [base, refOf(right)],
      writes: mergeWrites({ entries, streams: versions.streams }, outcome, vectors),
      author: ident,
      committer: ident,
      message: encodeUtf8(text),
      noteExtra: squash === true ? [SQUASH_EXTRA] : [],
    },
  )
  const tracked = new Map<string, Tracked | undefined>(mergedTree(outcome, sides).tracked)
  for (const [path, put] of composed.puts) tracked.set(path, { path, ...put, stat: undefined })
  const after = index.with(composed.ref, keepingStats(index, tracked))
  const { files, carried } = planMove(work, after)
  const id = toHex(composed.ref.id)
  const { branch } = work.head
  const { record, failures } = await work.perform({
    command: 'merge',
    summary: `${named(from)}: ${id.slice(0, 12)}`,
    entries: composed.entries,
    files,
    head: { branch, version: id },
    index: after,
    ...(branch === undefined ? {} : { refs: [branchMove(work, branch, composed)] }),
  })
  return {
    kind: 'merged',
    from,
    ...standing(work),
    parents: [sides.left, sides.right],
    files: record.files.length,
    conflicts: [],
    near: outcome.near.map(nearInfo),
    carried,
    failures,
  }
}

/** The outcome in the work tree, with conflicts or because it was wanted so. */
async function leave(
  work: Worktree,
  outcome: MergeOutcome,
  right: Version,
  from: string,
  { squash, message }: MergeOptions,
): Promise<MergeReport> {
  const { index } = work
  const base = index.base as VersionRef
  const sides = { left: toHex(base.id), right: toHex(right.id) }
  const tree = mergedTree(outcome, sides)
  const { files, carried } = planMove(work, index.with(base, keepingStats(index, tree.tracked)), {
    source: tree.source,
  })
  const conflicts = toOpen(outcome.conflicts, tree, sides)
  const { record, failures } = await work.perform({
    command: 'merge',
    summary: `${named(from)}: ${outcome.conflicts.length} ${outcome.conflicts.length === 1 ? 'conflict' : 'conflicts'}`,
    files,
    state: {
      ...work.state,
      merge: {
        parents: [sides.right],
        names: [from],
        message: message ?? standardMessage(from, work),
        ...(squash === true ? { squash } : {}),
      },
      files: newPlaces(tree, index),
      ...(conflicts === undefined ? {} : { conflicts }),
    },
  })
  return {
    kind: outcome.conflicts.length > 0 ? 'conflicts' : 'uncommitted',
    from,
    ...(work.head.branch === undefined ? {} : { branch: work.head.branch }),
    parents: [sides.left, sides.right],
    files: record.files.length,
    conflicts: outcome.conflicts.map(conflictInfo),
    near: outcome.near.map(nearInfo),
    carried,
    failures,
  }
}
