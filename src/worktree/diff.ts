/**
 * Differences of the work tree: against the version that it stands on, or any other.
 *
 * Lines are compared as a commit would compare them, so what is shown is what it would record, new files and renames
 * included.
 * @module
 */
import { CodedError } from '../base/error.js'
import { isText } from '../lines/split.js'
import { Vector } from '../lseq/vector.js'
import { type Change, compare, type Side, treeAt } from '../repo/changes.js'
import { ChosenPaths } from '../repo/chosen-paths.js'
import { type DiffOptions, fileDiffs, type ReadTexts, storedTexts } from '../repo/diff.js'
import { kindOf } from '../repo/mode.js'
import type { ChangedContent } from '../repo/patch.js'
import type { FileDiff } from '../repo/results.js'
import { assertStanding } from './commit.js'
import type { Tracked } from './index-file.js'
import { renamesOf } from './renamed.js'
import type { Scan } from './scan.js'
import { readWorkFile } from './work-files.js'
import type { Worktree } from './worktree.js'

/**
 * What differs in the work tree.
 *
 * @param from - The version to compare with, as text; by default the one that the work tree stands on.
 * @throws {CodedError} `PATH_UNKNOWN`, `V_*`, `WORKTREE_ABSENT`, `FILE_CHANGING`, `DISK_*`.
 */
export async function* diffWorktree(
  work: Worktree,
  from: string | undefined,
  options: DiffOptions = {},
): AsyncGenerator<FileDiff> {
  await assertStanding(work)
  const chosen = new ChosenPaths(options.paths)
  const scan = scanAndSave(work, chosen.roots)
  const base = await baseVector(work)
  const texts = workTexts(work, base)
  if (from === undefined) {
    const changes = await workChanges(work, scan)
    assertFound(work, scan, chosen)
    yield* fileDiffs(changes, storedTexts(work.repo, base), texts, options)
    return
  }
  const { vector } = await work.repo.resolve(from)
  const [before, after] = [await treeAt(work.repo, vector, chosen), await workSides(work, scan, chosen)]
  for (const path of after.keys()) chosen.includes(path)
  chosen.assertFound(`in the work tree or at ${from}`)
  yield* fileDiffs(compare(before, after), storedTexts(work.repo, vector), texts, options)
}

/** What a scan found, as changes: what was renamed is one. */
async function workChanges(work: Worktree, scan: Scan): Promise<Change<Side, Side>[]> {
  const before = new Map<string, Side>()
  for (const { path, tracked } of scan.changes) if (tracked !== undefined) before.set(path, { path, entry: tracked })
  return compare(before, await foundSides(work, scan))
}

/**
 * All that a commit would record, with contents, to choose from.
 *
 * @param paths - Files and directories, binary strings; everything where there are none.
 * @throws {CodedError} `WORKTREE_ABSENT`, `FILE_CHANGING`, `DISK_*`.
 */
export async function contentChanges(work: Worktree, paths: readonly string[] = []): Promise<ChangedContent[]> {
  await assertStanding(work)
  const changes = await workChanges(work, work.scan({ paths: paths.length === 0 ? undefined : paths }))
  const base = await baseVector(work)
  const olds = await storedTexts(work.repo, base)(changes.flatMap(({ before }) => before ?? []))
  const news = await workTexts(work, base)(changes.flatMap(({ after }) => after ?? []))
  return changes.map(({ before, after }) => ({
    before,
    after,
    old: before === undefined ? NOTHING : olds.get(before.path),
    now: after === undefined ? NOTHING : news.get(after.path),
  }))
}

const NOTHING = new Uint8Array(0)

/** Reads files of the work tree as they are now, those that are text; what links to other repositories as recorded. */
function workTexts(work: Worktree, base: Vector): ReadTexts {
  const stored = storedTexts(work.repo, base)
  return async (sides) => {
    const texts = new Map(await stored(sides.filter(isSubmodule)))
    for (const side of sides) {
      if (isSubmodule(side)) continue
      const file = readWorkFile(work.root, side.path)
      if (file !== undefined && isText(file.bytes)) texts.set(side.path, file.bytes)
    }
    return texts
  }
}

/** What the version covers that the work tree stands on. */
async function baseVector({ repo, index }: Worktree): Promise<Vector> {
  return index.base === undefined ? Vector.empty : repo.versions.vectorOf(index.base)
}

function isSubmodule({ entry }: Side): boolean {
  return kindOf(entry.mode) === 'submodule'
}

/** Scans, and keeps what was learnt about files that did not change, so that nobody need read them again. */
function scanAndSave(work: Worktree, paths: readonly string[]): Scan {
  const before = work.index
  const scan = work.scan({ paths })
  if (scan.stats.size === 0) return scan
  try {
    work.index.writeUnlessChanged(work.root, before)
  } catch (error) {
    // It only saves time; where it cannot be written there is a reason to be told by a command that must write.
    if (!(error instanceof CodedError)) throw error
  }
  return scan
}

const UNKNOWN = new Uint8Array(0)

/** What the work tree has where it differs from its index. */
async function foundSides(work: Worktree, scan: Scan): Promise<Map<string, Side>> {
  const renames: ReadonlyMap<string, Tracked> = await renamesOf(work, scan)
  const sides = new Map<string, Side>()
  for (const { path, tracked, found } of scan.changes) {
    if (found === undefined) continue
    const { mode, size, sha256 = UNKNOWN } = found
    sides.set(path, { path, entry: { mode, size, sha256, file: (renames.get(path) ?? tracked)?.file } })
  }
  return sides
}

/** All that the work tree has at the chosen paths. */
async function workSides(work: Worktree, scan: Scan, chosen: ChosenPaths): Promise<Map<string, Side>> {
  const sides = new Map<string, Side>()
  for (const root of chosen.roots) {
    for (const tracked of work.index.below(root)) sides.set(tracked.path, { path: tracked.path, entry: tracked })
  }
  for (const { path } of scan.changes) sides.delete(path)
  for (const [path, side] of await foundSides(work, scan)) sides.set(path, side)
  return sides
}

function assertFound({ index }: Worktree, { changes }: Scan, chosen: ChosenPaths): void {
  for (const root of chosen.roots) {
    const [first] = index.below(root)
    if (first !== undefined) chosen.includes(first.path)
  }
  for (const { path } of changes) chosen.includes(path)
  chosen.assertFound('in the work tree')
}
