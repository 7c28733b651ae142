/**
 * Applying a patch to the work tree: whole or not at all, in one operation that can be undone.
 * @module
 */
import { defaultCrypto as crypto } from '../crypto/default.js'
import { formatMode } from '../repo/mode.js'
import { formatPath } from '../repo/path-text.js'
import type { Failure } from './apply.js'
import type { FileMove } from './operation.js'
import { applyPatch, type PatchedPath, type PatchFile, type PatchOutcome } from './patch-apply.js'
import type { PlacedHunk } from './patch-place.js'
import { parsePatchText, reversePatch } from './patch-text.js'
import type { WorkState } from './state.js'
import { lookAt, readWorkFile } from './work-files.js'
import type { Worktree } from './worktree.js'

export interface PatchOptions {
  /** Only say whether it can be applied. */
  readonly check?: boolean | undefined
  /** Take back what it does. */
  readonly reverse?: boolean | undefined
  /** Parts of names to leave out at their beginning. Default: 1. */
  readonly strip?: number | undefined
}

/** What a patch did to a file. */
export interface PatchedFile {
  readonly path: string
  readonly change: 'added' | 'deleted' | 'modified' | 'renamed' | 'mode'
  /** Where the file was before, for `renamed`. */
  readonly from?: string
  readonly mode?: string
}

export interface PatchReport {
  /** Whether it was only looked at. */
  readonly check: boolean
  readonly files: readonly PatchedFile[]
  /** Hunks that were placed elsewhere than they say, or not with all of the lines around them. */
  readonly moved: readonly (PlacedHunk & { readonly path: string })[]
  readonly failures: readonly Failure[]
}

/**
 * Applies a patch.
 *
 * @param patch - A unified diff, with git's lines or without.
 * @throws {CodedError} `PATCH_BAD`, `PATCH_REJECTED`, `PATH_UNSAFE`, `PATH_BLOCKED`, `FILE_CHANGING`, `DISK_*`; nothing has
 *   then been changed.
 */
export async function patchWorktree(
  work: Worktree,
  patch: Uint8Array,
  { check = false, reverse = false, strip }: PatchOptions = {},
): Promise<PatchReport> {
  const files = await parsePatchText(patch, strip)
  const outcome = applyPatch(reverse ? reversePatch(files) : files, (path) => readBeneath(work.root, path))
  const report = { check, files: describe(outcome), moved: outcome.moved }
  if (check || outcome.paths.length === 0) return { ...report, failures: [] }
  const count = report.files.length
  const { failures } = await work.perform({
    command: 'apply',
    summary: `a patch ${reverse ? 'in reverse ' : ''}to ${count} ${count === 1 ? 'file' : 'files'}`,
    files: outcome.paths.map(moveOf),
    state: stateAfter(work, outcome),
  })
  return { ...report, failures }
}

/** The file or link at a path; what is behind a link to a directory is not in this work tree. */
function readBeneath(root: string, path: string): PatchFile | undefined {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    if (lookAt(root, path.slice(0, slash))?.isDirectory() !== true) return undefined
  }
  return readWorkFile(root, path)
}

function moveOf({ path, after }: PatchedPath): FileMove {
  if (after === undefined) return { path, to: undefined }
  return { path, to: { mode: after.mode, sha256: crypto.sha256Hex(after.bytes), bytes: after.bytes } }
}

/** Renames are announced, so that a commit goes on with the files. */
function stateAfter({ state, index }: Worktree, { paths }: PatchOutcome): WorkState {
  const old = state.moves ?? {}
  const moves: Record<string, string> = { ...old }
  const renamed = paths.filter(({ from }) => from !== undefined)
  for (const { from = '' } of renamed) delete moves[formatPath(from)]
  for (const { path, from = '' } of renamed) {
    const first = old[formatPath(from)] ?? (index.get(from) === undefined ? undefined : formatPath(from))
    if (first !== undefined && first !== formatPath(path)) moves[formatPath(path)] = first
    else delete moves[formatPath(path)]
  }
  return { ...state, moves: Object.keys(moves).length > 0 ? moves : undefined }
}

function describe({ paths }: PatchOutcome): PatchedFile[] {
  const left = new Set(paths.flatMap(({ from }) => from ?? []))
  return paths.flatMap(({ path, before, after, from }): PatchedFile | [] => {
    if (after === undefined && left.has(path)) return []
    return {
      path: formatPath(path),
      change: changeOf(before, after, from),
      ...(from !== undefined && { from: formatPath(from) }),
      ...(after !== undefined && { mode: formatMode(after.mode) }),
    }
  })
}

function changeOf(
  before: PatchFile | undefined,
  after: PatchFile | undefined,
  from: string | undefined,
): PatchedFile['change'] {
  if (from !== undefined) return 'renamed'
  if (before === undefined) return 'added'
  if (after === undefined) return 'deleted'
  return Buffer.compare(before.bytes, after.bytes) === 0 ? 'mode' : 'modified'
}
