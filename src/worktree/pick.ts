/**
 * Pick and revert: what a version changed, done again on top of the current one, or taken back.
 *
 * A change is what lies between a version and its first parent. It is merged like any other, by file and by line, with
 * the parent for a base (pick) or the version (revert). Where lines came from is recorded, so that blame goes on to name who
 * first put them.
 * @module
 */
import { decodeUtf8Lossy, encodeUtf8, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { Conflict } from '../history/conflict.js'
import { refOf, type Version, type VersionRef } from '../history/header.js'
import { applyChange, type MergeOutcome } from '../history/merge.js'
import { Vector } from '../lseq/vector.js'
import { authorVersion } from '../repo/author.js'
import { type ConflictInfo, conflictInfo } from '../repo/conflict-text.js'
import { identNow } from '../repo/ident.js'
import { mergeWrites } from '../repo/merge-writes.js'
import type { Author } from '../repo/person.js'
import type { Failure } from './apply.js'
import { assertStanding, branchMove } from './commit.js'
import type { Tracked } from './index-file.js'
import { withFiles } from './move.js'
import { planMove } from './move-tree.js'
import { conflictsLeft } from './shelve.js'
import { keepingStats, mergedTree, newPlaces, toOpen } from './take-outcome.js'
import type { Worktree } from './worktree.js'

export interface PickOptions {
  readonly author: Author
  /** Anything that names a version each, in the order in which they are taken. */
  readonly versions: readonly string[]
  /** Leave the change in the work tree. */
  readonly noCommit?: boolean | undefined
}

/** A change that was taken. */
export interface PickedVersion {
  /** Hex id of the version whose change it is. */
  readonly from: string
  /** First line of the message. */
  readonly subject: string
  /** Hex id of the version that was made; none where it was left in the work tree. */
  readonly version?: string
}

export interface PickReport {
  readonly kind: 'pick' | 'revert'
  readonly branch?: string
  readonly picked: readonly PickedVersion[]
  /** Hex ids of versions that change nothing here. */
  readonly skipped: readonly string[]
  /** What the last one could not decide: the work tree has it. */
  readonly conflicts: readonly ConflictInfo[]
  /** Hex ids of versions that were not looked at, because of conflicts before them. */
  readonly left: readonly string[]
  /** Files written or removed. */
  readonly files: number
  /** Paths whose unsaved changes stayed as they are. */
  readonly carried: readonly string[]
  readonly failures: readonly Failure[]
}

/**
 * Makes the changes of versions on top of the current one, one version each, with the author and the message they had.
 *
 * @throws {CodedError} `NOTHING_TO_PICK`, `WOULD_LOSE`, `MERGE_UNDER_WAY`, `CONFLICTS_LEFT`, `V_*`. Versions that were made
 *   before it stay.
 */
export function pick(work: Worktree, options: PickOptions): Promise<PickReport> {
  return takeAll(work, 'pick', options)
}

/** Takes back what versions changed; throws as `pick` does. */
export function revert(work: Worktree, options: PickOptions): Promise<PickReport> {
  return takeAll(work, 'revert', options)
}

async function takeAll(work: Worktree, kind: PickReport['kind'], options: PickOptions): Promise<PickReport> {
  work.assertNothingUnderWay(kind === 'pick' ? 'picking' : 'reverting')
  await assertStanding(work)
  const versions: Version[] = []
  for (const text of options.versions) versions.push(await versionNamed(work, text))
  const picked: PickedVersion[] = []
  const skipped: string[] = []
  const carried = new Set<string>()
  const failures: Failure[] = []
  let files = 0
  let conflicts: readonly Conflict[] = []
  while (versions.length > 0 && conflicts.length === 0) {
    const change = await changeOf(work, kind, versions.shift() as Version)
    if (change.outcome.paths.length === 0 && change.outcome.conflicts.length === 0) {
      skipped.push(toHex(change.version.id))
      continue
    }
    const isLeft = change.outcome.conflicts.length > 0 || options.noCommit === true
    const taken = isLeft ? await leave(work, change, options) : await make(work, change, options)
    conflicts = change.outcome.conflicts
    picked.push({
      from: toHex(change.version.id),
      subject: subjectOf(change.message),
      ...(isLeft ? {} : { version: work.head.version as string }),
    })
    files += taken.files
    for (const path of taken.carried) carried.add(path)
    failures.push(...taken.failures)
  }
  if (picked.length === 0) throw nothingToPick(kind, options)
  const left = versions.map(({ id }) => toHex(id))
  const { branch } = work.head
  const where = branch === undefined ? {} : { branch }
  return {
    kind,
    ...where,
    picked,
    skipped,
    conflicts: conflicts.map(conflictInfo),
    left,
    files,
    carried: [...carried],
    failures,
  }
}

/** A change, and what it comes to on top of the version that the work tree stands on. */
interface Change {
  readonly kind: PickReport['kind']
  readonly version: Version
  readonly message: Uint8Array
  readonly outcome: MergeOutcome
  readonly left: Vector
  readonly right: Vector
  /** The version whose state the right side is; none where that is the state before everything. */
  readonly source: VersionRef | undefined
}

async function changeOf({ repo, index, head }: Worktree, kind: PickReport['kind'], version: Version): Promise<Change> {
  const { entries, versions } = repo
  const own = refOf(version)
  const [parent] = version.parents
  const before = parent === undefined ? Vector.empty : await versions.vectorOf(parent)
  const after = await versions.vectorOf(own)
  const left = index.base === undefined ? Vector.empty : await versions.vectorOf(index.base)
  const [from, to] = kind === 'pick' ? [before, after] : [after, before]
  const short = toHex(version.id).slice(0, 12)
  const names = { left: head.branch ?? 'work tree', right: kind === 'pick' ? 'picked' : `before ${short}` }
  const outcome = await applyChange({ entries, versions }, left, { from, to }, names)
  const said = (await versions.note(version)).message
  const message = kind === 'pick' ? said : revertMessage(said, version)
  return { kind, version, message, outcome, left, right: to, source: kind === 'pick' ? own : parent }
}

function revertMessage(said: Uint8Array, { id }: Version): Uint8Array {
  return encodeUtf8(`Revert "${subjectOf(said)}"\n\nThis takes back the version ${toHex(id)}.\n`)
}

function subjectOf(message: Uint8Array): string {
  return decodeUtf8Lossy(message).split('\n', 1)[0] ?? ''
}

interface Taken {
  readonly files: number
  readonly carried: readonly string[]
  readonly failures: readonly Failure[]
}

function sidesOf({ index }: Worktree, { version, source }: Change): { left: string; right: string } {
  const right = toHex((source ?? version).id)
  return { left: index.base === undefined ? right : toHex(index.base.id), right }
}

/** The change as a version. */
async function make(work: Worktree, change: Change, { author }: PickOptions): Promise<Taken> {
  const { repo, index } = work
  const { entries, versions } = repo
  const { base } = index
  const { kind, version, outcome, message, source } = change
  const ident = identNow(author)
  const writes = mergeWrites({ entries, streams: versions.streams }, outcome, change)
  const composed = await authorVersion(
    { entries, versions, ...(await repo.writer()) },
    {
      parents: base === undefined ? [] : [base],
      writes,
      author: kind === 'pick' ? version.author : ident,
      committer: ident,
      message,
      sources: source === undefined ? [] : [source],
      ...(base === undefined ? {} : { tree: index.treeFor(writes.map(({ path }) => path)) }),
    },
  )
  const tracked = new Map<string, Tracked | undefined>(mergedTree(outcome, sidesOf(work, change)).tracked)
  for (const [path, put] of composed.puts) tracked.set(path, { path, ...put, stat: undefined })
  const after = index.with(composed.ref, keepingStats(index, tracked))
  const { files, carried } = planMove(work, after)
  const { branch } = work.head
  const { record, failures } = await work.perform({
    command: kind,
    summary: `${toHex(version.id).slice(0, 12)} ${subjectOf(message)}`,
    entries: composed.entries,
    files,
    head: { branch, version: toHex(composed.ref.id) },
    index: after,
    ...(branch === undefined ? {} : { refs: [branchMove(work, branch, composed)] }),
  })
  return { files: record.files.length, carried, failures }
}

/** The change in the work tree, with conflicts or because it was wanted so. */
async function leave(work: Worktree, change: Change, { noCommit }: PickOptions): Promise<Taken> {
  const { index, state } = work
  const { kind, version, outcome, message, source } = change
  const sides = sidesOf(work, change)
  const tree = mergedTree(outcome, sides)
  const conflicts = toOpen(outcome.conflicts, tree, sides)
  if (conflicts !== undefined && state.conflicts !== undefined) throw conflictsLeft()
  const after = index.with(index.base, keepingStats(index, tree.tracked))
  const { files, carried } = planMove(work, after, { source: tree.source })
  const underWay = { kind, version: toHex(version.id), message: decodeUtf8Lossy(message) }
  const { record, failures } = await work.perform({
    command: kind,
    summary: `${underWay.version.slice(0, 12)} ${subjectOf(message)}`,
    files,
    state: {
      ...withFiles(state, { ...state.files, ...newPlaces(tree, index) }),
      ...(noCommit === true ? {} : { pick: underWay }),
      ...(conflicts === undefined ? {} : { conflicts }),
      ...(source === undefined ? {} : { sources: [...(state.sources ?? []), toHex(source.id)] }),
    },
  })
  return { files: record.files.length, carried, failures }
}

async function versionNamed({ repo }: Worktree, text: string): Promise<Version> {
  const { version } = await repo.resolve(text)
  if (version !== undefined) return version
  throw new CodedError('V_NOT_ONE', `${text} is the join of several versions.`, { hint: 'Name them one by one.' })
}

function nothingToPick(kind: PickReport['kind'], { versions }: PickOptions): CodedError {
  const what = versions.join(', ')
  return kind === 'pick'
    ? new CodedError('NOTHING_TO_PICK', `What ${what} changes is here already.`)
    : new CodedError('NOTHING_TO_PICK', `Nothing is left here of what ${what} changed.`)
}
