/**
 * Switch: the work tree comes to stand on another branch or version.
 * @module
 */
import { toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { refOf } from '../history/header.js'
import { branchHeads } from '../repo/branch-heads.js'
import { parseRefName } from '../repo/ref-names.js'
import type { Failure } from './apply.js'
import { assertFree } from './branches.js'
import { planMove } from './move-tree.js'
import { standingState } from './open-conflicts.js'
import type { RefMove } from './operation.js'
import { operationNumbers, readOperation } from './operation-log.js'
import { rebuildIndex } from './rebuild.js'
import type { Worktree } from './worktree.js'

export interface SwitchOptions {
  /** Branch, anything that names a version, or `-` for where the work tree stood before; by default the version that the work tree stands on (with `create`). */
  readonly to?: string | undefined
  /** Name of a new branch to make there. */
  readonly create?: string | undefined
  /** Give up unsaved changes that would be overwritten; undo brings them back. */
  readonly discard?: boolean | undefined
}

export interface SwitchReport {
  readonly branch?: string
  /** Hex id; none on a branch without versions. */
  readonly version?: string
  readonly created: boolean
  /** Files written or removed. */
  readonly files: number
  /** Paths whose unsaved changes were carried along. */
  readonly carried: readonly string[]
  /** Other heads that the branch has. */
  readonly otherHeads: readonly string[]
  readonly failures: readonly Failure[]
}

/**
 * Switches.
 *
 * @throws {CodedError} `WOULD_LOSE`, `MERGE_UNDER_WAY`, `NAME_BAD`, `NAME_TAKEN`, `PATH_BLOCKED`, `V_*`.
 */
export async function switchTo(work: Worktree, options: SwitchOptions): Promise<SwitchReport> {
  work.assertNothingUnderWay('switching')
  const { repo } = work
  const target = await targetOf(work, options.to === '-' ? { ...options, to: await previous(work) } : options)
  const refs: RefMove[] = []
  if (options.create !== undefined) refs.push(await creation(work, options.create, target.version))
  const branch = options.create ?? target.branch
  const index = await rebuildIndex(repo, target.version, work.index)
  const { files, carried } = planMove(work, index, { discard: options.discard })
  const head = { branch, version: target.version }
  const where = branch ?? target.version?.slice(0, 12) ?? ''
  const { failures, record } = await work.perform({
    command: 'switch',
    summary: options.create === undefined ? `to ${where}` : `to the new branch ${where}`,
    files,
    head,
    index,
    refs,
    state: await standingState(work, index),
  })
  return {
    ...(branch === undefined ? {} : { branch }),
    ...(target.version === undefined ? {} : { version: target.version }),
    created: options.create !== undefined,
    files: record.files.length,
    carried,
    otherHeads: target.otherHeads,
    failures,
  }
}

/** The branch, or else the version, on which the work tree stood before it came to stand where it does. */
async function previous({ repo, root, head }: Worktree): Promise<string> {
  for (const number of operationNumbers(root)) {
    const { branch, version } = readOperation(root, number).head.before
    if (branch === head.branch) continue
    if (branch === undefined && version !== undefined) return version
    // It may have been renamed or deleted since.
    if (branch !== undefined && (await branchHeads(repo.entries, branch)).length > 0) return branch
  }
  throw new CodedError('V_UNKNOWN', 'The work tree has stood nowhere else yet.', {
    hint: '`weft branch` lists the branches there are.',
  })
}

interface Target {
  readonly branch: string | undefined
  readonly version: string | undefined
  readonly otherHeads: readonly string[]
}

async function targetOf({ repo, head, index }: Worktree, { to, create }: SwitchOptions): Promise<Target> {
  if (to === undefined) {
    if (create === undefined) throw new CodedError('USAGE', 'Name a branch or version to switch to.')
    return { branch: head.branch, version: index.base && toHex(index.base.id), otherHeads: [] }
  }
  const heads = (await branchHeads(repo.entries, to)).map(({ id }) => toHex(id))
  const [first, ...others] = heads
  if (first !== undefined) {
    // Of several heads the one on which the work tree stands, if it stands on one.
    const version = heads.find((id) => id === head.version) ?? first
    return { branch: to, version, otherHeads: [first, ...others].filter((id) => id !== version) }
  }
  const { version } = await repo.resolve(to)
  if (version !== undefined) return { branch: undefined, version: toHex(version.id), otherHeads: [] }
  throw new CodedError('V_NOT_ONE', `${to} is the join of several versions, and a work tree stands on one.`, {
    hint: 'Switch to one of them and `weft merge` the others, or `weft restore --at ... --to <dir>`.',
  })
}

async function creation(work: Worktree, name: string, version: string | undefined): Promise<RefMove> {
  const bytes = parseRefName(name)
  await assertFree(work, name, bytes)
  const found = version === undefined ? undefined : (await work.repo.resolve(version)).version
  return { kind: 'b', name: bytes, to: found === undefined ? [] : [{ version: refOf(found) }] }
}
