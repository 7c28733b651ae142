/**
 * `weft git export`: versions into a git repository, new or not.
 *
 *     target.ts          the repository is opened, or made; what is neither empty nor one is refused
 *     export-refs.ts     which branches and tags git can have, export-forward.ts: and which may be set
 *     export-plan.ts     which versions git lacks, and which contents their trees need
 *     export-writing.ts  objects into one pack (pack.ts), which git checks and takes in whole:
 *       export-blobs.ts    contents, file by file
 *       rebuild.ts         trees and commits; born.ts: commits of versions made here
 *       exported.ts        notes which commits those are
 *     export-finish.ts   files of the branch that is checked out, and at the very end the refs
 *
 * Imported commits come out as they came in: their ids are recomputed, and nothing is written where one differs. The pack
 * is in git whole or not at all and refs are set last, so an export that is cut off is begun again and completes.
 * @module
 */
import { milliseconds } from '../base/clock.js'
import { readRefs } from '../history/refs.js'
import type { Repository } from '../repo/repository.js'
import type { ExportReport, Progress } from '../repo/results.js'
import { finishExport, type RefUpdate } from './export-finish.js'
import { likelyMade, notForward } from './export-forward.js'
import { planExport } from './export-plan.js'
import { chooseRefs } from './export-refs.js'
import { Writing } from './export-writing.js'
import { binary } from './history.js'
import { PackWriter } from './pack.js'
import { StoredCommits } from './stored.js'
import { openTarget, reachedCommits } from './target.js'

/** What to export, and where to. */
export interface ExportOptions {
  readonly repository: Repository
  /** A git repository, or a directory that is to become one. */
  readonly target: string
  /** Make a repository without work tree, where one is made. */
  readonly bare?: boolean | undefined
  readonly progress?: Progress | undefined
}

/**
 * Brings a git repository up to date with what branches and tags reach here.
 *
 * @throws {CodedError} `DIR_*`, `DISK_*`, `GIT_*` for an unfit target; `TREE_MISMATCH`, `CONTENT_DAMAGED` where what is
 *   stored does not give what was imported. Single branches and tags that cannot be set are in the report.
 */
export async function exportGit(options: ExportOptions): Promise<ExportReport> {
  const started = milliseconds()
  const { repository } = options
  const progress = options.progress ?? (() => undefined)
  const stored = await StoredCommits.load(repository.entries)
  const target = await openTarget(options.target, { bare: options.bare === true, hashLength: stored.hashLength })
  await stored.loadExported(target.hashLength)
  const { chosen, refused } = chooseRefs(await readRefs(repository.entries), target.refs)
  const made = await likelyMade(stored, target, chosen)
  const able = chosen.filter((ref) => {
    const problem = notForward(stored, target, ref, made)
    if (problem !== undefined) refused.push(problem)
    return problem === undefined
  })
  const have = new Set((await reachedCommits(target)).map(binary))
  const plan = await planExport(stored, able, have, target)
  using pack = new PackWriter(target.packs)
  const writing = new Writing(stored, target, plan, pack, progress)
  const noted = await writing.commits()
  const updates: RefUpdate[] = []
  for (const ref of able) {
    const outcome = await writing.update(ref)
    if (outcome === undefined) continue
    if ('code' in outcome) refused.push(outcome)
    else updates.push(outcome)
  }
  // Without a commit or a ref that needs them, objects are of no use to anybody.
  const { objects, bytes } = writing.written + updates.length > 0 ? pack : { objects: 0, bytes: 0 }
  if (objects > 0) await pack.handOver(target.gitDir, target.hashLength, (done, total) => progress('git', done, total))
  if (noted.length > 0) {
    await repository.entries.put(noted)
    await repository.entries.foldIfNeeded()
  }
  const finished = await finishExport(target, updates, {
    head: (await repository.head()).branch,
    root: repository.root,
  })
  return {
    versions: plan.reached,
    commits: writing.written,
    objects,
    refs: finished.refs,
    bytes: objects === 0 ? 0 : bytes,
    seconds: (milliseconds() - started) / 1000,
    refused: [...refused, ...finished.refused],
  }
}
